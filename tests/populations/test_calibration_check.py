"""What a failed check says: where, why, and which numbers stand; in one wording everywhere."""

import pickle
import warnings
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations import CalibrationCheck, LeaveOneOutPopulation
from sk_deepfeat.populations.calibration_check import Diagnosis
from sk_deepfeat.report.answers import ask
from sk_deepfeat.report.remarks import remarks


def rare_table(seed=0, n=300, rate=0.01):
    rng = np.random.default_rng(seed)
    X = np.hstack([rng.normal(size=(n, 10)), rng.random((n, 30)) < rate])
    return X, X[:, 0] + X[:, 10:] @ rng.normal(scale=2.0, size=30) + 0.5 * rng.normal(size=n)


def quietly(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        return call()


def table(measured, **given):
    """Two sizes, three alphas, predictions of one with standard errors of 2 %."""
    n, alpha = np.repeat([50.0, 100.0], 3), np.tile([0.01, 1.0, 100.0], 2)
    one, measured = np.ones(6), np.asarray(measured, dtype=float)
    most = float(np.abs(np.log(measured)).max())
    ends = np.exp([-0.08, 0.08])
    return CalibrationCheck(n, alpha, measured, one, one * ends[0], one * ends[1], most, **given)


@pytest.mark.parametrize(
    ("measured", "where"),
    [
        ([3, 1, 1, 1, 1, 1], "at up to 50 samples and alpha up to 0.01, by up to 200 %"),
        (
            [9e5, 1, 1, 1, 1, 1],
            "at up to 50 samples and alpha up to 0.01, by up to a factor of 9e+05",
        ),
        ([3, 2, 1, 3, 1.04, 1], "at any size and alpha up to 1, by up to 200 %"),
        ([1, 1, 1, 1, 1, 0.5], "at 100 samples and more and alpha from 1e+02 on, by up to 100 %"),
        ([2, 1, 2, 2, 1, 1], "at any size and any alpha, by up to 100 %"),
        ([1, 1.5, 1, 1, 1, 1], "at up to 50 samples and alpha from 1 to 1, by up to 50 %"),
        ([3, 1, 1.04, 1, 1, 1], "at up to 50 samples and alpha up to 0.01, by up to 200 %"),
    ],
)
def test_where(measured, where):
    assert table(measured).where == where


def test_a_passed_check_says_nothing():
    check = replace(table(np.ones(6)), disagreement=0.0)
    assert check.passed and check.where == check.explanation == check.verdict == ""
    assert check.causes == () and str(check).endswith("beyond noise: 0")


def test_a_ratio_is_measured_over_predicted():
    check = replace(table([3, 1, 1, 1, 1, 1]), predicted=np.array([2.0, 4.0, 0.0, 1.0, 0.5, 1.0]))
    np.testing.assert_array_equal(check.ratio, [1.5, 0.25, np.nan, 1.0, 2.0, 1.0])


def test_errors_of_zero_are_not_where_a_check_fails():
    """Of error rates, some are zero: predicted ones, measured ones, or both."""
    predicted, lower = np.array([1.0, 0.0, 0.0, 1.0, 1.0, 1.0]), np.exp(-0.08)
    check = replace(
        table([3, 1, 1, 1, 1, 1]),
        measured=np.array([3.0, 0.0, 0.5, 0.0, 1.0, 1.0]),
        predicted=predicted,
        lower=predicted * lower,
        upper=predicted / lower,
    )
    assert check.where == "at up to 50 samples and alpha up to 0.01, by up to 200 %"


class TestRareColumns:
    X, y = rare_table()
    ridge = DeterministicEquivalentRidge().fit(X, y)

    def test_are_named_and_no_groups_are(self):
        failed = 0
        for seed in range(6):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                ridge = DeterministicEquivalentRidge().fit(*rare_table(seed))
            check = quietly(ridge.calibration_check)
            if check.passed:
                continue
            failed += 1
            assert [cause.kind for cause in check.causes] == ["rare columns"]
            for word in ("cluster", "near-duplicate", "in groups"):
                assert word not in check.explanation
        assert failed >= 4

    def test_by_their_names(self):
        pandas = pytest.importorskip("pandas")
        names = [f"dense_{j}" for j in range(10)] + [f"level_{j}" for j in range(30)]
        frame = pandas.DataFrame(self.X, columns=names)
        ridge = DeterministicEquivalentRidge().fit(frame, self.y)
        population = LeaveOneOutPopulation().fit(frame, self.y)
        for check in (
            quietly(ridge.calibration_check),
            quietly(lambda: population.calibration_check()),
        ):
            assert "'level_" in check.causes[0].sentence
            assert "'dense_" not in check.causes[0].sentence
        assert "(columns " in quietly(self.ridge.calibration_check).causes[0].sentence

    def test_one_wording_everywhere(self):
        with pytest.warns(PopulationWarning) as caught:
            check = self.ridge.calibration_check()
        assert str(caught[0].message) == check.explanation
        assert str(check).endswith(check.explanation)
        said = remarks(ask(self.ridge, [1e-9]), self.ridge)
        assert f"The calibration check failed. {check.explanation}" in said
        assert not any("Trust the numbers" in text for text in said)
        for part in (check.where, check.causes[0].sentence[1:], check.causes[0].remedy):
            assert part in check.explanation
        assert "up to 300 rows rest on errors measured on subsets" in check.explanation

    def test_a_data_frame(self):
        pandas = pytest.importorskip("pandas")
        check = quietly(self.ridge.calibration_check)
        assert len(pandas.DataFrame(vars(check))) == check.alpha.size

    def test_without_rows(self):
        ridge = pickle.loads(pickle.dumps(self.ridge))
        check = quietly(ridge.calibration_check)
        assert check.causes == () and "rows are no longer there" in check.explanation
        assert check.where == quietly(self.ridge.calibration_check).where

    def test_alphas_are_those_of_the_estimator(self):
        weighted = DeterministicEquivalentRidge().fit(self.X, self.y, np.full(300, 50.0))
        found = [quietly(ridge.calibration_check) for ridge in (weighted, self.ridge)]
        large = found[1].alpha > 1e-2  # smaller ones hang on the rounding of df1
        assert np.count_nonzero(large) > 10
        np.testing.assert_allclose(found[0].alpha[large], 50.0 * found[1].alpha[large], rtol=1e-6)
        with pytest.warns(PopulationWarning) as caught:
            check = weighted.calibration_check()
        assert check.where in str(caught[0].message)
        inside = quietly(weighted.population_.calibration_check)
        np.testing.assert_allclose(50.0 * inside.alpha, found[0].alpha, rtol=1e-12)


def test_scales_apart_are_named_whether_the_check_fails_or_not():
    X, y = rare_table()
    X[:, 3] *= 5000.0
    check = quietly(DeterministicEquivalentRidge().fit(X, y).calibration_check)
    assert [cause.kind for cause in check.causes] == ["rare columns", "column scales"]
    assert "column 3 down to column" in check.causes[1].sentence
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 20)) * np.where(np.arange(20) < 2, 2e3, 1.0)
    ridge = DeterministicEquivalentRidge().fit(X, X[:, 5] + rng.normal(size=300))
    check = ridge.calibration_check()
    assert check.passed and [cause.kind for cause in check.causes] == ["column scales"]
    assert str(check).endswith(check.causes[0].sentence)


def test_rows_are_numbered_as_they_were_given():
    """Rows of weight zero are not in the factorisation."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1100, 200))
    y = X @ rng.normal(size=200) + rng.normal(size=1100)
    far = 100 + rng.choice(1000, 30, replace=False)
    X[far] *= 10.0
    weights = np.where(np.arange(1100) < 100, 0.0, 1.0)
    ridge = DeterministicEquivalentRidge().fit(X, y, weights)
    check = quietly(ridge.calibration_check)
    assert check.causes[0].kind == "outsize rows"
    listed = check.causes[0].sentence.removeprefix("Rows ").split(" and ")[0].split(", ")
    assert len(listed) == 4 and {int(row) for row in listed} <= set(far)


def test_exact_copies_are_taken_together_and_told():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 200))
    y = X[:, :20].sum(1) / 4 + 0.5 * rng.normal(size=150)
    twice = np.repeat(np.arange(150), 2)
    with pytest.warns(PopulationWarning, match="150 of 300 rows are exact copies"):
        ridge = DeterministicEquivalentRidge().fit(X[twice], y[twice])
    check = quietly(ridge.calibration_check)
    assert check.causes[0].kind == "copies"
    assert "150 of 300 rows are exact copies of others" in str(check)


@pytest.mark.parametrize("grouped", [False, True])
def test_where_no_cause_is_found_it_says_what_was_looked_for(grouped):
    diagnosis = Diagnosis.of_rows((), 1234, grouped=grouped)
    said = table([3, 1, 1, 1, 1, 1], diagnosis=diagnosis).explanation
    assert "No cause was found" in said and "rare columns" in said and "up to 1,234 rows" in said
    assert ("Groups may be of different kinds" in said) is grouped


class Told(BaseEstimator):
    """A population of one's own, whose check has sizes alone."""

    def fit(self, X, y, sample_weight=None, *, fit_intercept=True, path=None):
        self.n_features_in_, self.inside = X.shape[1], LeaveOneOutPopulation()
        self.inside.fit(X, y, sample_weight, fit_intercept=fit_intercept, path=path)
        return self

    def test_error(self, n_samples, alpha, *, fit_intercept):
        return self.inside.test_error(n_samples, alpha, fit_intercept=fit_intercept)

    def kappa(self, n_samples, alpha, *, fit_intercept):
        return self.inside.kappa(n_samples, alpha, fit_intercept=fit_intercept)

    def calibration_check(self, sizes):
        return self.inside.calibration_check(sizes)


def test_a_check_that_takes_sizes_alone():
    X, y = rare_table()
    ridge = DeterministicEquivalentRidge(population=Told()).fit(X, y, np.full(300, 3.0))
    check = quietly(ridge.calibration_check)
    inside = quietly(lambda: ridge.population_.calibration_check(None))
    np.testing.assert_allclose(check.alpha, 3.0 * inside.alpha, rtol=1e-12)


def test_rows_that_were_written_to_cannot_be_checked_again():
    """No copy of them is kept; what was measured in the fit stands."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 20))
    population = LeaveOneOutPopulation().fit(X, X[:, 0] + rng.normal(size=300))
    before = population.test_error(300, 1.0, fit_intercept=True)
    assert population.calibration_check().passed
    X -= 1.0
    with pytest.raises(ValueError, match="X has been written to since it was fitted"):
        population.calibration_check()
    assert population.test_error(300, 1.0, fit_intercept=True) == before
