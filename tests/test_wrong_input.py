"""Wrong input, as a new user gives it: the message names the argument, the value and the remedy."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures, TwoStageRegressor
from sk_deepfeat.activations import relu
from sk_deepfeat.model_selection import (
    CalibrationCheckDisplay,
    ErrorDecompositionDisplay,
    RidgeLearningCurveDisplay,
    four_way_split,
    ridge_learning_curve,
)
from sk_deepfeat.populations import (
    ExactPopulation,
    GCVPopulation,
    LeaveOneOutPopulation,
    PlugInPopulation,
)
from sk_deepfeat.report import write_report
from sk_deepfeat.testing import check_feature_map, check_population
from sk_deepfeat.theory import (
    activation_moments,
    bivariate_covariance,
    calibrate,
    curve_risk,
    gcv_curve,
    hermite_coefficients,
    leave_one_out_curve,
    leave_one_out_residuals,
    rainbow_covariances,
    ridge_factorization,
    ridge_risk,
    solve_kappa,
    subset_errors,
)

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 5))
Y = X[:, 0] + 0.1 * rng.normal(size=60)
RIDGE = DeterministicEquivalentRidge().fit(X, Y)
GCV = DeterministicEquivalentRidge(population="gcv").fit(X, Y)
PATH = ridge_factorization(X, Y)
CURVE = gcv_curve(PATH)
FEATURES = RandomDeepFeatures((8,), random_state=0)
LETTERS = np.array(["a", "b"] * 30)
EYE, ONES = np.eye(5), np.ones(5)
MANY = "n_samples of shape (2,) and alpha of shape (3,) do not broadcast"


def refused(error, message, function, *arguments, **keywords):
    with pytest.raises(error) as caught:
        function(*arguments, **keywords)
    assert message in str(caught.value)


def test_ridge():
    refused(ValueError, "y must hold numbers; got ", DeterministicEquivalentRidge().fit, X, LETTERS)
    classifier = "Classes are for DeterministicEquivalentRidgeClassifier"
    refused(ValueError, classifier, DeterministicEquivalentRidge().fit, X, LETTERS)
    refused(ValueError, MANY, RIDGE.predict_test_error, [1, 2], [1, 2, 3])
    refused(ValueError, MANY, RIDGE.reachable, [1, 2], [1, 2, 3])
    for wrong in (["a"], None, [1.0, 2.0]):
        refused(
            ValueError,
            f"multioutput={wrong!r} must be",
            RIDGE.predict_test_error,
            multioutput=wrong,
        )
    refused(ValueError, "that are not negative", RIDGE.predict_test_error, multioutput=[-1.0])
    refused(
        ValueError,
        "population='gcv' does not implement calibration_check; population='leave-one-out' does",
        GCV.calibration_check,
    )


def test_two_stages():
    for wrong in (None, "ridge", Ridge, FEATURES):
        model = TwoStageRegressor(FEATURES, wrong)
        refused(TypeError, "must be a regressor, such as Determ", model.fit, X, Y)
    model = TwoStageRegressor(FEATURES, RIDGE)
    told = "TwoStageRegressor predicts numbers, but y holds strings, which are classes, such as 'a'"
    refused(ValueError, told, model.fit, X, LETTERS)
    refused(ValueError, "but y holds booleans, which are classes", model.fit, X, Y > 0)
    plain = TwoStageRegressor(FEATURES, Ridge(), random_state=0).fit(X, Y)
    assert not hasattr(plain, "predict_test_error")
    told = "readout=Ridge() does not predict its error; take DeterministicEquivalentRidge()"
    refused(AttributeError, told, lambda: plain.predict_test_error(10))


@pytest.mark.parametrize("population", [PlugInPopulation, GCVPopulation, LeaveOneOutPopulation])
def test_populations_from_rows(population):
    refused(ValueError, "requires y to be passed", population().fit, X, None)
    refused(ValueError, "y must hold numbers", population().fit, X, LETTERS)
    for wrong in ("yes", None):
        refused(TypeError, "must be True or False", population().fit, X, Y, fit_intercept=wrong)
    fitted = population().fit(X, Y)
    refused(ValueError, MANY, fitted.test_error, [1, 2], [1, 2, 3], fit_intercept=True)


def test_populations():
    refused(
        TypeError, "path=3 must be a RidgeFactorization", LeaveOneOutPopulation().fit, X, Y, path=3
    )
    fitted = LeaveOneOutPopulation().fit(X, Y)
    for wrong in (0, 2, "a", None):
        refused(
            ValueError,
            f"level={wrong!r} must lie between 0 and 1",
            *(fitted.interval, 10, 1.0),
            level=wrong,
            fit_intercept=True,
        )
    refused(TypeError, "Omega must be real numbers", ExactPopulation("a", ONES, 1.0).fit)
    refused(TypeError, "psi must be real numbers", ExactPopulation(EYE, ["a"] * 5, 1.0).fit)
    refused(TypeError, "rho must be real numbers", ExactPopulation(EYE, ONES, "a").fit)
    refused(ValueError, "belong to no population", ExactPopulation(EYE, ONES, 0.1).fit)


def test_theory():
    refused(TypeError, "eigenvalues must be real numbers; got 'a'", solve_kappa, "a", 10, 1.0)
    refused(TypeError, "eigenvalues must be real numbers", solve_kappa, [1 + 0j], 10, 1.0)
    refused(ValueError, MANY, solve_kappa, [1.0], [1, 2], [1, 2, 3])
    refused(TypeError, "target_coefs must be real", ridge_risk, [1.0], ["a"], 1.0, 10, 1.0)
    refused(
        TypeError,
        "fit_intercept='a' must be True or False",
        *(ridge_risk, [1.0], [0.5], 1.0, 10, 1.0),
        fit_intercept="a",
    )
    refused(TypeError, "features must be real numbers", ridge_factorization, LETTERS[:, None], Y)
    refused(ValueError, "must be finite", ridge_factorization, X * np.nan, Y)
    refused(ValueError, "at least one row", ridge_factorization, X[:0], Y[:0])
    refused(TypeError, "exact_at must be real numbers", ridge_factorization, X, Y, exact_at="a")
    for function in (gcv_curve, leave_one_out_curve):
        refused(TypeError, "factorization must be a RidgeFactorization", function, X)
        for wrong in (-1, "a", 10.5):
            refused(ValueError, f"n_grid={wrong!r} must be an int", function, PATH, n_grid=wrong)
    refused(
        TypeError, "factorization must be a RidgeFactorization", leave_one_out_residuals, X, 1.0
    )
    refused(ValueError, "ridge must be finite and not", leave_one_out_residuals, PATH, -1.0)
    refused(TypeError, "curve must be a KappaCurve", curve_risk, X, 1, 1, fit_intercept=True)
    refused(ValueError, MANY, curve_risk, CURVE, [1, 2], [1, 2, 3], fit_intercept=True)
    refused(TypeError, "factorization must be a RidgeFactorization", calibrate, X, CURVE)
    refused(ValueError, "size='a' must lie between", calibrate, PATH, CURVE, sizes=["a"])
    refused(TypeError, "factorization must be a RidgeFactorization", subset_errors, X, 10, [1.0], 2)


def test_activations_of_the_theory():
    told = "activation='relu' must be an activation object or a function of an array"
    refused(TypeError, told, activation_moments, "relu", 0.0, 1.0)
    refused(TypeError, told, hermite_coefficients, "relu", 2, 0.0, 1.0)
    refused(TypeError, "std must be real numbers", activation_moments, relu, 0.0, "a")
    pair = (relu, 0.0, 1.0, "tanh", 0.0, 1.0, 0.5)
    refused(TypeError, "other='tanh' must be", bivariate_covariance, *pair)
    weights = [np.ones((4, 3))]
    refused(TypeError, "input_covariance must be real", rainbow_covariances, weights, "relu", "a")


def test_model_selection():
    arguments = {"train_sizes": [20], "alphas": [1.0]}
    refused(
        ValueError, "requires y to be passed", ridge_learning_curve, RIDGE, X, None, **arguments
    )
    for wrong in ("a", None):
        refused(
            TypeError,
            "verbose must be",
            ridge_learning_curve,
            RIDGE,
            X,
            Y,
            verbose=wrong,
            **arguments,
        )
    refused(ValueError, "sizes='a' must be four positive shares", four_way_split, X, sizes="a")
    refused(TypeError, "one of them is None", four_way_split, X, None)


def test_names_are_resolved_by_the_conformance_suites():
    check_feature_map("random")
    check_population("gcv")
    refused(ValueError, "not a known name among the populations", check_population, "loo")


def test_displays_and_report(tmp_path):
    plt = pytest.importorskip("matplotlib.pyplot", reason="displays need matplotlib")
    refused(TypeError, "ax='a' must be", RidgeLearningCurveDisplay.from_fitted, RIDGE, ax="a")
    refused(ValueError, "alphas=[] must", RidgeLearningCurveDisplay.from_fitted, RIDGE, alphas=[])
    refused(TypeError, "must be a fitted", CalibrationCheckDisplay.from_fitted, X)
    refused(TypeError, "what calibration_check", CalibrationCheckDisplay.from_result, 3)
    refused(TypeError, "what predict_decomp", ErrorDecompositionDisplay.from_predictions, [1], 3)
    few = DeterministicEquivalentRidge().fit(X[:5], Y[:5])
    refused(ValueError, "too few rows", CalibrationCheckDisplay.from_fitted, few)
    pipeline = make_pipeline(DeterministicEquivalentRidge()).fit(X, Y)
    assert CalibrationCheckDisplay.from_fitted(pipeline).errorbars_
    refused(TypeError, "path=None must name a file", write_report, RIDGE, None)
    refused(TypeError, "title=3 must be", write_report, RIDGE, tmp_path / "r.html", title=3)
    plt.close("all")
