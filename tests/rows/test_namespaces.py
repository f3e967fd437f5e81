"""Where arrays of other libraries are, and their way into NumPy and back."""

import numpy as np
import pytest
from array_places import PLACES, place
from sklearn import config_context

from sk_deepfeat.rows import check_groups, in_main_memory, in_numpy, place_of


@pytest.fixture(params=PLACES, ids="-".join)
def somewhere(request):
    return place(*request.param)


def test_there_and_back(somewhere):
    values = np.arange(6.0).reshape(3, 2)[::-1]
    with config_context(array_api_dispatch=True):
        there = somewhere.array(values)
        found = place_of(there)
        np.testing.assert_array_equal(in_numpy(there), values)
        again = found.array(values)
    assert again.device == there.device and again.dtype == there.dtype
    assert found.has_double == (somewhere.dtype == "float64")


@pytest.mark.parametrize("values", [[1.0, 2.0], np.array([1.0]), None, "blocks", 3.0])
def test_numpy_and_what_is_no_array_have_no_place(values):
    with config_context(array_api_dispatch=True):
        assert place_of(values) is None and in_numpy(values) is values


def test_without_dispatch_there_is_no_place(somewhere):
    values = somewhere.array(np.ones(3))
    assert place_of(values) is None and in_numpy(values) is values


def test_floats_that_numpy_does_not_know():
    torch = pytest.importorskip("torch")
    with config_context(array_api_dispatch=True):
        found = in_numpy(torch.ones(3, dtype=torch.bfloat16))
    assert found.dtype == np.float32


def test_main_memory(somewhere):
    expected = str(somewhere.device) in ("cpu", "array_api_strict.Device('CPU_DEVICE')")
    assert in_main_memory(somewhere.array(np.ones((2, 2)))) == expected


def test_groups(somewhere):
    """Equal labels of an array are equal, though each of its elements is an array of its own."""
    with config_context(array_api_dispatch=True):
        found = check_groups(somewhere.array(np.array([7, 3, 7, 3])), 4)
    np.testing.assert_array_equal(found, [0, 1, 0, 1])
