"""What is checked of two networks before their moments: noise, readout, seeds."""

import warnings

import numpy as np
import pytest

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations.network_moments import (
    _warn_of_one_seed,
    check_noise,
    check_readout,
)


class Drawn:
    """A map of one layer that says from which seed it was drawn."""

    def __init__(self, weights, random_state=0):
        self.weights, self.random_state = np.asarray(weights), random_state

    def linearization_layers(self):
        return [(self.weights, None, None)]


WEIGHTS = np.random.default_rng(0).normal(size=(30, 20))


@pytest.mark.parametrize(
    "noise", [np.inf, -np.inf, np.nan, -1e-300, 2e150, True, "0.1", None, [0.1]]
)
def test_noise_that_is_none(noise):
    with pytest.raises(ValueError, match="must be a finite number that is not negative"):
        check_noise(noise)


@pytest.mark.parametrize("noise", [0, 0.0, 2, np.float32(0.5)])
def test_noise_is_a_float(noise):
    assert check_noise(noise) == noise and type(check_noise(noise)) is float


@pytest.mark.parametrize("kind", [int, np.float32, object])
@pytest.mark.parametrize("shape", [(4,), (4, 3)])
def test_a_readout_is_in_double_precision(kind, shape):
    given = np.arange(np.prod(shape)).reshape(shape).astype(kind)
    found = check_readout(given, 4)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, given.astype(float))


@pytest.mark.parametrize("readout", [1.0, np.ones((2, 2, 2)), np.ones(3), [1.0, np.nan]])
def test_a_readout_that_is_none(readout):
    with pytest.raises(ValueError, match=r"readout must be finite, of shape \(2,\)"):
        check_readout(readout, 2)


def shared(share, paired=30):
    """A network whose first rows are those of the other in part, each correlated so much."""
    rows = np.random.default_rng(1).normal(size=(25, 20))
    rows[:paired] = share * WEIGHTS[:25][:paired] + np.sqrt(1 - share**2) * rows[:paired]
    return Drawn(rows)


@pytest.mark.parametrize("share", [1.0, 0.7, 0.4])
def test_rows_in_common_are_told_with_their_mean_correlation(share):
    learner, teacher = Drawn(WEIGHTS), shared(share)
    rows = teacher.weights
    correlation = np.mean(
        [a @ b / np.sqrt((a @ a) * (b @ b)) for a, b in zip(WEIGHTS, rows, strict=False)]
    )
    assert correlation == pytest.approx(share, abs=0.1)
    for pair in ((learner, teacher), (teacher, learner)):
        with pytest.warns(PopulationWarning, match="paired_rows=25") as said:
            _warn_of_one_seed(*pair)
        assert f"a mean correlation of {correlation:.2f}" in str(said[0].message)


@pytest.mark.parametrize(
    "teacher",
    [
        shared(0.0),
        Drawn(-WEIGHTS),
        Drawn(WEIGHTS, random_state=1),
        Drawn(WEIGHTS, random_state=None),
        Drawn(WEIGHTS, random_state=False),
        Drawn(WEIGHTS[:, :19]),  # of other inputs: no row is another's
        Drawn(np.zeros((30, 20))),
    ],
)
def test_rows_that_are_not_in_common_are_not_told(teacher):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _warn_of_one_seed(Drawn(WEIGHTS), teacher)


def test_few_rows_in_common_are_no_accident_either():
    """Six standard deviations of the mean of independent rows are the bound."""
    deviations = np.sqrt(25 * 20) * np.mean(
        [
            np.corrcoef(a, b)[0, 1]
            for a, b in zip(WEIGHTS, shared(0.4, paired=25).weights, strict=False)
        ]
    )
    assert deviations > 6
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _warn_of_one_seed(Drawn(WEIGHTS), shared(0.4, paired=8))
    with pytest.warns(PopulationWarning):
        _warn_of_one_seed(Drawn(WEIGHTS), shared(0.4, paired=25))
