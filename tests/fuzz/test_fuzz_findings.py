"""What fuzzing has found, each once: a refusal that names the argument, or the right number."""

import gzip
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import Ridge

from sk_deepfeat import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
    RandomDeepFeatures,
    TwoStageRegressor,
    plugins,
    theory,
)
from sk_deepfeat.__main__ import main
from sk_deepfeat.activations import relu, sign
from sk_deepfeat.datasets import make_gaussian_classes, make_teacher_student
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.model_selection import (
    CalibrationCheckDisplay,
    ErrorDecompositionDisplay,
    ErrorSurfaceDisplay,
    RidgeLearningCurveDisplay,
    TrainingDynamicsDisplay,
    block_groups,
    ridge_learning_curve,
)
from sk_deepfeat.populations import (
    ExactPopulation,
    GCVPopulation,
    LeaveOneOutPopulation,
    PlugInPopulation,
)
from sk_deepfeat.report import write_report
from sk_deepfeat.theory.one_sample.blocks import block_length

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4))
Y = X[:, 0] + 0.3 * rng.normal(size=60)
HUGE = 10**400
PATH = theory.ridge_factorization(X, Y)
GROUPED = theory.ridge_factorization(X, Y, groups=np.arange(60) // 3)
CURVE = theory.gcv_curve(PATH)
GCV = GCVPopulation().fit(X, Y)
PLUG_IN = PlugInPopulation().fit(X, Y)
RIDGE = DeterministicEquivalentRidge().fit(X, Y)
FRAME = np.eye(3)


def parabola(alpha):
    return np.square(np.log(alpha))


def minimize(*ends, **options):
    return theory.minimize_on_log_scale(parabola, *ends, **options)


def sufficient(target=0.1, **options):
    return theory.smallest_sufficient(lambda n: 1 / n, target, **{"monotone": True} | options)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: theory.solve_kappa([HUGE], 10, 1.0), "eigenvalues must be real"),
        (lambda: theory.resolvent_equivalent("a", 10, 1.0), "second_moment must be real"),
        (
            lambda: theory.expected_quadratic_form(FRAME, ["a"] * 3, 1.0, FRAME, 10, 1.0),
            "moment must be real",
        ),
        (
            lambda: theory.expected_quadratic_form(FRAME, np.zeros(3), [1, 2], FRAME, 10, 1.0),
            r"target_second_moment=\[1, 2\] must be one",
        ),
        (lambda: minimize("a", 1.0), "low must be real"),
        (lambda: minimize(1.0, [2.0, 3.0]), "high=.* must be one finite number"),
        (lambda: minimize(1.0, np.inf), "high=inf must be one finite number above 0"),
        (lambda: minimize(2.0, 1.0), "low=2.0 must not be above high=1.0"),
        (lambda: minimize(1.0, 2.0, zooms=None), "zooms=None must be at least 0"),
        (lambda: theory.minimize_on_log_scale(3, 1.0, 2.0), "function=3 must be a function"),
        (lambda: sufficient("a"), "target must be real"),
        (lambda: sufficient(largest=-1), "smallest=1.0 must not be above largest=-1.0"),
        (lambda: sufficient(monotone=2), "monotone=2 must be True or False"),
        (lambda: theory.calibrate(PATH, 3), "curve must be a KappaCurve"),
        (lambda: theory.calibrate(PATH, CURVE, seed=-1), "seed=-1 must be at least 0"),
        (lambda: theory.calibrate(PATH, CURVE, fine=[]), r"fine=\[\] must be True or False"),
        (lambda: theory.calibrate(PATH, CURVE, sizes=True), "size=True must lie between"),
        (lambda: theory.subset_errors(PATH, 10, [1.0], 2.5), "n_subsets=2.5 must be at least 2"),
        (lambda: theory.subset_errors(PATH, 10, [1.0], 2, seed=None), "seed=None must be"),
        (lambda: theory.leave_group_out_residuals(GROUPED, [1.0]), r"ridge=\[1.0\] must be one"),
        (lambda: theory.leave_one_out_curves(PATH, n_blocks=2.5), "n_blocks=2.5 must be at least"),
        (lambda: theory.unfactorized_rows(X, Y, n_sampled=[10]), r"n_sampled=\[10\] must be"),
        (lambda: theory.factorize_sums(1.5), "sums must be a GramAccumulator; got float"),
        (lambda: theory.GramAccumulator(n_expected={}), "n_expected={} must be a whole number"),
        (lambda: theory.GramAccumulator().add("", Y), "X must be real numbers; got ''"),
        (
            lambda: theory.factorize_sums(theory.GramAccumulator(reservoir_size=0).add(X, Y)),
            "reservoir_size=0 has kept none of 60 rows",
        ),
        (lambda: LeaveOneOutPopulation(calibrate=FRAME).fit(X, Y), "calibrate=array"),
        (lambda: theory.RowClasses("", 2), "labels='' must be one integer for each row"),
        (lambda: theory.RowClasses([0, 1], np.inf), "n_classes=inf must be at least 2"),
        (lambda: theory.RowClasses([0, 1], 2, [1.0]), "weights must be one for each row"),
        (
            lambda: theory.activation_moments(relu, np.zeros(2), np.ones(3)),
            r"mean of shape \(2,\) and std of shape \(3,\) do not broadcast",
        ),
        (
            lambda: theory.rainbow_covariances([["a"]], "relu", np.ones(1)),
            r"weights\[0\] must be real",
        ),
        (
            lambda: theory.rainbow_covariances([FRAME], "relu", FRAME, input_mean=["a"] * 3),
            "input_mean must be real",
        ),
        (
            lambda: theory.rainbow_covariances([FRAME], "relu", FRAME, biases=["a"]),
            r"biases\[0\] must be real",
        ),
        (
            lambda: ExactPopulation(FRAME, FRAME[0], 1.0, feature_mean="a").fit().kappa(9, 1.0),
            "feature_mean",
        ),
        (
            lambda: theory.annealed_cross_constants(
                [FRAME], [FRAME], 1.0, ["tanh"], ["tanh"], FRAME
            ),
            "cross_weight_covariances must be a list of one array for each layer; got float",
        ),
        (
            lambda: theory.annealed_cross_constants(
                [FRAME], [FRAME], ["a"], ["tanh"], ["tanh"], FRAME
            ),
            r"cross_weight_covariances\[0\] must be real",
        ),
        (
            lambda: RIDGE.predict_test_error(return_interval=FRAME),
            "return_interval=array",
        ),
        (lambda: ExactPopulation(FRAME, [np.inf, 0, 0], 1.0).fit(), "psi and rho must be finite"),
        (
            lambda: ExactPopulation(FRAME, FRAME[0], 2.0, target_mean=np.nan).fit().kappa(9, 1.0),
            "target_mean must be finite",
        ),
        (lambda: GCV.kappa(10, 1.0, fit_intercept=FRAME), "fit_intercept=array"),
        (lambda: PLUG_IN.kappa(10, 1.0, fit_intercept=[]), r"fit_intercept=\[\] must be True"),
        (lambda: plugins.available([]), r"kind=\[\] is not a kind of plugin"),
        (lambda: plugins.missing_members("a", relu), "kind='a' is not a kind of plugin"),
        (lambda: plugins.require_members(X, relu), "is not a kind of plugin; known kinds"),
        (lambda: plugins.require_same_data(GCV, X, (), True), "n_features of type ndarray must be"),
        (lambda: plugins.require_same_data(GCV, 4, 1, True), "output_shape=1 must be a tuple"),
        (lambda: plugins.require_same_data(3, 4, (), True), "3 cannot be used among the popul"),
        (lambda: block_groups("", 2), "n_rows='' must be at least 1"),
        (lambda: make_teacher_student(9, 3, input_covariance=np.ones(4)), "not of n_features=3"),
        (lambda: make_teacher_student(9, 3, input_covariance="a"), "input_covariance must be real"),
        (
            lambda: DeterministicEquivalentRidge().fit(X, Y + 1j),
            "(y must hold numbers|Complex data not supported)",
        ),
        (
            lambda: DeterministicEquivalentRidge(reservoir_size=FRAME).fit(X, Y),
            "reservoir_size=array",
        ),
        (lambda: DeterministicEquivalentRidge(HUGE).fit(X, Y), "alpha=1000.* must be finite"),
        (lambda: RIDGE.required_samples(HUGE), "target_error=1000.* must be a finite number"),
        (lambda: RIDGE.predict_test_error(level=HUGE), "level=1000.* must lie between 0 and 1"),
        (lambda: make_gaussian_classes(9, class_sep=HUGE), "class_sep=1000"),
        (lambda: RidgeLearningCurveDisplay.from_result(HUGE), "curve must be what ridge_learning"),
        (lambda: DeterministicEquivalentRidge().partial_fit([["a"]], [1.0]), "Block 0: X or y: "),
    ],
)
def test_refusals_name_the_argument(call, named):
    with pytest.raises((ValueError, TypeError), match=named):
        call()


def test_targets_of_a_report_that_are_none():
    pytest.importorskip("matplotlib", reason="reports need matplotlib")
    with pytest.raises(ValueError, match="y must hold the targets"):
        write_report(RIDGE, "page.html", y=np.zeros((3, 0)))


def test_sparse_targets_of_two_stages():
    sparse = pytest.importorskip("scipy.sparse")
    model = TwoStageRegressor(RandomDeepFeatures((3,)), Ridge(), random_state=0)
    with pytest.raises(TypeError, match="y must be an array of targets; it is a sparse matrix"):
        model.fit(X, sparse.csr_array(Y[:, None]))


def test_features_of_categories():
    """scikit-learn's validation lets a frame with categories pass; its values are no numbers."""
    pd = pytest.importorskip("pandas", reason="about data frames")
    frame = pd.DataFrame({"a": pd.Categorical(["u", "v"] * 30), "b": Y})
    with pytest.raises(TypeError, match="X must be real numbers"):
        RandomDeepFeatures((3,)).fit(frame)


@pytest.mark.parametrize("display", [CalibrationCheckDisplay, TrainingDynamicsDisplay])
@pytest.mark.parametrize("metric", ["rmse", None, ["mse"]])
def test_metrics_of_displays(display, metric):
    plt = pytest.importorskip("matplotlib.pyplot", reason="displays need matplotlib")
    ridge = DeterministicEquivalentRidge().fit(X, Y)
    with pytest.raises(ValueError, match=r"metric=.* must be one of 'mse', 'error_rate'"):
        if display is CalibrationCheckDisplay:
            display.from_result(ridge.calibration_check(), metric=metric)
        else:
            display.from_predictions([0, 1], [10], np.ones((2, 1)), metric=metric)
    plt.close("all")


def test_numbers_of_displays():
    plt = pytest.importorskip("matplotlib.pyplot", reason="displays need matplotlib")
    found = PLUG_IN.decomposition([10, 20], 1.0)
    draw = ErrorDecompositionDisplay.from_predictions
    with pytest.raises(ValueError, match=r"n_fitted=.* must be one finite number above 0"):
        draw([10, 20], found, n_fitted=[1.0, 2.0])
    with pytest.raises(TypeError, match="n_samples must be real numbers"):
        draw(np.array([10, 20], dtype=complex), found)
    with pytest.raises(TypeError, match="test_error must be real numbers"):
        ErrorSurfaceDisplay.from_predictions([10, 20], [0.1, 1.0], [["a"]])
    plt.close("all")


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 1.0, "optimal"])
@pytest.mark.filterwarnings("ignore::sk_deepfeat.exceptions.PopulationWarning")
def test_the_plug_in_of_features_that_are_zero(alpha, fit_intercept):
    """The prediction is the mean of n targets, or zero."""
    ridge = DeterministicEquivalentRidge(
        alpha, population="plug-in", fit_intercept=fit_intercept
    ).fit(np.zeros((60, 3)), Y)
    sizes = np.array([5, 50])
    wanted = Y.var() * (1 + 1 / sizes) if fit_intercept else np.full(2, np.mean(Y**2))
    np.testing.assert_allclose(ridge.predict_test_error(sizes), wanted)
    np.testing.assert_array_equal(ridge.degrees_of_freedom(1.0), (0.0, 0.0))


def test_the_slope_of_the_best_error_at_many_rows():
    """df1 and df2 are then equal to rounding; no warning, and no positive slope."""
    slope = theory.optimal_slope(np.ones(3), [0.5, 0.1, 0.0], 1.0, [100.0, 1e9])
    assert np.all(slope <= 0) and slope[0] < slope[1]
    unexplained = theory.optimal_slope([1.0, 0.0], [0.0, 0.0], 1.0, 1)
    assert unexplained == 0.0


def test_a_packed_table_that_is_damaged(tmp_path, capsys):
    pytest.importorskip("pyarrow", reason="tables need pyarrow")
    whole = gzip.compress(b"a,b\n" + b"1,2\n" * 500, mtime=0)
    (tmp_path / "data.csv.gz").write_bytes(whole[:20] + whole[10:])
    assert main(["curve", str(tmp_path / "data.csv.gz"), "--target", "a"]) == 2
    assert "data.csv.gz cannot be read: " in capsys.readouterr().err


def test_a_member_that_is_no_array(tmp_path, capsys):
    np.savez(tmp_path / "data.npz", y=Y)
    import zipfile

    with zipfile.ZipFile(tmp_path / "data.npz", "a") as archive:
        archive.writestr("X", b"bytes")
    assert main(["curve", str(tmp_path / "data.npz")]) == 2
    assert "there is no X" in capsys.readouterr().err


def test_no_cells_of_outputs_at_alphas_of_their_own():
    ridge = DeterministicEquivalentRidge("optimal", alpha_per_target=True).fit(X, np.c_[Y, -Y])
    found = ridge.predict_test_error([], return_interval=True, multioutput="raw_values")
    assert [each.shape for each in found] == [(0, 2)] * 3
    assert ridge.reachable(np.empty((3, 0))).shape == (3, 0, 2)
    assert ridge.predict_test_error([]).shape == (0,)


def test_a_picture_about_an_alpha_beyond_what_is_drawn():
    """matplotlib's logarithmic axes end a few decades below the largest float."""
    pytest.importorskip("matplotlib.pyplot", reason="displays need matplotlib")
    ridge = DeterministicEquivalentRidge().fit(X, Y)
    ridge.alpha_ = 1e300
    display = ErrorSurfaceDisplay.from_fitted(ridge)
    display.figure_.canvas.draw()
    assert display.alphas[-1] < 1e203


def test_nearly_as_many_labels_as_rows(tmp_path, capsys):
    """A number that is taken for classes: more than a minute of the processor for 60 rows."""
    pytest.importorskip("pyarrow", reason="tables need pyarrow")
    rows = "".join(f"{k},{k % 7}\n" for k in range(60))
    (tmp_path / "data.csv").write_text("a,b\n" + rows)
    words = ["report", str(tmp_path / "data.csv"), "--target", "a", "--task", "classification"]
    assert main(words) == 2
    assert "a holds 60 different labels in 60 rows, too many" in capsys.readouterr().err


@pytest.mark.parametrize("mean", [0.0, 1e90, -1e100])
@pytest.mark.parametrize("std", [0.0, 1e-300, 1.0])
def test_moments_of_a_step_far_from_it(mean, std):
    side = np.sign(mean)
    found = theory.hermite_coefficients(sign, 2, mean, std)
    np.testing.assert_allclose(found, [side, np.sqrt(2 / np.pi) * (side == 0), 0.0])
    with pytest.raises(ValueError, match="mean must be at most 1e"):
        theory.hermite_coefficients(sign, 2, 1e308, std)


def test_more_units_than_an_array_has():
    features = RandomDeepFeatures(np.array([10**400], dtype=object))
    with pytest.raises(ValueError, match="holds a number above 1,000,000,000"):
        features.fit(X)


def test_a_stretch_of_nearly_all_the_weight():
    """Without it there is no fit, and its rows tell nothing about their dependence."""
    weights = np.ones(60)
    weights[7] = 1e17
    found = block_length(theory.ridge_factorization(X, Y, sample_weight=weights))
    assert 1 <= found <= 30


def test_alphas_of_a_picture_are_named():
    pytest.importorskip("matplotlib", reason="displays need matplotlib")
    ridge = DeterministicEquivalentRidge().fit(X, Y)
    for wrong in (["a"], [1.0, "a"]):
        with pytest.raises(ValueError, match=r"alphas=.*: alpha=.* must be"):
            RidgeLearningCurveDisplay.from_fitted(ridge, alphas=wrong)


def test_labels_of_groups_are_of_one_kind():
    labels = np.array([0, "a"], dtype=object)
    with pytest.raises(TypeError, match="labels must be of one kind"):
        theory.RowGroups(labels)


def test_the_size_of_a_fit_as_text():
    pytest.importorskip("matplotlib", reason="displays need matplotlib")
    found = RIDGE.predict_decomposition([5.0, 100.0], 1.0)
    draw = ErrorDecompositionDisplay.from_predictions
    display = draw([5.0, 100.0], decomposition=found, n_fitted=np.array("15.0"))
    assert "the fit: n = 15" in [text.get_text() for text in display.ax_.texts]
    with pytest.raises(ValueError, match="n_fitted"):
        draw([5.0, 100.0], decomposition=found, n_fitted=[15.0, 16.0])


def test_a_report_on_infinite_targets(tmp_path):
    pytest.importorskip("matplotlib", reason="reports need matplotlib")
    with pytest.raises(ValueError, match="y must hold the targets of the rows; some are NaN or"):
        write_report(RIDGE, tmp_path / "page.html", y=np.inf)


def test_values_of_two_lines_are_told_on_one(tmp_path, capsys):
    pytest.importorskip("pyarrow", reason="tables need pyarrow")
    rows = "".join(f'{k % 11},{k % 7},"u\nv"\n' for k in range(60))
    (tmp_path / "data.csv").write_text("a,b,c\n" + rows)
    words = ["curve", str(tmp_path / "data.csv"), "--target", "a", "--repeats", "1"]
    assert main([*words, "--output", str(tmp_path)]) == 0
    assert "c: left out: always u v\n" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [np.inf, np.nan, HUGE, True])
def test_a_share_of_the_rows_that_is_none(wrong):
    features = RandomDeepFeatures((6,))
    model = TwoStageRegressor(features, Ridge(), feature_size=wrong, random_state=0)
    with pytest.raises((TypeError, ValueError), match=r"feature_size=.* must (be a float|leave)"):
        model.fit(X, Y)


def test_subsets_beside_a_row_of_nearly_all_the_weight():
    weights = np.where(np.arange(60) == 0, 1e12, 1.0)
    model = DeterministicEquivalentRidge(block_length=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        check = model.fit(np.c_[X, X], Y, sample_weight=weights).calibration_check()
    assert np.all(np.isnan(check.measured) | (check.measured >= 0))


def test_a_search_from_below_one_sample():
    assert theory.smallest_sufficient(np.reciprocal, 2.0, monotone=False, smallest=1e-14) == 1.0


@pytest.mark.parametrize("wrong", [3, object])
def test_rows_elsewhere_is_a_function(wrong):
    with pytest.raises(TypeError, match=r"rows_elsewhere=.* must be a function, or None"):
        theory.unfactorized_rows(X, Y, rows_elsewhere=wrong)


def test_weights_so_small_that_alpha_is_beyond_any_ridge():
    small = DeterministicEquivalentRidge(population="gcv").fit(X, Y, sample_weight=5e-324)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        limit = RIDGE.predict_test_error(60, 1e300)
    np.testing.assert_allclose(small.predict_test_error(60, 1e-12), limit, rtol=0.1)
    assert np.all(np.abs(small.coef_) < 1e-290)


def test_widths_of_layers_on_paper():
    with pytest.raises(ValueError, match="hidden_layer_sizes must be at most 1,000,000,000"):
        theory.annealed_spectrum(None, "relu", np.eye(4), hidden_layer_sizes=[HUGE])


@pytest.mark.parametrize(
    "model", [DeterministicEquivalentRidge, DeterministicEquivalentRidgeClassifier]
)
def test_a_row_whose_leverage_is_gone_beside_nearly_all_the_weight(model):
    """No q has more degrees of freedom than there are rows of any leverage left."""
    twice = np.repeat(rng.normal(size=(2, 4)), 2, axis=0)
    y, weights = np.arange(4), [1e12, 1.0, 1.0, 1.0]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", PopulationWarning)
        warnings.filterwarnings("ignore", message="The number of unique classes")
        fitted = model().fit(twice, y, sample_weight=weights)
        error, lower, upper = fitted.predict_test_error([2, 4, 100], return_interval=True)
    known = np.isfinite(error)
    assert np.all((lower <= error)[known] & (error <= upper)[known])


@pytest.mark.parametrize("largest", [1.0, 1e12])
def test_errors_of_many_outputs_that_nearly_all_lie_in_one_block(largest):
    """What rounding leaves of the others' sums says nothing of their spread in a class."""
    weights = np.random.default_rng(20659).uniform(0.5, 2.0, size=40)
    weights[0] = largest
    huge = np.random.default_rng(20658).normal(size=(40, 2)) + 1e9
    model = DeterministicEquivalentRidgeClassifier(fit_intercept=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", PopulationWarning)
        warnings.filterwarnings("ignore", message="The number of unique classes")
        groups = np.random.default_rng(20659).integers(0, 10, size=40)
        model.fit(huge, np.arange(40), groups=groups, sample_weight=weights)
        error = model.predict_test_error([10, 40, 10**6])
    assert not np.any(error < 0.0)


@pytest.mark.parametrize("command", ["report", "curve"])
@pytest.mark.parametrize("name, shape", [("X", (60, 0)), ("X", (60, 3, 0)), ("y", (60, 0))])
def test_arrays_of_no_column(command, name, shape, tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="pictures need matplotlib")
    np.savez(tmp_path / "data.npz", **{"X": X, "y": Y} | {name: np.zeros(shape)})
    words = [command, str(tmp_path / "data.npz"), "--output", str(tmp_path / "page.html")]
    assert main(words) == 2
    assert f"{name} of shape {shape} has no" in capsys.readouterr().err


def test_a_number_that_no_float_holds_for_a_power_law():
    model = RandomDeepFeatures((6,), weight_covariance=HUGE, random_state=0)
    with pytest.raises((TypeError, ValueError), match="weight_covariance of layer 0"):
        model.fit(X)


def test_searches_take_values_in_a_list():
    assert theory.minimize_on_log_scale(list, 1.0, 2.0).argument == 1.0
    assert theory.smallest_sufficient(list, 1.0, monotone=True) == 1.0


@pytest.mark.parametrize("wrong, kind", [(len, ValueError), (str, TypeError)])
def test_searches_for_functions_without_a_value_for_each_number(wrong, kind):
    with pytest.raises(kind, match="function"):
        theory.minimize_on_log_scale(wrong, 1.0, 2.0)
    with pytest.raises(kind, match="error"):
        theory.smallest_sufficient(wrong, 1.0, monotone=True)


DURATION = np.timedelta64(3, "D")
UNEVEN = [[1], [1, 2]]


class NoArray:
    def __array__(self, *_, **__):
        raise ValueError("no array")


@pytest.mark.parametrize(
    "call, names",
    [
        (lambda: block_groups(10, DURATION), "block_length"),
        (lambda: theory.RowGroups(UNEVEN), "labels"),
        (lambda: theory.RowClasses(UNEVEN, 2), "labels"),
        (lambda: theory.ridge_factorization(X, Y, groups=UNEVEN), "groups"),
        (lambda: theory.GramAccumulator(n_expected=HUGE), "n_expected"),
        (lambda: theory.leave_one_out_curve(PATH, n_grid=HUGE), "n_grid"),
        (lambda: LeaveOneOutPopulation(n_grid=DURATION).fit(X, Y), "n_grid"),
        (lambda: theory.leave_one_out_curves(PATH, n_blocks=1), "n_blocks"),
        (lambda: theory.calibrate(PATH, CURVE, sizes=NoArray()), "sizes"),
        (lambda: theory.calibrate(PATH, CURVE, sizes=sparse.csr_array(np.eye(3))), "size"),
        (lambda: theory.resolvent_equivalent(np.eye(3), 2, 5e-324), "alpha"),
        (lambda: theory.annealed_spectrum(None, "relu", np.eye(4), n_units=HUGE), "n_units"),
        (
            lambda: theory.annealed_constants(
                None, "relu", np.eye(4), hidden_layer_sizes=NoArray()
            ),
            "hidden_layer_sizes",
        ),
        (lambda: theory.rainbow_covariances([np.ones((3, 4))], len, np.eye(4)), "activation"),
        (
            lambda: (
                ExactPopulation(np.eye(3), np.ones(3) / 3, 1.0, target_mean=1.5)
                .fit()
                .test_error(5, 1.0)
            ),
            "rho",
        ),
        (lambda: RandomDeepFeatures((6,), bias_scale=1e308).fit(X), "bias_scale"),
        (lambda: RandomDeepFeatures((6,), bias_scale=HUGE).fit(X), "bias_scale"),
        (lambda: RandomDeepFeatures(DURATION).fit(X), "hidden_layer_sizes"),
        (lambda: RandomDeepFeatures((6,), weight_covariance=object).fit(X), "weight_covariance"),
        (lambda: RIDGE.predict_test_error(10, return_interval=True, level=DURATION), "level"),
        (lambda: RIDGE.calibration_check(sizes=[None, 1]), "sizes"),
        (lambda: make_teacher_student(10, noise=1e308), "noise"),
        (lambda: ridge_learning_curve(RIDGE, X, Y, train_sizes=UNEVEN), "train_sizes"),
        (lambda: ridge_learning_curve(RIDGE, X, Y, train_sizes=-np.inf), "train_sizes"),
        (lambda: ridge_learning_curve(RIDGE, X, Y, train_sizes=1e308), "train_sizes"),
        (lambda: ridge_learning_curve(RIDGE, X, Y, test_size=HUGE), "test_size"),
        (lambda: ridge_learning_curve(RIDGE, X, Y, alphas=UNEVEN), "alphas"),
        (lambda: ridge_learning_curve(RIDGE, X, Y, n_repeats=HUGE), "n_repeats"),
        (lambda: ridge_learning_curve(RIDGE, X, Y, n_jobs=()), "n_jobs"),
    ],
)
def test_arguments_that_no_one_means_are_named(call, names):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        with pytest.raises((TypeError, ValueError), match=names):
            call()


@pytest.mark.parametrize("drawn", [RidgeLearningCurveDisplay, ErrorSurfaceDisplay])
@pytest.mark.parametrize("alphas", [[1.0, 1e308], np.ma.masked_equal([1.0, 2.0], 2.0), NoArray()])
def test_pictures_name_the_alphas(drawn, alphas):
    pytest.importorskip("matplotlib", reason="displays need matplotlib")
    with pytest.raises((TypeError, ValueError), match="alphas"):
        drawn.from_fitted(RIDGE, alphas=alphas)


def test_errors_beyond_the_range_of_floats_are_infinite():
    moments = np.ones(3), np.ones(3), 1e308
    assert theory.ridge_risk(*moments, [2.0, 10.0], 1e-3).test_error[0] == np.inf


def test_classes_of_hardly_any_spread():
    found = theory.gaussian_mixture_risk(
        [[1.0, 0.0], [-1.0, 0.0]], [np.full(2, 5e-324)] * 2, [0.5, 0.5], [10], 0.0
    )
    assert np.all(found[0] >= 0.0) and np.all(np.isfinite(found[0]))
