"""Wrong input, as a new user gives it: the message names the argument, the value and the remedy."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from sk_deepfeat import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
    RandomDeepFeatures,
    TwoStageRegressor,
)
from sk_deepfeat.activations import relu, tanh
from sk_deepfeat.compose import fit_in_blocks
from sk_deepfeat.datasets import (
    GaussianClasses,
    load_mnist_parity,
    make_gaussian_classes,
    make_rainbow_regression,
)
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
from sk_deepfeat.progress import showing
from sk_deepfeat.report import write_report
from sk_deepfeat.testing import check_feature_map, check_population
from sk_deepfeat.theory import (
    GramAccumulator,
    RowClasses,
    activation_moments,
    alpha_from_kappa,
    bivariate_covariance,
    calibrate,
    curve_risk,
    factorize_sums,
    gcv_curve,
    hermite_coefficients,
    leave_one_out_curve,
    leave_one_out_residuals,
    optimal_alpha,
    optimal_slope,
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


NO_FLAG = np.array([1, 2], dtype=object)
RAGGED = [[1], [1, 2]]
SPARSE = sparse.csr_array(np.eye(60)[:, :5])
NETWORK = RandomDeepFeatures((3,), random_state=0).draw(4)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("fit_intercept", lambda flag: curve_risk(CURVE, 1e9, [0.1, 1.0], fit_intercept=flag)),
        ("fit_intercept", lambda flag: optimal_alpha(ONES, ONES, 9.0, 10, fit_intercept=flag)),
        (
            "fit_intercept",
            lambda flag: factorize_sums(GramAccumulator().add(X, Y), fit_intercept=flag),
        ),
        ("balanced", lambda flag: RowClasses([0, 1], 2, balanced=flag)),
        ("finite_width", lambda flag: rainbow_covariances([EYE], "relu", EYE, finite_width=flag)),
        (
            "return_inputs",
            lambda flag: make_rainbow_regression(5, NETWORK, NETWORK, return_inputs=flag),
        ),
        ("download", lambda flag: load_mnist_parity(data_home="nowhere", download=flag)),
        ("return_X_y", lambda flag: load_mnist_parity(data_home="nowhere", return_X_y=flag)),
        (
            "keep_fitted",
            lambda flag: fit_in_blocks(
                make_pipeline(FEATURES, DeterministicEquivalentRidge()), X, Y, keep_fitted=flag
            ),
        ),
        ("verbose", showing),
    ],
)
def test_flags(name, function):
    refused(TypeError, f"{name}={NO_FLAG!r} must be True or False", function, NO_FLAG)


def blocks(values, y, **given):
    return fit_in_blocks(make_pipeline(DeterministicEquivalentRidge()), values, y, **given)


@pytest.mark.parametrize(
    ("error", "message", "function"),
    [
        (TypeError, "y is sparse", lambda: blocks(X, SPARSE)),
        (TypeError, "X is sparse", lambda: blocks(SPARSE, Y)),
        (ValueError, "sample_weight has rows of", lambda: blocks(X, Y, sample_weight=RAGGED)),
        (TypeError, "X=<built-in function len> must be a function", lambda: blocks(len, None)),
        (ValueError, "y must hold one", lambda: DeterministicEquivalentRidge().fit(X, RAGGED)),
        (
            ValueError,
            "alpha=[[1], [1, 2]] must be a number",
            lambda: DeterministicEquivalentRidge(RAGGED).fit(X, Y),
        ),
        (
            ValueError,
            "target_error=[[1], [1",
            lambda: PlugInPopulation().fit(X, Y).required_samples(RAGGED),
        ),
        (TypeError, "features must be real", lambda: ridge_factorization(RAGGED, Y)),
        (
            TypeError,
            "rows_elsewhere=3 must be a function",
            lambda: ridge_factorization(X, Y, rows_elsewhere=3),
        ),
        (
            ValueError,
            "sample_weight must be finite",
            lambda: ridge_factorization(X, Y, np.full(60, 1e308)),
        ),
        (ValueError, "ridge must be one number", lambda: leave_one_out_residuals(PATH, [1.0, 2.0])),
        (TypeError, "n_samples must be numeric", lambda: ridge_risk(ONES, ONES, 9.0, RAGGED, 1.0)),
        (
            ValueError,
            "n_samples of shape (0,) and kappa of shape (2,) do not",
            lambda: alpha_from_kappa(ONES, [], [0.1, 1.0]),
        ),
        (
            ValueError,
            "covariance of (3,) do not broadcast",
            lambda: bivariate_covariance(relu, [0.0, 1.0], 1.0, tanh, 0.0, 1.0, [0.0, 0.1, 0.2]),
        ),
        (
            ValueError,
            "target_coefs explain more",
            lambda: optimal_slope(np.full(3, 1e-9), [0.5, 0.1, 0.0], 5e-324, 17),
        ),
        (TypeError, "must be an activation", lambda: activation_moments(object, 0.0, 1.0)),
        (
            TypeError,
            "biases=3 must be a list",
            lambda: rainbow_covariances([EYE], "relu", EYE, biases=3),
        ),
        (
            ValueError,
            "must be one of 'per-unit'",
            lambda: rainbow_covariances([EYE], "relu", EYE, method=np.zeros(2)),
        ),
        (
            ValueError,
            "labels must be 2 different ones",
            lambda: GaussianClasses([[0.0], [3.0]], labels=RAGGED),
        ),
        (
            ValueError,
            "labels must be 2 different ones",
            lambda: GaussianClasses([[0.0], [3.0]], labels=np.array([[1], [1, 2]], dtype=object)),
        ),
        (
            ValueError,
            "is more than an array can hold",
            lambda: make_gaussian_classes(n_classes=10**400),
        ),
        (
            ValueError,
            "input_covariance of shape (5,) is not of the 4 inputs of learner",
            lambda: make_rainbow_regression(5, NETWORK, NETWORK, input_covariance=ONES),
        ),
        (
            TypeError,
            "readout must be real numbers",
            lambda: make_rainbow_regression(5, NETWORK, NETWORK, readout=np.ones(3) * 1j),
        ),
    ],
)
def test_found_by_fuzzing(error, message, function):
    refused(error, message, function)


@pytest.mark.parametrize("weight", [1e308, np.inf, 1j, 10**400])
def test_one_weight_for_all(weight):
    classes = (Y > 0).astype(int)
    for call in (
        lambda: DeterministicEquivalentRidge().fit(X, Y, sample_weight=weight),
        lambda: DeterministicEquivalentRidge().partial_fit(X, Y, sample_weight=weight),
        lambda: DeterministicEquivalentRidgeClassifier().fit(X, classes, sample_weight=weight),
    ):
        with pytest.raises((TypeError, ValueError), match="sample_weight"):
            call()


def test_words_of_displays():
    pytest.importorskip("matplotlib", reason="displays need matplotlib")
    curve, parts = RidgeLearningCurveDisplay, ErrorDecompositionDisplay
    for wrong in (np.zeros(2), {"a": 1}):
        refused(ValueError, "over=", parts.from_fitted, RIDGE, over=wrong)
        refused(ValueError, "outputs=", curve.from_fitted, RIDGE, outputs=wrong)
        refused(ValueError, "metric=", CalibrationCheckDisplay.from_fitted, RIDGE, metric=wrong)
        refused(ValueError, "metric=", curve.from_estimator, Ridge(), X, Y, metric=wrong)
    refused(TypeError, "must be a number, 'optimal'", curve.from_fitted, RIDGE, alphas=SPARSE)
    series = type("Series", (), {"plot": None})()  # as of pandas, which draws, but is no axes
    refused(TypeError, "must be matplotlib Axes", curve.from_fitted, RIDGE, ax=series)
