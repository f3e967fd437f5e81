"""What a population with known moments answers, entry by entry, against `ridge_risk`."""

import numpy as np
import pytest

from sk_deepfeat.populations import ExactPopulation, PlugInPopulation
from sk_deepfeat.theory import ridge_risk

OMEGA = np.array([4.0, 1.0, 0.25, 0.0])
PSI = np.array([[1.0, 0.5], [-0.5, 0.25], [0.1, 0.0], [0.0, 0.0]])
RHO = np.array([[2.0, 0.3], [0.3, 1.5]])
CELLS = {
    "one": (30.0, 0.1),
    "some": ([5.0, 30.0, 200.0], 1.0),
    "many": ([[5.0], [30.0]], [0.1, 9.0]),
}


@pytest.mark.parametrize("outputs", [0, 1, 2])
@pytest.mark.parametrize("kind", CELLS)
def test_every_part_of_the_record_is_that_of_the_risk(kind, outputs):
    psi, rho = (PSI, RHO) if outputs else (PSI[:, 0], RHO[0, 0])
    psi, rho = (psi[:, :outputs], rho[:outputs, :outputs]) if outputs else (psi, rho)
    found = ExactPopulation(OMEGA, psi, rho).fit().answer(*CELLS[kind], fit_intercept=False)
    risk = ridge_risk(
        OMEGA, PSI[:, : outputs or 1], RHO[: outputs or 1, : outputs or 1], *CELLS[kind]
    )

    def of_outputs(matrices):
        return np.einsum("...tt->...t", matrices)

    for name in ("test_error", "train_error"):
        part = found.error if name == "test_error" else found.train_error
        np.testing.assert_allclose(part, of_outputs(getattr(risk, name)), rtol=1e-12)
    np.testing.assert_allclose(found.kappa, risk.kappa, rtol=1e-12)
    parts = found.decomposition()
    for name in ("bias", "variance", "noise_variance", "noise"):
        np.testing.assert_allclose(getattr(parts, name), of_outputs(getattr(risk, name)))
    np.testing.assert_allclose(found.bias_and_noise, of_outputs(risk.bias + risk.noise), rtol=1e-12)
    assert found.reachable.shape == risk.kappa.shape and np.all(found.reachable)


def test_the_variance_of_the_targets_is_known_exactly_about_their_means():
    mean, target_mean = np.array([1.0, -1.0, 0.5, 2.0]), np.array([3.0, -2.0])
    population = ExactPopulation(
        np.diag(OMEGA) + np.outer(mean, mean),
        PSI + np.outer(mean, target_mean),
        RHO + np.outer(target_mean, target_mean),
        feature_mean=mean,
        target_mean=target_mean,
    ).fit()
    np.testing.assert_allclose(population.target_variance_.variance, [2.0, 1.5])
    np.testing.assert_array_equal(population.target_variance_.log_variance, [0.0, 0.0])


def test_a_direction_without_variance_is_no_degree_of_freedom():
    population = ExactPopulation(OMEGA, PSI, RHO).fit()
    df1, df2 = population.degrees_of_freedom([0.0, 1.0, 1e12], fit_intercept=False)
    kept = OMEGA[:3, None] / (OMEGA[:3, None] + [0.0, 1.0, 1e12])
    np.testing.assert_allclose(df1, kept.sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(df2, np.square(kept).sum(axis=0), rtol=1e-12)


def test_one_direction_is_a_direction(rng):
    x = rng.normal(size=(40, 1))
    y = 2.0 * x[:, 0] + rng.normal(size=40)
    population = PlugInPopulation().fit(x, y)
    omega, psi = np.var(x), np.mean((x[:, 0] - x.mean()) * (y - y.mean()))
    risk = ridge_risk([omega], [psi], np.var(y), 20.0, 3.0, fit_intercept=True)
    assert population.test_error(20.0, 3.0) == pytest.approx(float(risk.test_error), rel=1e-10)


@pytest.mark.parametrize("outputs", [0, 1, 3])
def test_features_that_are_all_zero_tell_nothing_of_any_output(rng, outputs):
    Y = rng.normal(size=(40, outputs)) if outputs else rng.normal(size=40)
    population = PlugInPopulation().fit(np.zeros((40, 2)), Y)
    expected = np.mean(np.var(Y, axis=0)) * (1.0 + 1.0 / 20.0)
    assert np.mean(population.test_error(20.0, 3.0)) == pytest.approx(expected)


@pytest.mark.parametrize("outputs", [0, 1, 3])
def test_features_that_never_vary_leave_the_variance_of_the_targets(outputs):
    """With an intercept nothing but the mean is learned: n rows leave var y (1 + 1/n)."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=(50, outputs) if outputs else 50)
    moment = np.cov(y.T, bias=True).reshape((outputs,) * 2 if outputs else ())
    known = ExactPopulation(np.zeros((4, 4)), np.zeros((4, outputs) if outputs else 4), moment)
    for population in (PlugInPopulation().fit(np.full((50, 4), 3.0), y), known.fit()):
        found = population.test_error([5, 20], [[0.0], [2.0]], fit_intercept=True)
        factor = np.reshape([1.2, 1.05], (2, *(1,) * bool(outputs)))
        expected = np.broadcast_to(np.var(y, axis=0) * factor, found.shape)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_mean_whose_square_is_more_than_the_second_moment():
    asked = ExactPopulation(np.eye(3), np.zeros(3), 1.0, target_mean=1.0).fit()
    assert asked.test_error(5, 1.0) >= 0.0
    for mean in (1.5, 1e308):
        population = ExactPopulation(np.eye(3), np.zeros(3), 1.0, target_mean=mean).fit()
        with pytest.raises(
            ValueError, match=r"rho=1\.0 must be at least the square of target_mean"
        ):
            population.test_error(5, 1.0)
