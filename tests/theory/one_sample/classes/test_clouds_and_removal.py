"""Losses on clouds of scores, with more noise and with less: against what is known exactly."""

import numpy as np
import pytest
from scipy.linalg import eigh, inv, sqrtm
from scipy.special import ndtr

from sk_deepfeat.theory import Loss, RowClasses
from sk_deepfeat.theory.one_sample.classes import tuning
from sk_deepfeat.theory.one_sample.classes.bridge import bridge_slopes
from sk_deepfeat.theory.one_sample.classes.clouds import Cloud, CloudsAlongKappa, margins_of
from sk_deepfeat.theory.one_sample.classes.removal import (
    Transport,
    distance_of,
    error_of,
    extrapolated,
)


def test_margins_are_positive_where_another_class_wins():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(50, 4))
    classes = RowClasses(rng.integers(0, 4, 50), 4)
    wrong = margins_of(scores, classes).max(axis=0) > 0
    np.testing.assert_array_equal(wrong, scores.argmax(axis=1) != classes.number)
    two = RowClasses([0, 1, 1], 2)
    np.testing.assert_allclose(margins_of(np.array([[0.5], [0.5], [-2.0]]), two), [[1, -1, 4]])


def test_binary_losses_are_means_over_normal_noise():
    rng = np.random.default_rng(1)
    margins, variance = rng.normal(size=(1, 20)), rng.uniform(0.5, 2.0, (1, 1, 20))
    cloud = Cloud(margins, variance)
    drawn = margins[0] + np.sqrt(0.7 * variance[0, 0]) * rng.normal(size=(400_000, 1))
    for loss, exact in (
        (Loss(), (drawn > 0).mean(axis=0)),
        (Loss(0.5), np.log1p(np.exp(drawn / 0.5)).mean(axis=0)),
    ):
        np.testing.assert_allclose(loss.of_rows(cloud, 0.7), exact, atol=6e-3)


def test_log_loss_without_noise_is_that_of_scikit_learn():
    from sklearn.metrics import log_loss

    rng = np.random.default_rng(2)
    scores, labels = rng.normal(size=(30, 3)), rng.integers(0, 3, 30)
    classes = RowClasses(labels, 3)
    cloud = Cloud(margins_of(scores, classes), np.zeros((1, 2, 30)))
    probabilities = np.exp(scores / 0.4)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    expected = log_loss(labels, probabilities, labels=[0, 1, 2])
    np.testing.assert_allclose(Loss(0.4).of_rows(cloud, 0.0).mean(), expected, rtol=1e-5)


def test_clouds_between_places_are_linear_in_log_kappa():
    kappa = np.array([1.0, 4.0])
    margins, noise = np.arange(2.0).reshape(2, 1, 1), np.array([1.0, 3.0]).reshape(2, 1, 1, 1)
    clouds = CloudsAlongKappa(
        kappa, 10.0 * kappa, margins, noise, np.array([1.0, 9.0]), RowClasses([0], 2)
    )
    middle = clouds.at(2.0)
    np.testing.assert_allclose([middle.margins.item(), middle.noise.item()], [0.5, 2.0], rtol=1e-6)
    assert clouds.at(0.1).margins.item() == 0.0 and clouds.at(9.0).margins.item() == 1.0
    np.testing.assert_allclose(clouds.scale_at(np.array([2.0])), 3.0)


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_distance_and_error_are_inverse(n_classes):
    distance = np.array([0.0, 0.5, 2.0, 4.0])
    error = error_of(distance, n_classes)
    np.testing.assert_allclose(error[0], 1.0 - 1.0 / n_classes, rtol=1e-6)
    np.testing.assert_allclose(distance_of(error, n_classes), distance, atol=1e-3)
    if n_classes == 2:
        np.testing.assert_allclose(error, ndtr(-distance / np.sqrt(2.0)), rtol=1e-3)


def test_extrapolation_is_exact_for_two_normal_clouds():
    own, excess = 1.0, 0.4  # variances of a margin of mean -2
    steps = np.array(tuning.SIMEX_STEPS)
    losses = ndtr(-2.0 / np.sqrt(own + steps * excess))[:, None]
    found = extrapolated(losses, 2, Loss())
    np.testing.assert_allclose(found, ndtr(-2.0 / np.sqrt(own - excess)), rtol=2e-3)


def test_extrapolation_to_no_noise_at_all_is_not_known():
    steps = np.array(tuning.SIMEX_STEPS)
    losses = ndtr(-2.0 / np.sqrt(1.0 + steps))[:, None]
    assert np.isnan(extrapolated(losses, 2, Loss())).all()
    assert extrapolated(np.zeros((steps.size, 1)), 2, Loss()) == 0.0


def test_transport_leaves_normal_clouds_of_less_noise():
    rng = np.random.default_rng(3)
    classes = RowClasses(np.repeat([0, 1, 2], 4000), 3)
    noise = rng.normal(size=(2, 2, 12_000)) * np.array([1.0, 0.5])[:, None]
    clean = np.array([[-2.0], [-1.0]]) + rng.normal(size=(2, 12_000))
    scores = clean + 0.8 * noise[0]
    cloud = Cloud(scores, noise)
    transport = Transport(cloud, classes)
    moved = transport.without(0.48).margins
    wanted = np.eye(2) + 0.16 * np.diag([1.0, 0.25])
    for label in range(3):
        mine = classes.number == label
        np.testing.assert_allclose(np.cov(moved[:, mine]), wanted, atol=0.08)
        np.testing.assert_allclose(moved[:, mine].mean(1), scores[:, mine].mean(1), atol=1e-6)
    np.testing.assert_allclose(transport.without(0.0).margins, scores, atol=1e-6)
    assert transport.size == 3 * 2 * 4


@pytest.mark.parametrize("excess", [0.0, 0.1, 0.5, 30.0])
def test_transport_is_that_of_the_formula(excess):
    """T = Σ^-½ (Σ^½ Σ' Σ^½)^½ Σ^-½, with Σ' = Σ^½ max(1 - Σ^-½ x S Σ^-½, floor) Σ^½, by scipy."""
    rng = np.random.default_rng(4)
    classes = RowClasses(np.repeat([0, 1], 50), 4)
    margins = rng.normal(size=(3, 3)) @ rng.normal(size=(3, 100))
    noise = rng.normal(size=(2, 3, 100))
    found = Transport(Cloud(margins, noise), classes).without(excess)
    assert not found.noise.any()
    for label in (0, 1):
        mine = classes.number == label
        own, draws = margins[:, mine], np.concatenate(list(noise[:, :, mine]), axis=1)
        half = sqrtm(np.cov(own))
        inverse = inv(half)
        shares, axes = eigh(inverse @ (excess * draws @ draws.T / 100) @ inverse)
        left = axes @ np.diag(np.maximum(1 - shares, tuning.LEAST_SPREAD)) @ axes.T
        moves = inverse @ sqrtm(half @ half @ left @ half @ half) @ inverse
        mean = own.mean(axis=1, keepdims=True)
        np.testing.assert_allclose(found.margins[:, mine], mean + moves @ (own - mean), rtol=1e-8)


def test_a_class_of_one_row_stays_where_it_is():
    classes = RowClasses([0, 0, 0, 1], 2)
    margins = np.array([[-1.0, -2.0, -3.0, 5.0]])
    moved = Transport(Cloud(margins, np.ones((1, 1, 4))), classes).without(0.4).margins
    assert moved[0, 3] == 5.0 and moved[0, 0] != -1.0


def test_bridge_finds_the_slope_of_a_power():
    squared = np.array([[0.4], [0.3], [0.25]])
    found = bridge_slopes(0.5 * squared**1.7, squared)
    np.testing.assert_allclose(found.slope, 1.7, rtol=1e-9)
    np.testing.assert_allclose(found.doubt, tuning.BRIDGE_DOUBT, rtol=1e-9)
    bent = 0.5 * squared ** np.array([[1.7], [1.5], [1.5]])
    assert bridge_slopes(bent, squared).doubt > 2.0 * tuning.BRIDGE_DOUBT


def test_bridge_of_no_errors_goes_with_the_squared_error_and_doubts_it():
    found = bridge_slopes(np.zeros((3, 1)), np.array([[0.4], [0.3], [0.25]]))
    low, high = tuning.BRIDGE_SLOPES
    np.testing.assert_allclose([found.slope, found.doubt], 0.5 * (high - low), atol=0.6)
    assert found.slope == 1.0
