"""Features written block by block into an array that is given."""

import numpy as np
import pytest

from sk_deepfeat import RandomDeepFeatures, TrainedDeepFeatures
from sk_deepfeat.feature_maps import into_array

N, P = 500, 6


@pytest.fixture(params=["random", "trained"])
def feature_map(request, rng):
    X = rng.normal(size=(50, P))
    if request.param == "random":
        return RandomDeepFeatures((20, 10), random_state=0).fit(X)
    pytest.importorskip("torch", reason="trains a network")
    return TrainedDeepFeatures((20, 10), max_epochs=1, random_state=0).fit(X, X[:, 0])


@pytest.fixture
def X(rng):
    return rng.normal(size=(N, P))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(into_array, "_BLOCK_ENTRIES", 100 * 10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_from_a_map_into_a_map(feature_map, X, tmp_path, dtype):
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    out = np.lib.format.open_memmap(tmp_path / "out.npy", "w+", dtype=dtype, shape=(N, 10))
    assert feature_map.transform(mapped, out=out) is out
    np.testing.assert_allclose(
        np.load(tmp_path / "out.npy"), feature_map.transform(X).astype(dtype), rtol=1e-6, atol=1e-6
    )


def test_other_arrays(feature_map, X, tmp_path):
    whole, out = feature_map.transform(X), np.empty((N, 10))
    h5py = pytest.importorskip("h5py", reason="reads HDF5")
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        given = file.create_dataset("X", data=X)
        written = file.create_dataset("out", shape=(N, 10), dtype=np.float64)
        assert feature_map.transform(given, out=written) is written
        np.testing.assert_allclose(written[:], whole, rtol=1e-12, atol=1e-12)
    feature_map.transform(X.tolist(), out=out)
    np.testing.assert_allclose(out, whole, rtol=1e-12, atol=1e-12)
    da = pytest.importorskip("dask.array", reason="reads dask arrays")
    out[:] = 0.0
    feature_map.transform(da.from_array(X, chunks=77), out=out)
    np.testing.assert_allclose(out, whole, rtol=1e-12, atol=1e-12)


def test_names_of_columns_are_checked_in_blocks(X):
    pd = pytest.importorskip("pandas", reason="names columns")
    frame = pd.DataFrame(X, columns=[*"abcdef"])
    feature_map = RandomDeepFeatures((10,), random_state=0).fit(frame)
    out = np.empty((N, 10))
    np.testing.assert_allclose(feature_map.transform(frame, out=out), feature_map.transform(frame))
    with pytest.raises(ValueError, match=r"Rows 0 to .*feature names"):
        feature_map.transform(frame[[*"fedcba"]], out=out)


def test_what_does_not_fit(feature_map, X, tmp_path):
    for out, message in (
        (np.empty((N, 9)), r"out has shape \(500, 9\); these rows need \(500, 10\)"),
        (np.empty((N - 1, 10)), "these rows need"),
        (np.empty((N, 10), dtype=int), "out holds int64; features are float32 or float64"),
    ):
        with pytest.raises(ValueError, match=message):
            feature_map.transform(X, out=out)
    with pytest.raises(TypeError, match="out must be an array with shape and slices"):
        feature_map.transform(X, out=[])
    np.save(tmp_path / "out.npy", np.empty((N, 10)))
    with pytest.raises(ValueError, match="cannot be written to"):
        feature_map.transform(X, out=np.load(tmp_path / "out.npy", mmap_mode="r"))
    X[437, 2] = np.nan
    with pytest.raises(ValueError, match="Rows 400 to 499: Input X contains NaN"):
        feature_map.transform(X, out=np.empty((N, 10)))
    with pytest.raises(ValueError, match="Rows 0 to 99: X has 5 features"):
        feature_map.transform(X[:, 1:], out=np.empty((N, 10)))
