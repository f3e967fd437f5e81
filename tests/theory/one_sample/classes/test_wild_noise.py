"""The noise of left-out scores: its second moment, and that it is each row's own."""

import numpy as np
import pytest

from sk_deepfeat.theory import RowClasses, ridge_factorization
from sk_deepfeat.theory.one_sample.classes import tuning
from sk_deepfeat.theory.one_sample.classes.clouds import margins_of
from sk_deepfeat.theory.one_sample.classes.scores import LeftOutPredictor
from sk_deepfeat.theory.one_sample.classes.wild_noise import clouds_along_kappa


def training_set(n_classes, *, groups=None):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 10))
    classes = RowClasses(rng.integers(0, n_classes, 60), n_classes)
    path = ridge_factorization(X, classes.codes, groups=groups).with_classes(classes)
    return LeftOutPredictor(path, np.array([2.0])), classes


def sandwich(predictor, groups=None):
    """Return Σ_j K_ij e_j (K_ij e_j)ᵀ of every row, with sums over groups, (rows, t, t)."""
    residuals = predictor.residuals[0]
    kernel = next(predictor.predictions(iter([np.eye(len(residuals))])))
    parts = kernel[:, :, None] * residuals  # (i, j, t)
    if groups is not None:
        parts = np.stack([parts[:, groups == g].sum(axis=1) for g in np.unique(groups)], axis=1)
    return np.einsum("ijs,ijt->ist", parts, parts)


@pytest.mark.parametrize("groups", [None, np.repeat(np.arange(12), 5)])
def test_second_moment_is_the_sandwich(monkeypatch, groups):
    monkeypatch.setattr(tuning, "WILD_COLUMNS", 30_000)
    monkeypatch.setattr(tuning, "WILD_DRAWS", (8, 30_000))
    predictor, _ = training_set(2, groups=groups)
    found = clouds_along_kappa(predictor, np.array([1.0]))
    expected = sandwich(predictor, groups)[:, 0, 0]
    np.testing.assert_allclose(found.noise[0, 0, 0], 4.0 * expected, rtol=0.08)
    np.testing.assert_allclose(found.scale[0], expected.mean(), rtol=0.03)


def test_draws_of_several_classes_have_the_sandwich_of_margins(monkeypatch):
    monkeypatch.setattr(tuning, "WILD_COLUMNS", 1200)
    monkeypatch.setattr(tuning, "WILD_DRAWS", (8, 400))
    monkeypatch.setattr(tuning, "CLOUD_POINTS", 60 * 3000)
    predictor, classes = training_set(3)
    noise = clouds_along_kappa(predictor, np.array([1.0])).noise[0]
    found = np.einsum("sin,sjn->nij", noise, noise) / len(noise)
    moments = sandwich(predictor)
    for row in (0, 1, 7):
        basis = np.stack(
            [margins_of(np.eye(3)[[k]], classes.some(np.array([row])))[:, 0] for k in range(3)]
        )
        expected = basis.T @ moments[row] @ basis
        np.testing.assert_allclose(found[row], expected, atol=0.2 * np.abs(expected).max())
    assert abs(np.mean(noise[:, 0].mean(axis=1))) < 0.05 * noise[:, 0].std()


def test_noise_is_independent_from_row_to_row():
    predictor, _ = training_set(3)
    noise = clouds_along_kappa(predictor, np.array([1.0])).noise[0, :, 0]  # (S, rows)
    assert len(noise) > 1000
    correlation = np.corrcoef(noise.T)[np.triu_indices(60, 1)]
    assert np.abs(correlation).max() < 0.25 and abs(correlation.mean()) < 0.02


def test_the_same_seed_gives_the_same_noise():
    predictor, _ = training_set(3)
    one, two, other = (clouds_along_kappa(predictor, np.ones(1), seed=s).noise for s in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_numbers_have_no_noise_of_classes():
    path = ridge_factorization(np.eye(4), [1.0, 2.0, 3.0, 5.0])
    with pytest.raises(ValueError, match="with_classes"):
        clouds_along_kappa(LeftOutPredictor(path, np.ones(1)), np.ones(1))
