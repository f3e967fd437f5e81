"""Rows from anything with a shape and slices, from files and from blocks are the same rows."""

from collections.abc import Iterator

import numpy as np
import pytest
from scipy import sparse

from sk_deepfeat import DeterministicEquivalentRidge, progress
from sk_deepfeat.rows import (
    RowBlock,
    array_rows,
    dask_rows,
    is_array,
    row_source,
    table_rows,
)
from sk_deepfeat.rows import blocks as of_blocks

N, P = 700, 5


@pytest.fixture
def rows(rng):
    X = rng.normal(size=(N, P)) + 3.0
    return X, X[:, 0] + rng.normal(size=N), rng.uniform(0.5, 2.0, size=N)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Several blocks, and several parts of a file, of few rows."""
    monkeypatch.setattr(array_rows, "BLOCK_ENTRIES", 100 * P)
    monkeypatch.setattr(array_rows, "PART_ENTRIES", 300 * P)
    monkeypatch.setattr(dask_rows, "BLOCK_ENTRIES", 100 * P)
    monkeypatch.setattr(table_rows, "BLOCK_ENTRIES", 100 * P)
    monkeypatch.setattr(table_rows, "PART_ENTRIES", 300 * P)


def gathered(blocks):
    """Return all rows of some blocks, and the number of blocks."""
    blocks = list(blocks)
    X, y = (np.concatenate([block[k] for block in blocks]) for k in (0, 1))
    weights = None
    if blocks[0].sample_weight is not None:
        weights = np.concatenate([np.ravel(block.sample_weight) for block in blocks])
    return X, y, weights, len(blocks)


def assert_same_rows(source, X, y, weights=None, *, least_blocks=2):
    for blocks in (source, source, worked(source)):
        found = gathered(blocks)
        assert found[3] >= least_blocks
        np.testing.assert_array_equal(found[0], X)
        assert found[0].dtype == X.dtype
        np.testing.assert_array_equal(found[1], y)
        if weights is not None:
            np.testing.assert_array_equal(found[2], weights)


def worked(source):
    """Return the blocks that workers read, where they can."""
    if source.parts is None:
        return source
    return [block for part in source.parts for block in as_blocks(part)]


def as_blocks(part):
    return [RowBlock(*part.compute())] if hasattr(part, "compute") else part()


def test_arrays(rows):
    X, y, weights = rows
    source = row_source(X, y, weights)
    assert (source.n_rows, source.n_features, source.parts) == (N, P, None)
    assert_same_rows(source, X, y, weights)
    assert_same_rows(
        row_source(X.astype(np.float32), np.c_[y, y]), X.astype(np.float32), np.c_[y, y]
    )
    assert next(iter(row_source(X, y, 2.0))).sample_weight == 2.0


def test_files_of_numpy(rows, tmp_path):
    X, y, weights = rows
    paths = [tmp_path / f"{name}.npy" for name in ("X", "y", "w")]
    for path, values in zip(paths, rows, strict=True):
        np.save(path, values)
    source = row_source(*paths)
    assert len(source.parts) == 3
    assert_same_rows(source, X, y, weights)
    assert_same_rows(row_source(str(paths[0]), y, weights), X, y, weights)
    assert_same_rows(row_source(np.load(paths[0], mmap_mode="r"), y), X, y)
    assert_same_rows(row_source(np.load(paths[0], mmap_mode="r")[100:], y[100:]), X[100:], y[100:])
    twice = row_source([paths[0], paths[0]], [paths[1], y])
    assert twice.n_rows == 2 * N
    assert_same_rows(twice, np.r_[X, X], np.r_[y, y])


def test_many_targets_in_memory_do_not_travel(rows, tmp_path, monkeypatch):
    X, y, _ = rows
    np.save(tmp_path / "X.npy", X)
    monkeypatch.setattr(array_rows, "_MOST_TRAVELLING", y.nbytes - 1)
    assert row_source(tmp_path / "X.npy", y).parts is None


def test_h5py(rows, tmp_path):
    h5py = pytest.importorskip("h5py", reason="reads HDF5")
    X, y, weights = rows
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        given = [
            file.create_dataset(name, data=values, chunks=(30, *values.shape[1:]))
            for name, values in (("X", X), ("y", y), ("w", weights))
        ]
        source = row_source(*given)
        assert len(next(iter(source)).y) % 30 == 0, "whole chunks are read at once"
        assert_same_rows(source, X, y, weights)
        assert not is_array(given[0])


def test_zarr(rows, tmp_path):
    zarr = pytest.importorskip("zarr", reason="reads zarr")
    X, y, _ = rows
    for name, values in (("X", X), ("y", y)):
        array = zarr.open_array(
            str(tmp_path / f"{name}.zarr"),
            mode="w",
            shape=values.shape,
            chunks=(30, *values.shape[1:]),
            dtype=values.dtype,
        )
        array[:] = values
    opened = [zarr.open_array(str(tmp_path / f"{name}.zarr"), mode="r") for name in "Xy"]
    assert_same_rows(row_source(*opened), X, y)
    paths = [tmp_path / f"{name}.zarr" for name in "Xy"]
    assert_same_rows(row_source(*paths), X, y)
    assert len(row_source(*paths).parts) == 3


def test_dask_arrays(rows):
    da = pytest.importorskip("dask.array", reason="reads dask arrays")
    X, y, weights = rows
    lazy = da.from_array(X, chunks=(90, 2))
    source = row_source(lazy, da.from_array(y, chunks=200), weights)
    assert len(source.parts) == 8
    assert_same_rows(source, X, y, weights)
    assert_same_rows(row_source(lazy, np.c_[y, y]), X, np.c_[y, y])
    both = da.from_array(np.c_[y, y], chunks=(200, 1))
    assert_same_rows(row_source(lazy, both, 2.0), X, np.c_[y, y])
    few = row_source(da.from_array(X, chunks=(7, P)), y)
    assert len(list(few)) < 10, "small chunks are computed several at a time"


def test_dask_arrays_of_unknown_lengths(rows):
    da = pytest.importorskip("dask.array", reason="reads dask arrays")
    X, y, weights = rows
    kept = X[:, 1] > 3.0
    kept[200:300] = False  # a chunk without rows
    lazy, mask = da.from_array(X, chunks=(100, 2)), da.from_array(kept, chunks=100)
    targets = da.from_array(y, chunks=100)[mask]
    source = row_source(lazy[mask], targets, da.from_array(weights, chunks=100)[mask])
    assert source.n_rows is None
    for _ in range(2):
        found = gathered(source)
        np.testing.assert_array_equal(found[0], X[kept])
        np.testing.assert_array_equal(found[2], weights[kept])
    with pytest.raises(ValueError, match=r"row chunks of unknown length.*compute_chunk_sizes"):
        row_source(lazy[mask], y[kept])
    with pytest.raises(ValueError, match="7 chunks of rows and y 2, of unknown lengths"):
        row_source(lazy[mask], da.from_array(y, chunks=350))
    with pytest.raises(ValueError, match="unknown number of columns"):
        row_source(lazy[:, lazy.sum(axis=0) > 0], targets)


def test_delayed_partitions(rows):
    dask = pytest.importorskip("dask", reason="makes delayed partitions")
    X, y, _ = rows
    partitions = [dask.delayed((X[k : k + 100], y[k : k + 100])) for k in range(0, N, 100)]
    assert not is_array(partitions)
    assert_same_rows(row_source(partitions), X, y)
    with pytest.raises(ValueError, match="y and sample_weight are not given beside them"):
        row_source(partitions, y)
    with pytest.raises(ValueError, match=r"Partition 0 must be .* got ndarray"):
        list(row_source([dask.delayed(X)]))


@pytest.fixture
def table(rows):
    pa = pytest.importorskip("pyarrow", reason="reads Parquet")
    X, y, weights = rows
    columns = {f"x{k}": X[:, k] for k in range(P)}
    return pa.table({"target": y, **columns, "weight": weights, "other": y - 1.0})


def test_parquet(rows, table, tmp_path):
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    X, y, weights = rows
    folder = tmp_path / "folder"
    (folder / "deeper").mkdir(parents=True)
    pq.write_table(table, tmp_path / "one.parquet", row_group_size=60)
    pq.write_table(table.slice(0, 300), folder / "a.parquet", row_group_size=60)
    pq.write_table(table.slice(300), folder / "deeper" / "b.parquet", row_group_size=60)
    names = [*(f"x{k}" for k in range(P)), "other"]
    features = np.c_[X, y - 1.0]
    for given in (
        table,
        ds.dataset(folder, format="parquet"),
        tmp_path / "one.parquet",
        str(folder),
        [folder / "a.parquet", folder / "deeper" / "b.parquet"],
    ):
        source = row_source(given, "target", "weight")
        assert (source.n_rows, source.feature_names) == (N, names)
        assert_same_rows(source, features, y, weights)
    source = row_source(folder, ["target", "other"], "weight")
    assert_same_rows(source, X, np.c_[y, y - 1.0])
    assert len(row_source(tmp_path / "one.parquet", "target").parts) > 2


def test_tables_in_single_precision_and_with_gaps(rows, table, tmp_path):
    import pyarrow as pa

    X, y, _ = rows
    single = pa.table({"y": y, "a": X[:, 0].astype(np.float32)})
    assert next(iter(row_source(single, "y"))).X.dtype == np.float32
    gap = pa.table({"y": [1.0, 2.0, 3.0], "a": [1, None, 3], "b": [True, False, True]})
    block = next(iter(row_source(gap, "y")))
    np.testing.assert_array_equal(block.X, [[1.0, 1.0], [np.nan, 0.0], [3.0, 1.0]])
    with pytest.raises(ValueError, match="Block 0: X must be finite; column 0 has NaN in row 1"):
        DeterministicEquivalentRidge().fit(gap, "y")


def test_a_ridge_knows_the_names_of_a_table(table):
    pd = pytest.importorskip("pandas", reason="predicts on a data frame")
    ridge = DeterministicEquivalentRidge().fit(table, "target")
    assert list(ridge.feature_names_in_)[-2:] == ["weight", "other"]
    frame = table.to_pandas().drop(columns="target")
    assert isinstance(frame, pd.DataFrame)
    np.testing.assert_allclose(
        ridge.predict(frame), frame.to_numpy() @ ridge.coef_ + ridge.intercept_
    )
    with pytest.raises(ValueError, match="feature names"):
        ridge.predict(frame[frame.columns[::-1]])


def test_tables_that_do_not_fit(table, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    for y, weight, message in (
        ("y", None, "no column 'y' in the table, which has target, x0"),
        (["target", "z"], None, "no column 'z'"),
        ("target", "w", "no column 'w'"),
        (None, None, "y=None must name the columns"),
        (np.zeros(N), None, "must name the columns"),
        ("target", np.ones(N), "sample_weight must name its column"),
    ):
        with pytest.raises(ValueError, match=message):
            row_source(table, y, weight)
    words = table.append_column("word", pa.array(["a"] * N))
    with pytest.raises(ValueError, match="Column 'word' of the table is of type string"):
        row_source(words, "target")
    with pytest.raises(ValueError, match="Column 'word' of the table is of type string"):
        row_source(words, "word")
    with pytest.raises(ValueError, match="No columns of the table are left"):
        row_source(table.select(["target"]), "target")
    with pytest.raises(ValueError, match="no rows"):
        row_source(table.slice(0, 0), "target")
    pq.write_table(table, tmp_path / "a.parquet")
    pq.write_table(table.drop_columns(["x3"]), tmp_path / "b.parquet")
    with pytest.raises(ValueError, match=r"b.parquet' and .*a.parquet' differ.*one alone has 'x3'"):
        row_source(tmp_path, "target")
    with pytest.raises(ValueError, match=r"no column 'x3' in .*b.parquet'"):
        row_source(tmp_path, "x3")
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "b.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"b.parquet' ends early, or is no Parquet file"):
        row_source(tmp_path, "target")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"has no .parquet files"):
        row_source(tmp_path / "empty", "target")
    with pytest.raises(FileNotFoundError, match=r"c.parquet' does not exist"):
        row_source(tmp_path / "c.parquet", "target")
    with pytest.raises(TypeError, match="must be a pyarrow Dataset or Table; got Schema"):
        row_source(table.schema, "target")


def test_files_that_end_early(rows, tmp_path):
    X, y, _ = rows
    path = tmp_path / "X.npy"
    np.save(path, X)
    mapped = np.load(path, mmap_mode="r")
    whole = path.read_bytes()
    for length in (len(whole) - 8, 40, 0):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"X.npy' ends early"):
            row_source(path, y)
    with pytest.raises(ValueError, match=r"X: '.*X.npy' ends early: it has 0 bytes of"):
        row_source(mapped, y)
    del mapped


def test_arrays_that_do_not_fit(rows, tmp_path):
    X, y, weights = rows
    da = pytest.importorskip("dask.array", reason="reads dask arrays")
    for given in (X, da.from_array(X, chunks=(100, 2))):
        with pytest.raises(ValueError, match="X has 700 rows and y 699; they must have as many"):
            row_source(given, y[1:])
        with pytest.raises(ValueError, match="X has 700 rows and sample_weight 699"):
            row_source(given, y, weights[1:])
        with pytest.raises(ValueError, match="X must have two dimensions"):
            row_source(given[:, 0], y)
        with pytest.raises(ValueError, match="no rows or no columns"):
            row_source(given[:, :0], y)
        with pytest.raises(ValueError, match="no rows or no columns"):
            row_source(given[:0], y[:0])
        with pytest.raises(ValueError, match="y=None: targets are needed"):
            row_source(given)
    with pytest.raises(ValueError, match="X has 700 rows and y 699"):
        row_source(da.from_array(X, chunks=(100, 2)), da.from_array(y[1:], chunks=100))
    with pytest.raises(ValueError, match=r"y must be a list of 2 paths or arrays"):
        row_source([tmp_path / "a.npy", tmp_path / "b.npy"], [y])
    with pytest.raises(
        ValueError, match=r"files that are read by path are .npy, .zarr and .parquet"
    ):
        row_source("rows.csv", y)
    with pytest.raises(FileNotFoundError, match=r"y='.*y.npy' does not exist"):
        row_source(X, tmp_path / "y.npy")
    with pytest.raises(TypeError, match="got set"):
        row_source({1, 2}, y)
    with pytest.raises(TypeError, match=r"Bag of dask must be an array.*to_dask_array"):
        row_source(pytest.importorskip("dask.bag").from_sequence([1, 2]), y)


def test_iterators_and_functions(rows):
    X, y, weights = rows

    def read():
        for k in range(0, N, 100):
            part = slice(k, k + 100)
            yield X[part], y[part], weights[part]
        yield X[:0], y[:0], weights[:0]

    assert_same_rows(row_source(read), X, y, weights)
    source = row_source(read())
    assert gathered(source)[3] == 7, "a block without rows is none"
    with pytest.raises(ValueError, match=r"read once.*pass a function"):
        list(source)
    with pytest.raises(ValueError, match="Where X is an iterator"):
        row_source(read(), y)
    with pytest.raises(ValueError, match=r"Block 0 must be \(X, y\) or .*; got ndarray"):
        list(row_source(iter([X])))
    with pytest.raises(ValueError, match="Where X is a source"):
        row_source(row_source(X, y), y)


def test_a_transform_is_applied_to_blocks(rows):
    X, y, _ = rows
    source = row_source(X, y)
    assert_same_rows(source.map(np.square), np.square(X), y)

    def picky(block):
        if block[0, 0] == X[300, 0]:
            raise ValueError("not this one")
        return block

    with pytest.raises(ValueError, match="Block 3: not this one"):
        list(source.map(picky))


def test_blocks_that_a_transform_makes_larger_are_cut(rows, monkeypatch):
    X, y, weights = rows
    monkeypatch.setattr(of_blocks, "BLOCK_ENTRIES", 100 * P)
    monkeypatch.setattr(of_blocks, "LEAST_ROWS", 8)
    wide = row_source(X, y, weights).map(lambda block: np.tile(block, 3))
    assert all(block.X.size <= 100 * P for block in wide)
    assert_same_rows(wide, np.tile(X, 3), y, weights)
    assert len(next(iter(row_source(X, y).map(np.square))).X) == 100


def test_what_scikit_learn_reads_is_an_array(rows):
    X, y, _ = rows
    for given in (X, X.tolist(), sparse.csr_array(X), ["a", "b"], []):
        assert is_array(given)
    for given in ("X.npy", iter([]), lambda: iter([]), ["a.npy"], row_source(X, y)):
        assert not is_array(given)


# Blocks that are not like those before, and streams without rows.


def stream(*blocks):
    return DeterministicEquivalentRidge().fit(iter(blocks))


def test_blocks_that_change(rows):
    X, y, _ = rows
    first, rest = (X[:100], y[:100]), (X[100:], y[100:])
    for block, message in (
        ((rest[0][:, :4], rest[1]), "Block 1: X has 4 features"),
        ((rest[0].astype(np.float32), rest[1]), "Block 1 has features of float32"),
        ((rest[0], np.c_[rest[1], rest[1]]), "Block 1: y has 2 dimensions"),
        ((rest[0], rest[1][1:]), "Block 1: .*Found input variables with inconsistent"),
        ((np.full(rest[0].shape, "word", dtype=object), rest[1]), "Block 1: X or y: could not"),
        ((rest[0], np.full(600, "word", dtype=object)), "Block 1: .*could not convert|must hold"),
        ((rest[0], rest[1], -np.ones(600)), "Block 1: sample_weight must hold"),
    ):
        with pytest.raises(ValueError, match=message):
            stream(first, block)


def test_not_a_number_in_block_731():
    def blocks():
        rng = np.random.default_rng(0)
        for number in range(1000):
            X = rng.normal(size=(4, 3))
            X[2, 1] = np.nan if number == 731 else X[2, 1]
            yield X, X[:, 0]

    with pytest.raises(ValueError, match="Block 731: X must be finite; column 1 has NaN in row 2"):
        DeterministicEquivalentRidge().fit(blocks)


def test_empty_streams(rows):
    X, y, _ = rows
    for given in (iter([]), iter([(X[:0], y[:0])])):
        with pytest.raises(ValueError, match="No block of rows came"):
            DeterministicEquivalentRidge().fit(given)
    with pytest.raises(ValueError, match="at least two rows whose weight is not zero; 0 came"):
        stream((X, y, np.zeros(N)))


@pytest.mark.parametrize("wrong", ["nan", "width", "dtype", "length", "weight", "words"])
def test_a_partial_fit_that_fails_counts_nothing(rows, wrong):
    X, y, weights = rows
    ridge = DeterministicEquivalentRidge(reservoir_size=200).partial_fit(X[:400], y[:400])
    other = DeterministicEquivalentRidge(reservoir_size=200).partial_fit(X[:400], y[:400])
    bad = {"X": X[400:].copy(), "y": y[400:].copy(), "sample_weight": None}
    if wrong == "nan":
        bad["y"][150] = np.nan
    elif wrong == "width":
        bad["X"] = bad["X"][:, 1:]
    elif wrong == "dtype":
        bad["X"] = bad["X"].astype(np.float32)
    elif wrong == "length":
        bad["y"] = bad["y"][1:]
    elif wrong == "weight":
        bad["sample_weight"] = np.where(weights[400:] > 1.0, np.inf, 1.0)
    else:
        bad["y"] = bad["y"].astype(object)
        bad["y"][-1] = "word"
    with pytest.raises(ValueError):
        ridge.partial_fit(**bad)
    for each in (ridge, other):
        each.partial_fit(X[400:], y[400:])
    np.testing.assert_array_equal(ridge.coef_, other.coef_)
    assert ridge.n_samples_ == N
    assert ridge.test_error_ == other.test_error_


def test_every_kind_of_rows_gives_the_same_ridge(rows, table, tmp_path):
    X, y, weights = rows
    whole = DeterministicEquivalentRidge(5.0, reservoir_size=None).fit(X, y, weights)
    paths = [tmp_path / f"{name}.npy" for name in "Xyw"]
    for path, values in zip(paths, rows, strict=True):
        np.save(path, values)
    da = pytest.importorskip("dask.array", reason="reads dask arrays")
    for given in (
        tuple(paths),
        (da.from_array(X, chunks=(100, 2)), y, weights),
        (iter([(X[:300], y[:300], weights[:300]), (X[300:], y[300:], weights[300:])]),),
        (table.drop_columns(["other"]), "target", "weight"),
        (row_source(X, y, weights),),
    ):
        for size in (200, 10_000):
            ridge = DeterministicEquivalentRidge(5.0, reservoir_size=size).fit(*given)
            np.testing.assert_allclose(ridge.coef_, whole.coef_, rtol=1e-9)
            assert abs(ridge.test_error_ / whole.test_error_ - 1) < 0.05
            if isinstance(given[0], Iterator):
                break  # it can be read once


def test_progress_is_shown(rows, capsys, monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0.0)
    X, y, _ = rows
    DeterministicEquivalentRidge(reservoir_size=100, verbose=True).fit(row_source(X, y))
    assert "fit: 100%" in capsys.readouterr().err
