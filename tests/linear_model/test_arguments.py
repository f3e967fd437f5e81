"""What the ridge is handed: alphas, targets, weights of outputs, temperatures."""

import numpy as np
import pytest
from sklearn.metrics import mean_squared_error, r2_score, root_mean_squared_error

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.linear_model._arguments import (
    alpha_of_outputs,
    average_ends,
    average_outputs,
    check_alpha,
    check_fitted_alpha,
    exact_alphas,
    is_optimal,
    one_target,
    output_weights,
)
from sk_deepfeat.linear_model._scores import SCORES, loss_factor, named, score_of_losses
from sk_deepfeat.linear_model.class_error_predictor import _check_temperature, _ClassTarget
from sk_deepfeat.linear_model.target_units import target_units
from sk_deepfeat.theory import ErrorAnswer
from sk_deepfeat.theory.validation import MOST_ALPHA

FORBIDDEN = (True, "0.5", None, 1j, [0.5])


@pytest.mark.parametrize("alpha", [0, 0.0, 1e-300, np.float32(2), 10**9, "optimal"])
def test_alphas_of_one_number(alpha):
    check_alpha(alpha)
    check_fitted_alpha(alpha)


@pytest.mark.parametrize(
    ("alpha", "error", "message"),
    [
        (-1e-300, ValueError, "must be finite and not negative"),
        (np.inf, ValueError, "must be finite and not negative"),
        (np.nan, ValueError, "must be finite and not negative"),
        ("best", ValueError, "must be 'optimal' or a number"),
        ([1.0], ValueError, "must be one number for all outputs"),
        (True, TypeError, "must be a number or 'optimal'"),
        (None, TypeError, "must be a number or 'optimal'"),
    ],
)
def test_no_alpha(alpha, error, message):
    with pytest.raises(error, match=message):
        check_alpha(alpha)


@pytest.mark.parametrize(
    "alpha",
    [[-1e-300, 1.0], [1.0, np.inf], [np.nan], [[1.0]], ["1"], [True], [[1.0], [1.0, 2.0]]],
)
def test_no_alphas_of_outputs(alpha):
    with pytest.raises(ValueError, match=r"must hold finite|one number per output"):
        check_fitted_alpha(alpha)


def test_alphas_of_outputs():
    check_fitted_alpha([0, 1])
    check_fitted_alpha([0.0, MOST_ALPHA])
    with pytest.raises(ValueError, match=r"must hold numbers of at most 1e\+300"):
        check_fitted_alpha([0.0, np.nextafter(MOST_ALPHA, np.inf)])
    assert alpha_of_outputs("optimal", 3) == "optimal"
    assert type(alpha_of_outputs(np.float32(2), 3)) is float
    assert type(alpha_of_outputs([2], 1)) is float
    np.testing.assert_array_equal(alpha_of_outputs([1, 2], 2), [1.0, 2.0])
    assert alpha_of_outputs([1, 2], 2).dtype == np.float64
    with pytest.raises(ValueError, match="alpha holds 2 numbers for 3 outputs"):
        alpha_of_outputs([1.0, 2.0], 3)


def test_exact_alphas_are_few_and_floats():
    assert exact_alphas("optimal") == ()
    assert exact_alphas(3) == (3.0,) and type(exact_alphas(3)[0]) is float
    assert exact_alphas([2, 1, 2]) == (1.0, 2.0)
    assert exact_alphas(range(10)) == tuple(map(float, range(10)))
    assert exact_alphas(range(11)) == ()


def test_the_word_for_the_best_alpha():
    assert is_optimal("optimal")
    for other in ("best", 1.0, None, np.array(["optimal", "optimal"])):
        assert is_optimal(other) is False


def test_one_of_two_targets():
    assert one_target(0.5, None) == ("target_error", 0.5)
    assert one_target(None, np.float32(0.5)) == ("target_score", 0.5)
    for both in ((None, None), (0.5, 0.5)):
        with pytest.raises(ValueError, match="pass one of them"):
            one_target(*both)
    for wrong in (True, "0.5", np.nan, np.inf, [0.5]):
        with pytest.raises(ValueError, match=r"target_score=.* must be a finite number"):
            one_target(None, wrong)
        with pytest.raises(ValueError, match=r"target_error=.* must be a finite number"):
            one_target(wrong, None)


@pytest.mark.parametrize(
    "multioutput", ["uniform_average", "raw_values", [1, 2, 5], [0.0, 0.0, 0.1]]
)
def test_outputs_are_averaged_as_by_scikit_learn(multioutput):
    rng = np.random.default_rng(0)
    true, found = rng.normal(size=(2, 7, 3))
    errors = np.square(true - found).mean(axis=0)
    expected = mean_squared_error(true, found, multioutput=multioutput)
    np.testing.assert_allclose(average_outputs(errors, multioutput), expected, rtol=1e-14)
    stacked = average_outputs(np.stack([errors, 3.0 * errors]), multioutput)
    np.testing.assert_allclose(stacked, [expected, 3.0 * np.asarray(expected)], rtol=1e-14)
    weights = output_weights(multioutput, 3)
    assert (weights is None) is (multioutput == "raw_values")
    if weights is not None:
        assert weights.sum() == pytest.approx(1.0, rel=1e-15)
    record = ErrorAnswer(
        errors[None, None],
        np.ones((1, 1), bool),
        np.ones((1, 1)),
        log_variance=np.full((1, 1, 3), 0.1),
    )
    ends = average_ends(record, 0.9, multioutput)
    for low, mid, high in zip(ends[0].ravel(), np.ravel(expected), ends[1].ravel(), strict=True):
        assert low < mid < high
    assert average_ends(record._replace(log_variance=None), 0.9, multioutput) is None


@pytest.mark.parametrize(
    "multioutput", ["mean", [1.0, 2.0], [[1.0, 2.0, 3.0]], ["a", "b", "c"], [True, False, True]]
)
def test_no_average_of_outputs(multioutput):
    with pytest.raises(ValueError, match="must be 'uniform_average', 'raw_values' or"):
        output_weights(multioutput, 3)


def test_lists_of_several_lengths_are_no_weights():
    for n_outputs in (1, 2):
        with pytest.raises(ValueError, match="must be 'uniform_average', 'raw_values' or"):
            output_weights([[1.0], [1.0, 2.0]], n_outputs)


@pytest.mark.parametrize("weights", [[0.0, 0.0], [-1.0, 2.0], [np.inf, 1.0], [np.nan, 1.0]])
def test_weights_of_outputs_are_not_negative_and_not_all_nought(weights):
    with pytest.raises(ValueError, match="must hold weights that are not negative"):
        output_weights(weights, 2)


def test_a_temperature_is_a_positive_number_of_the_log_loss():
    assert _check_temperature(np.float32(0.5), "log_loss") == 0.5
    assert _check_temperature(2, "log_loss") == 2.0
    assert _check_temperature(None, "log_loss") > 0.0
    assert _check_temperature(None, "error_rate") is None
    for wrong in (True, "0.5", 0, 0.0, -1.0, np.inf, np.nan, [1.0]):
        with pytest.raises(ValueError, match="must be a positive number"):
            _check_temperature(wrong, "log_loss")
    with pytest.raises(ValueError, match=r"temperature=1\.0 is for metric='log_loss'"):
        _check_temperature(1.0, "error_rate")


def test_a_score_of_classes_is_one_less_its_loss():
    error = _ClassTarget.of(0.2, None, "balanced_error", "accuracy")
    assert (error.metric, error.loss) == ("balanced_error", 0.2)
    for scoring, metric, loss in (
        ("accuracy", "error_rate", 0.3),
        ("balanced_accuracy", "balanced_error", 0.3),
        ("neg_log_loss", "log_loss", -0.7),
    ):
        score = _ClassTarget.of(None, 0.7, "mse", scoring)
        assert score.metric == metric and score.loss == pytest.approx(loss)


def test_scores_of_losses():
    assert score_of_losses(1.0, 0.3) == 0.7
    assert score_of_losses(1.0, (0.3, 0.1, 0.4)) == pytest.approx((0.7, 0.6, 0.9))
    variance = np.array([2.0, 6.0])
    for name in ("neg_mean_squared_error", "neg_root_mean_squared_error"):
        np.testing.assert_array_equal(loss_factor(SCORES[name], variance, weighted=False), 1.0)
        with pytest.raises(ValueError, match="'variance_weighted' is for scoring='r2'"):
            loss_factor(SCORES[name], variance, weighted=True)
    np.testing.assert_array_equal(loss_factor(SCORES["r2"], variance, weighted=False), 1 / variance)
    np.testing.assert_array_equal(loss_factor(SCORES["r2"], variance, weighted=True), 0.25)
    with pytest.raises(ValueError, match=r"Did you mean 'r2'\?"):
        named(SCORES, "R2")
    with pytest.raises(ValueError, match=r"from the errors that are predicted\.$"):
        named(SCORES, "nonsense")


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("r2", r2_score),
        ("neg_mean_squared_error", lambda *y: -mean_squared_error(*y)),
        ("neg_root_mean_squared_error", lambda *y: -root_mean_squared_error(*y)),
    ],
)
def test_scores_are_those_of_scikit_learn(name, metric):
    true, found = np.random.default_rng(0).normal(size=(2, 9))
    score = SCORES[name]
    factor = loss_factor(score, np.array([true.var()]), weighted=False).item()
    loss = factor * np.square(true - found).mean()
    loss = np.sqrt(loss) if score.root else loss
    assert score_of_losses(score.best, loss) == pytest.approx(metric(true, found))


def test_no_error_is_a_share_of_nothing():
    variance = np.array([0.0, 0.5, 2.0])
    with pytest.warns(PopulationWarning, match="R² is not known of target 0, which does not"):
        found = loss_factor(SCORES["r2"], variance, weighted=False)
    np.testing.assert_array_equal(found, [np.nan, 2.0, 0.5])
    with pytest.warns(PopulationWarning, match="of target 0, 1, 2, 3, 4, which"):
        loss_factor(SCORES["r2"], np.zeros(7), weighted=False)


class Units:
    """A transformer of targets that gives numbers back as it likes."""

    def __init__(self, inverse, forward):
        self.inverse_transform, self.transform = inverse, forward


def test_units_of_a_line_in_any_precision_and_of_nothing_else():
    scale, offset = np.array([3.0, -0.5]), np.array([1e6, -2.0])
    line = Units(lambda z: offset + scale * z, lambda y: (y - offset) / scale)
    found = target_units(line, 2)
    np.testing.assert_allclose(found.scale, scale, rtol=1e-9)
    np.testing.assert_allclose(found.offset, offset, rtol=1e-12)
    whole = Units(lambda z: [[str(v) for v in row] for row in offset + scale * z], line.transform)
    whole.transform = lambda y: [[str(v) for v in row] for row in line.transform(y)]
    np.testing.assert_allclose(target_units(whole, 2).scale, scale, rtol=1e-9)
    for inverse, forward in (
        (lambda z: offset + scale * z + 1e-7 * z**2, line.transform),
        (lambda z: offset + scale * z + 1e-7 * z[:, ::-1], line.transform),
        (line.inverse_transform, lambda y: y),
        (lambda z: offset + 0.0 * z, lambda y: 0.0 * y),
        (lambda z: (offset + scale * z)[:, :1], line.transform),
        (lambda z: 1 / 0, line.transform),
    ):
        assert target_units(Units(inverse, forward), 2) is None


def one_line(scale, offset=0.0, slack=1.0):
    return Units(lambda z: offset + scale * z, lambda y: slack * (y - offset) / scale)


def test_units_that_are_large_or_far_from_nought():
    assert target_units(one_line(1e6 / 3), 1).scale.item() == pytest.approx(1e6 / 3, rel=1e-12)
    far = target_units(one_line(1e-3, 1e9), 1)
    assert far.scale.item() == pytest.approx(1e-3, rel=1e-3) and far.offset.item() == 1e9
    for scale in (1e-6, 1.0, 1e6):
        assert target_units(one_line(scale, slack=1.001), 1) is None


@pytest.mark.parametrize(
    "bend",
    [
        lambda z: np.clip(z, -1500.0, 1500.0),
        lambda z: np.where(np.abs(z) < 0.02, 0.0, z),
        lambda z: z + 1e-3 * np.sin(z),
        np.sinh,
    ],
)
def test_a_bend_anywhere_is_found_out(bend):
    assert target_units(Units(bend, lambda y: y), 1) is None
