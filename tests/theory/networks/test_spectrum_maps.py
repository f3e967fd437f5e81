"""Maps of spectra: closed forms, then drawn matrices."""

import numpy as np
import pytest

from sk_deepfeat.theory.networks.spectrum_maps import layer_spectrum, product_spectrum

ONE, NONE, ALL = np.ones(1), np.zeros(1), np.ones(1)


def marchenko_pastur(x, ratio):
    """Density of W Wᵀ/d, W of shape (ratio d, d) with ratio at most 1."""
    low, high = (1 - np.sqrt(ratio)) ** 2, (1 + np.sqrt(ratio)) ** 2
    inside = np.maximum((high - x) * (x - low), 0.0)
    return np.sqrt(inside) / (2 * np.pi * ratio * x)


@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0])
def test_marchenko_pastur(ratio):
    d = 400
    n = round(ratio * d)
    found = layer_spectrum(np.full(d, 1 / d), ONE, NONE, ALL, n)
    x = ((1 - np.sqrt(ratio)) + 2 * np.sqrt(ratio) * np.linspace(0, 1, 200_001)[1:]) ** 2
    cumulated = np.cumsum(np.diff(x, prepend=x[0]) * marchenko_pastur(x, ratio))
    expected = np.interp((np.arange(n) + 0.5) / n, cumulated / cumulated[-1], x)
    np.testing.assert_allclose(found, expected, atol=4e-3)


def test_missing_rank_is_zero():
    found = layer_spectrum(np.full(100, 0.01), ONE, NONE, ALL, 300)
    assert np.sum(found == 0) == 200
    assert found[200] > 0.4


def test_offset_shifts_and_slope_scales():
    a = np.linspace(0.001, 0.02, 80)
    plain = layer_spectrum(a, ONE, NONE, ALL, 60)
    found = layer_spectrum(a, 3 * ONE, NONE + 0.7, ALL, 60)
    np.testing.assert_allclose(found, 9 * plain + 0.7, rtol=1e-4)


def test_trace_is_kept():
    """tr E + Σ d² · tr A for the layer; mean of Ω times mean of C for the product."""
    a = np.arange(1.0, 201.0) ** -1.0
    slopes, offsets, shares = np.array([0.3, 1.0]), np.array([0.5, 0.1]), np.array([0.25, 0.75])
    found = layer_spectrum(a, slopes, offsets, shares, 400)
    expected = shares @ offsets + shares @ slopes**2 * a.sum()
    assert found.mean() == pytest.approx(expected, rel=5e-3)
    b = np.linspace(0.5, 3.0, 200)
    assert product_spectrum(a, b).mean() == pytest.approx(a.mean() * b.mean(), rel=5e-3)


def test_groups_agree_with_a_drawn_matrix():
    rng = np.random.default_rng(0)
    a = np.arange(1.0, 501.0) ** -0.5 / 500
    slopes, offsets = np.array([0.2, 0.5, 0.9]), np.array([0.05, 0.1, 0.3])
    found = layer_spectrum(a, slopes, offsets, np.full(3, 1 / 3), 300)
    group = np.arange(300) % 3
    rows = slopes[group, None] * rng.normal(size=(300, 500)) * np.sqrt(a)
    drawn = np.linalg.eigvalsh(rows @ rows.T + np.diag(offsets[group]))
    assert np.abs(found - drawn).mean() < 5e-3 * drawn.mean()


def test_product_agrees_with_a_drawn_matrix():
    rng = np.random.default_rng(0)
    c, w = np.arange(1.0, 401.0) ** -0.7, rng.uniform(0.5, 3.0, size=400)
    basis, _ = np.linalg.qr(rng.normal(size=(400, 400)))
    root = np.sqrt(c)
    drawn = np.linalg.eigvalsh(root[:, None] * ((basis * w) @ basis.T) * root)
    assert np.abs(product_spectrum(c, w) - drawn).mean() < 1e-2 * drawn.mean()
    np.testing.assert_allclose(product_spectrum(w, c), product_spectrum(c, w), rtol=2e-2)


def test_product_with_a_multiple_of_the_identity():
    w = np.linspace(0.5, 3.0, 20)
    np.testing.assert_allclose(product_spectrum(np.full(20, 2.0), w), 2 * w)
    np.testing.assert_allclose(product_spectrum(w, np.full(20, 2.0)), 2 * w)
