"""Products and decompositions on a device against NumPy's."""

import numpy as np
import pytest
from array_places import PLACES, place
from sklearn import config_context
from sklearn.utils._array_api import get_namespace

from sk_deepfeat.linear_model import _device_rows
from sk_deepfeat.linear_model._device_rows import RowsOnDevice
from sk_deepfeat.rows import ArrayPlace
from sk_deepfeat.theory.one_sample.centred_rows import CentredRows

RNG = np.random.default_rng(0)
DOUBLE = [found for found in PLACES if found[1] not in ("no_float64", "mps")]


@pytest.fixture(params=DOUBLE, ids="-".join)
def somewhere(request):
    return place(*request.param)


@pytest.fixture(params=[False, True], ids=["plain", "weighted"])
def pair(request, somewhere, monkeypatch):
    """Rows on a device, in blocks of 64 rows or columns, and the same in NumPy."""
    monkeypatch.setattr(_device_rows, "_BLOCK_ENTRIES", 1)
    given = RNG.normal(size=(150, 80)).astype(np.float32) + np.float32(3.0)
    mean = given.mean(axis=0, dtype=np.float64)
    root = RNG.uniform(0.5, 2.0, size=150) if request.param else None
    with config_context(array_api_dispatch=True):
        xp, _ = get_namespace(somewhere.xp.asarray(0.0))
        there = somewhere.xp.asarray(given, device=somewhere.device)
        yield (
            RowsOnDevice(given, mean, root, there, ArrayPlace(xp, somewhere.device_of_arrays)),
            CentredRows(given, mean, root),
        )


def test_products(pair):
    there, here = pair
    F, v = here.whole(), RNG.normal(size=(150, 2))
    some = RNG.permutation(150)[:100]
    for rows in (None, some):
        part = F if rows is None else F[rows]
        gram, cross = there.gram(v, rows)
        np.testing.assert_allclose(gram, part.T @ part, rtol=1e-12, atol=1e-10)
        np.testing.assert_allclose(cross, part.T @ (v if rows is None else v[rows]), atol=1e-10)
        assert gram.flags.f_contiguous and gram.flags.writeable
    np.testing.assert_allclose(there.products(), F @ F.T, rtol=1e-12, atol=1e-10)


def test_decomposition(pair):
    there, here = pair
    gram = here.whole().T @ here.whole()
    values, vectors = there.eigh(gram)
    np.testing.assert_allclose(values, np.linalg.eigvalsh(gram), rtol=1e-10)
    np.testing.assert_allclose((vectors * values) @ vectors.T, gram, atol=1e-9)


def test_products_with_some_rows(pair):
    there, here = pair
    right = RNG.normal(size=(80, 30))
    for rows in (slice(20, 90), np.array([5, 3, 149])):
        expected = here.take(rows) @ right
        np.testing.assert_allclose(there.rows_times(rows, right), expected, atol=1e-11)
        out = np.empty((100, 30))
        found = there.rows_times(rows, right, out)
        assert found.base is out
        np.testing.assert_allclose(found, expected, atol=1e-11)
    single, out = right.astype(np.float32), np.empty((70, 30), np.float32)
    there.cast_times(slice(20, 90), single, out, np.empty((70, 80), np.float32))
    np.testing.assert_allclose(out, here.take(slice(20, 90)) @ right, atol=1e-4)
    there.rows_times(slice(0, 5), right)  # another matrix than the last one is sent
    np.testing.assert_allclose(
        there.rows_times(slice(0, 5), 2.0 * right), here.take(slice(0, 5)) @ right * 2.0
    )


def test_released_rows_are_numpys(pair):
    there, here = pair
    there.release()
    assert type(there) is CentredRows and vars(there).keys() == vars(here).keys()
    assert there.is_one_block and there.eigh is None
