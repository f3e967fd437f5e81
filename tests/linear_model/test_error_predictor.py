"""The value that answers the questions: its units, its caution, and where its warnings point."""

import warnings
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
from sklearn.preprocessing import FunctionTransformer

from sk_deepfeat import DeterministicEquivalentRidge, TwoStageRegressor
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.linear_model import ErrorPredictor
from sk_deepfeat.populations import LeaveOneOutPopulation, PlugInPopulation
from sk_deepfeat.theory import ErrorAnswer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 60))
Y = X[:, 0] + RNG.normal(size=120)
RIDGE = DeterministicEquivalentRidge().fit(X, Y)


def test_a_fitted_ridge_keeps_its_answers_as_a_value():
    predictor = RIDGE.error_predictor_
    assert isinstance(predictor, ErrorPredictor)
    with pytest.raises(FrozenInstanceError):
        predictor.alpha = 3.0
    assert predictor.test_error() == RIDGE.test_error_
    assert replace(predictor, alpha=50.0).test_error() == RIDGE.predict_test_error(alpha=50.0)
    assert replace(predictor, n_samples=40).test_error() == RIDGE.predict_test_error(40)


class Bowl(BaseEstimator):
    """Errors least at alpha 1 for every n; a search is told to take 10."""

    def fit(self, X, y, sample_weight=None, *, fit_intercept=True, path=None):
        self.n_features_in_ = np.shape(X)[1]
        return self

    def answer(self, n_samples, alpha, *, fit_intercept, variance=False):
        n, alpha = np.broadcast_arrays(np.asarray(n_samples, float), np.asarray(alpha, float))
        log_alpha = np.log(np.maximum(alpha, 1e-30))
        error = (1.0 + log_alpha**2 + 5.0 / n)[..., None]
        cautious = (1.0 + (log_alpha - np.log(10.0)) ** 2 + 5.0 / n)[..., None]
        return ErrorAnswer(error, np.ones(n.shape, bool), alpha, cautious_error=cautious)

    def test_error(self, n_samples, alpha, *, fit_intercept):
        return self.answer(n_samples, alpha, fit_intercept=fit_intercept).error[..., 0]

    def kappa(self, n_samples, alpha, *, fit_intercept):
        return self.answer(n_samples, alpha, fit_intercept=fit_intercept).kappa


def test_a_search_minimises_the_cautious_error_and_tells_the_error_itself():
    """How many samples are needed is what that alpha needs: 1 + log² 10 + 5/n, beside alpha 1."""
    ridge = DeterministicEquivalentRidge("optimal", population=Bowl()).fit(X, Y)
    assert ridge.alpha_ == pytest.approx(10.0, rel=1e-3)
    expected = 1.0 + np.log(10.0) ** 2 + 5.0 / 120
    assert ridge.test_error_ == pytest.approx(expected, rel=1e-3)
    assert ridge.required_samples(1.1, alpha=1.0) == 50
    assert ridge.required_samples(expected - 5.0 / 120 + 0.1) == pytest.approx(50, abs=2)
    with pytest.warns(PopulationWarning, match="is not reached"):
        assert np.isnan(ridge.required_samples(1.1))


def test_a_record_without_parts_names_what_is_missing():
    ridge = DeterministicEquivalentRidge(population=Bowl()).fit(X, Y)
    for question, member in (
        (ridge.predict_train_error, "train_error, which predict_train_error needs"),
        (ridge.predict_decomposition, "decomposition, which predict_decomposition needs"),
        (lambda: ridge.predict_test_error(return_interval=True), "interval, which return_interval"),
        (ridge.degrees_of_freedom, "does not implement degrees_of_freedom;"),
        (ridge.calibration_check, "does not implement calibration_check;"),
    ):
        with pytest.raises(ValueError, match=member):
            question()
    assert not ridge.error_predictor_.knows_intervals
    assert RIDGE.error_predictor_.knows_intervals


def test_outputs_of_every_prediction_are_averaged_alike():
    both = DeterministicEquivalentRidge().fit(X, np.column_stack([Y, 2.0 * Y]))
    for question in (both.predict_test_error, both.predict_train_error):
        raw = question([40, 120], 3.0, multioutput="raw_values")
        assert raw.shape == (2, 2)
        np.testing.assert_allclose(question([40, 120], 3.0), raw.mean(axis=-1))
        np.testing.assert_allclose(question(40, 3.0, multioutput=[1.0, 0.0]), raw[0, 0])
    parts = both.predict_decomposition(40, 3.0, multioutput="raw_values")
    assert parts.bias_and_noise.shape == (2,)
    assert parts.bias_and_noise[1] == pytest.approx(4.0 * parts.bias_and_noise[0])


def test_an_average_over_outputs_has_an_interval_of_its_own():
    """Of 25 targets with noise of their own, the average is known five times as well as each."""
    coefs = np.random.default_rng(1).normal(size=(50, 25)) / 7.0
    estimates, widths = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        rows = rng.normal(size=(400, 50))
        many = DeterministicEquivalentRidge().fit(rows, rows @ coefs + rng.normal(size=(400, 25)))
        error, low, high = many.predict_test_error(return_interval=True)
        estimates.append(error)
        widths.append((high - low) / 2.0)
    assert np.mean(widths) == pytest.approx(1.73 * np.std(estimates), rel=0.5)
    assert 0.02 < np.mean(widths) < 0.045
    raw, raw_low, raw_high = many.predict_test_error(return_interval=True, multioutput="raw_values")
    assert np.all((raw_high - raw_low) / 2.0 > 0.08)
    first = many.predict_test_error(return_interval=True, multioutput=[1.0] + 24 * [0.0])
    np.testing.assert_allclose(first, [raw[0], raw_low[0], raw_high[0]])
    weights = np.arange(25.0)
    error, low, high = many.predict_test_error(return_interval=True, multioutput=weights)
    assert error == pytest.approx(np.average(raw, weights=weights)) and low < error < high
    assert high - low < 0.5 * np.average(raw_high - raw_low, weights=weights)
    same = DeterministicEquivalentRidge().fit(X, np.column_stack([Y, 3.0 * Y]))
    alone = DeterministicEquivalentRidge().fit(X, Y)
    np.testing.assert_allclose(
        same.predict_test_error([40, 120, 200], 3.0, return_interval=True),
        5.0 * np.array(alone.predict_test_error([40, 120, 200], 3.0, return_interval=True)),
        rtol=1e-6,
    )


CLUSTERS = RNG.normal(size=(15, 20))[RNG.integers(15, size=300)] + 0.05 * RNG.normal(size=(300, 20))
TARGET = CLUSTERS[:, 0] + 0.3 * RNG.normal(size=300)
WIDE = RNG.normal(size=(60, 200)) * np.arange(1, 201) ** -0.5
# More features than rows and hardly any noise: beyond n₀ the best alpha is at the edge of reach.
EDGE = DeterministicEquivalentRidge().fit(
    WIDE, WIDE @ RNG.normal(size=200) + 0.05 * RNG.normal(size=60)
)
NOTHING = np.random.default_rng(1).normal(size=(60, 3))


@pytest.mark.parametrize(
    "question",
    [
        lambda: DeterministicEquivalentRidge("optimal").fit(NOTHING, np.tile([1.0, -1.0], 30)),
        lambda: EDGE.optimal_alpha(600),
        lambda: EDGE.predict_test_error(600, "optimal"),
        lambda: RIDGE.required_samples(1e-3),
        lambda: RIDGE.error_predictor_.required_samples(1e-3),
        lambda: DeterministicEquivalentRidge().fit(CLUSTERS, TARGET).calibration_check(),
        lambda: LeaveOneOutPopulation().fit(CLUSTERS, TARGET).calibration_check(),
        lambda: PlugInPopulation().fit(X, Y),
        lambda: DeterministicEquivalentRidge(population="plug-in").fit(X, Y),
    ],
)
def test_a_warning_points_at_the_line_that_asked(question):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        question()
    assert caught and all(issubclass(item.category, PopulationWarning) for item in caught)
    assert {Path(item.filename).name for item in caught} == {Path(__file__).name}


def two_stages(readout):
    return TwoStageRegressor(FunctionTransformer(), readout, random_state=0)


def test_a_two_stage_readout_is_asked_as_well():
    inner = two_stages(DeterministicEquivalentRidge())
    fitted = two_stages(inner).fit(X, Y)
    assert fitted.predict_test_error() == fitted.readout_.readout_.test_error_
    assert fitted.test_error_ == fitted.readout_.test_error_
    assert fitted.optimal_alpha(50) == fitted.readout_.optimal_alpha(50)
    with pytest.raises(AttributeError, match="does not predict its error"):
        two_stages(two_stages(Ridge())).fit(X, Y).predict_test_error()


class Doubled(DeterministicEquivalentRidge):
    """A readout with a question answered in its own way."""

    def predict_test_error(self, *args, **kwargs):
        return 2.0 * super().predict_test_error(*args, **kwargs)


class Foreign(Ridge):
    """Another author's readout that knows one question."""

    def predict_test_error(self, n_samples=None, alpha=None, **_):
        return 7.0


def test_a_readouts_own_answers_are_given():
    fitted = two_stages(Doubled()).fit(X, Y)
    assert fitted.predict_test_error(40) == fitted.readout_.predict_test_error(40)
    assert two_stages(Foreign()).fit(X, Y).predict_test_error() == 7.0
