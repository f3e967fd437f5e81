"""What the laws of weights may be given as, at the limits of what is taken."""

import numpy as np
import pytest

from sk_deepfeat.theory import annealed_constants, annealed_cross_constants, annealed_spectrum


def same(found, expected):
    for name, values in expected._asdict().items():
        np.testing.assert_allclose(getattr(found, name), values, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("sizes", [1, np.int64(1), [1], (np.int32(1),), np.array([1])])
def test_one_unit(sizes):
    """A width of one is the smallest there is, however it is written."""
    found = annealed_spectrum(None, "tanh", np.ones(5), hidden_layer_sizes=sizes)
    expected = annealed_spectrum([np.full(5, 0.2)], "tanh", np.ones(5), 1)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert found.shape == (1,)


@pytest.mark.parametrize("units", [np.int64(3), 3])
def test_kinds_of_numbers_of_units(units):
    assert annealed_spectrum([np.full(5, 0.2)], "tanh", np.ones(5), units).shape == (3,)


@pytest.mark.parametrize("units", [True, 1.0, -1, "3"])
def test_numbers_of_units_that_are_none(units):
    with pytest.raises(ValueError, match=r"n_units=.* must be a positive integer"):
        annealed_spectrum([np.full(5, 0.2)], "tanh", np.ones(5), units)


@pytest.mark.parametrize("sizes", [True, 1.0, 0, [], [3, True], [3, 2.5], [3, -1]])
def test_sizes_that_are_none(sizes):
    with pytest.raises(ValueError, match=r"hidden_layer_sizes=.* must be a positive integer or"):
        annealed_constants(None, "tanh", np.ones(5), hidden_layer_sizes=sizes)


def test_one_array_serves_layers_of_equal_widths():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(4, 4))
    matrix, diagonal = root @ root.T, rng.uniform(0.5, 1.0, size=4)
    for given in (matrix, diagonal, list(diagonal)):
        entries = given if isinstance(given, np.ndarray) else [np.asarray(given)] * 3
        same(
            annealed_constants(entries, "relu", np.ones(4), hidden_layer_sizes=(4, 4, 4)),
            annealed_constants([np.asarray(given)] * 3, "relu", np.ones(4)),
        )


@pytest.mark.parametrize("entry", [np.ones((4, 3)), np.ones(3), np.ones((1, 4, 4)), "0.5"])
def test_entries_of_another_shape(entry):
    message = r"weight_covariances\[1\] must be None, an exponent, or an array of shape \(4,\)"
    with pytest.raises(ValueError, match=message):
        annealed_constants([None, entry], "relu", np.ones(3), hidden_layer_sizes=(4, 5))


@pytest.mark.parametrize("entry", [None, 0.5])
def test_a_shorthand_in_a_list_needs_sizes(entry):
    message = r"weight_covariances\[1\]=.* is no array"
    with pytest.raises(ValueError, match=message):
        annealed_constants([np.ones(3), entry], "relu", np.ones(3))


def test_refusals_name_the_first_layers_width():
    with pytest.raises(ValueError, match=r"weight_covariances\[0\] has 3 rows, .* has 4"):
        annealed_constants([np.ones(3)], "relu", np.ones(4))
    whole = [np.ones(3)]
    with pytest.raises(ValueError, match=r"teacher_weight_covariances\[0\] has 4 rows, .* has 3"):
        annealed_cross_constants(whole, [np.ones(4)], [np.ones((3, 4))], "relu", "relu", np.ones(3))


RNG = np.random.default_rng(1)
ROWS = RNG.normal(size=(6, 12))
FIRST, SECOND = ROWS[:4], ROWS[2:]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_cross_covariances_up_to_the_limit(scale):
    """Rows that are linear functions of one another leave a singular matrix, which is possible."""
    inputs = np.linspace(0.5, 2.0, 4)
    mine = FIRST @ FIRST.T
    theirs, cross = mine * scale**2, mine * scale

    def found(factor):
        return annealed_cross_constants(
            [mine], [theirs], [factor * cross], "identity", "identity", inputs
        )

    np.testing.assert_allclose(found(1.0).r, [np.sum(np.diagonal(cross) * inputs)], rtol=1e-12)
    np.testing.assert_allclose(found(-1.0).r, -found(1.0).r, rtol=1e-12)
    if scale == 1.0:
        for factor in (1 + 1e-6, -1 - 1e-6):
            with pytest.raises(ValueError, match="is impossible"):
                found(factor)


def test_cross_covariances_may_be_any_numbers():
    ones = [np.ones(3)]
    for given in ([1, 0, 1], [[1, 0, 0], [0, 0, 0], [0, 0, True]], np.array([1, 0, 1], object)):
        found = annealed_cross_constants(ones, ones, [given], "identity", "identity", np.ones(3))
        assert found.r == pytest.approx(2.0)


def test_rectangular_cross_covariances_of_later_layers():
    """ř of the second layer is tr Č_2 Cov(f, g), with Cov of paired units on the diagonal."""
    layers = [np.full(3, 1 / 3), FIRST @ FIRST.T]
    teacher = [np.full(3, 1 / 3), ROWS[:5] @ ROWS[:5].T]
    cross = [np.full(3, 1 / 3), FIRST @ ROWS[:5].T]
    found = annealed_cross_constants(layers, teacher, cross, "identity", "identity", np.ones(3))
    np.testing.assert_allclose(found.r, [1.0, np.trace(FIRST @ FIRST.T)], rtol=1e-12)
    np.testing.assert_allclose(found.c_star, 0.0, atol=1e-9)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([np.eye(3)] * 2, "has 2 entries for 1 layers"),
        ([np.eye(3)[:2]], r"cross_weight_covariances\[0\] must be finite, of shape \(3, 3\)"),
        ([np.full((3, 3), np.nan)], r"cross_weight_covariances\[0\] must be finite"),
        ([np.full(3, np.inf)], r"cross_weight_covariances\[0\] must be finite"),
    ],
)
def test_cross_covariances_that_do_not_fit(given, message):
    with pytest.raises(ValueError, match=message):
        annealed_cross_constants(
            [np.ones(3)], [np.ones(3)], given, "identity", "identity", np.ones(3)
        )
