"""Two worker processes on the loopback address give the numbers of one process."""

import os
import threading
import time
import warnings

import joblib
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures, progress
from sk_deepfeat.compose import fit_in_blocks
from sk_deepfeat.model_selection import ridge_learning_curve
from sk_deepfeat.rows import array_rows, current_client, on_workers, row_source
from sk_deepfeat.theory import GramAccumulator

distributed = pytest.importorskip("distributed", reason="runs on dask's workers")
dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

N, P = 2000, 8
ALONE = {
    "threads_per_worker": 1,
    "processes": True,
    "host": "127.0.0.1",
    "dashboard_address": "127.0.0.1:0",
    "silence_logs": 50,
}


@pytest.fixture(scope="module")
def cluster():
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "3s"}),
        distributed.LocalCluster(n_workers=2, **ALONE) as two,
    ):
        yield two


@pytest.fixture
def client(cluster):
    with distributed.Client(cluster) as connected:
        yield connected
    assert current_client() is None


@pytest.fixture
def rows(rng, monkeypatch):
    monkeypatch.setattr(array_rows, "BLOCK_ENTRIES", 100 * P)
    monkeypatch.setattr(array_rows, "PART_ENTRIES", 300 * P)
    X = rng.normal(size=(N, P)) + 3.0
    return X, X[:, 0] + rng.normal(size=N), rng.uniform(0.5, 2.0, size=N)


@pytest.fixture
def files(rows, tmp_path):
    paths = [tmp_path / f"{name}.npy" for name in "Xyw"]
    for path, values in zip(paths, rows, strict=True):
        np.save(path, values)
    return paths


def ridge(size=500):
    return DeterministicEquivalentRidge(5.0, reservoir_size=size)


def assert_like(found, whole):
    np.testing.assert_allclose(found.coef_, whole.coef_, rtol=1e-9)
    np.testing.assert_allclose(found.intercept_, whole.intercept_, rtol=1e-9)
    assert found.n_samples_ == whole.n_samples_
    assert abs(found.test_error_ / whole.test_error_ - 1) < 0.05


def made_elsewhere(source):
    """Return a source that fails where its rows are read in this process."""
    here = os.getpid()

    def same(X):
        if os.getpid() == here:
            raise ValueError("read here")
        return X

    return source.map(same)


def test_rows_of_dask(rows, client):
    X, y, weights = rows
    lazy, targets = da.from_array(X, chunks=(150, 3)), da.from_array(y, chunks=400)
    whole = ridge(None).fit(X, y)
    assert_like(ridge().fit(made_elsewhere(row_source(lazy, targets))), whole)
    assert_like(ridge().fit(client.persist(lazy), y), whole)
    weighted = ridge(None).fit(X, y, weights)
    assert_like(ridge().fit(lazy, targets, da.from_array(weights, chunks=100)), weighted)
    both = np.c_[y, -y]
    assert_like(ridge().fit(lazy, both), ridge(None).fit(X, both))


def test_rows_of_unknown_lengths(rows, client):
    X, y, _ = rows
    kept = X[:, 1] > 3.0
    kept[200:300] = False  # a chunk without rows
    mask = da.from_array(kept, chunks=100)
    lazy = da.from_array(X, chunks=(100, 3))[mask], da.from_array(y, chunks=100)[mask]
    assert_like(ridge().fit(*lazy), ridge(None).fit(X[kept], y[kept]))


def test_files_are_read_by_workers(rows, files, client):
    X, y, weights = rows
    assert_like(ridge().fit(made_elsewhere(row_source(*files[:2]))), ridge(None).fit(X, y))
    assert_like(ridge().fit(files[0], y, files[2]), ridge(None).fit(X, y, weights))
    half = N // 2
    other = files[0].with_name("other.npy")
    np.save(files[0], X[:half])
    np.save(other, X[half:])
    assert_like(ridge().fit([files[0], other], [y[:half], y[half:]]), ridge(None).fit(X, y))


def test_tables_are_read_by_workers(rows, client, tmp_path):
    pa = pytest.importorskip("pyarrow", reason="reads Parquet")
    import pyarrow.parquet as pq

    X, y, _ = rows
    table = pa.table({"y": y, **{f"x{k}": X[:, k] for k in range(P)}})
    for k in range(3):
        pq.write_table(table.slice(700 * k, 700), tmp_path / f"{k}.parquet", row_group_size=200)
    found = ridge().fit(tmp_path, "y")
    assert_like(found, ridge(None).fit(X, y))
    assert list(found.feature_names_in_) == [f"x{k}" for k in range(P)]


def test_delayed_partitions(rows, client):
    X, y, weights = rows
    cut = [slice(k, k + 500) for k in range(0, N, 500)]
    found = ridge().fit([dask.delayed((X[part], y[part])) for part in cut])
    assert_like(found, ridge(None).fit(X, y))
    found = ridge().fit([dask.delayed((X[part], y[part], weights[part])) for part in cut])
    assert_like(found, ridge(None).fit(X, y, weights))


def test_numbers_do_not_depend_on_the_workers(rows, files, client):
    first, second = (ridge().fit(*files[:2]) for _ in range(2))
    assert first.test_error_ == second.test_error_
    assert len(first._sums.reservoir) == 500
    before = ridge(None).fit(*files[:2])
    np.testing.assert_array_equal(before._sums.reservoir.rows, rows[0])
    more = rows[0][:100] + 0.5, rows[1][:100]
    both = ridge(None).fit(np.r_[rows[0], more[0]], np.r_[rows[1], more[1]])
    assert_like(first.partial_fit(*more), both)


@pytest.mark.parametrize("given", ["files", "dask"])
def test_a_pipeline_is_fitted_where_the_rows_are(rows, files, client, given):
    X, y, weights = rows

    def pipeline():
        feature_map = RandomDeepFeatures(30, activation="tanh", random_state=0)
        return make_pipeline(StandardScaler(), feature_map, ridge())

    whole = pipeline().set_params(deterministicequivalentridge__reservoir_size=None)
    whole.fit(X, y, deterministicequivalentridge__sample_weight=weights)
    if given == "dask":
        files = [da.from_array(values, chunks=(150, *values.shape[1:])) for values in rows]
    found = fit_in_blocks(pipeline(), *files[:2], sample_weight=files[2], sample_size=300)
    np.testing.assert_allclose(found[0].mean_, whole[0].mean_, rtol=1e-12)
    assert_like(found[-1], whole[-1])
    np.testing.assert_allclose(found.predict(X), whole.predict(X), rtol=1e-9)


def test_progress_counts_parts(rows, files, client, capsys, monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0.0)
    DeterministicEquivalentRidge(5.0, reservoir_size=500, verbose=True).fit(*files[:2])
    assert "7/7" in capsys.readouterr().err


def test_errors_name_the_partition(rows, files, client):
    X, y, _ = rows
    X[1033, 2] = np.nan
    np.save(files[0], X)
    with pytest.raises(
        ValueError, match="Partition 3: Block 1: X must be finite; column 2 has NaN in row 33"
    ):
        ridge().fit(*files[:2])
    before = ridge().fit(X[:900], y[:900])
    kept = before.coef_.copy()
    first = X[:500], y[:500]
    for second, message in (
        ((X[:300, 1:], y[:300]), "Partition 1: The other accumulator has 7 features"),
        ((X[:300].astype(np.float32), y[:300]), "Partition 1: .* has features of float32"),
        ((X[:300], y[:300, None]), "Partition 1: y has one dimension"),
        ((X[:300], y[:299]), "Partition 1: Block 0: X and y must have one row per sample"),
        ((X[:300], np.full(300, "word")), "Partition 1: .*(must hold|convert)"),
        (X[:300], r"Partition 1 must be \(X, y\)"),
    ):
        with pytest.raises(ValueError, match=message):
            before.fit([dask.delayed(first), dask.delayed(second)])
    np.testing.assert_array_equal(before.coef_, kept)
    source = row_source(*files[:2])
    files[0].rename(files[0].with_name("elsewhere.npy"))
    with pytest.raises(FileNotFoundError, match="Workers open files themselves, by the same path"):
        ridge().fit(source)


def test_a_task_on_a_worker_reads_by_itself(client):
    assert current_client() is client
    assert client.submit(lambda: current_client() is None).result()


def test_learning_curves_on_workers_are_the_same(rows, client):
    X, y, _ = rows
    options = {"train_sizes": [50, 200], "alphas": [1.0, 10.0], "n_repeats": 2, "random_state": 0}
    estimator = make_pipeline(RandomDeepFeatures(20, random_state=0), ridge("auto"))
    here = ridge_learning_curve(estimator, X, y, **options)
    with joblib.parallel_config(backend="dask"):
        there = ridge_learning_curve(estimator, X, y, n_jobs=-1, **options)
    np.testing.assert_array_equal(there.measured, here.measured)
    np.testing.assert_array_equal(there.predicted, here.predicted)


def killed_after(seconds, process):
    """Return a thread that kills a process in a while, as a machine does that is lost."""

    def kill():
        time.sleep(seconds)
        os.kill(process, 9)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def slow(values):
    """Return a dask array of which every chunk takes a while."""

    def wait(block):
        time.sleep(0.1)
        return block

    lazy = da.from_array(values, chunks=(100, P))
    return lazy.map_blocks(wait, meta=np.empty((0, 0)))


def test_a_worker_that_is_killed_changes_nothing(rows, cluster, client):
    X, y, _ = rows
    lost = next(iter(cluster.workers.values())).pid
    thread = killed_after(0.8, lost)
    start = time.monotonic()
    pipeline = make_pipeline(RandomDeepFeatures(30, activation="tanh", random_state=0), ridge())
    found = fit_in_blocks(pipeline, slow(X), y)
    assert thread.join() is None and time.monotonic() - start > 0.8
    whole = ridge(None).fit(pipeline[0].transform(X), y)
    assert_like(found[-1], whole)
    assert found[-1]._sums.n_rows == N


def test_workers_that_die_again_and_again(rows, client):
    X, y, _ = rows
    before = ridge().fit(X, y)
    kept = before.coef_.copy()

    def die(block):
        os._exit(1)

    lazy = da.from_array(X, chunks=(1000, P)).map_blocks(die, meta=np.empty((0, 0)))
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        pytest.raises(RuntimeError, match="Workers died one after the other on the same rows"),
    ):
        before.fit(lazy, y)
    np.testing.assert_array_equal(before.coef_, kept)
    client.wait_for_workers(2, timeout=30)


def test_a_scheduler_that_is_lost(rows):
    X, y, _ = rows
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        warnings.catch_warnings(),
    ):
        own = distributed.LocalCluster(n_workers=1, **{**ALONE, "processes": False, "host": None})
        connected = distributed.Client(own)
        before = ridge().fit(X, y)
        kept = before.coef_.copy()
        thread = threading.Timer(0.5, own.close)
        thread.start()
        try:
            with pytest.raises(ConnectionError, match=r"scheduler at .* is lost; nothing"):
                before.fit(slow(X), y)
            np.testing.assert_array_equal(before.coef_, kept)
        finally:
            thread.join()
            connected.close()
    assert_like(before.fit(da.from_array(X, chunks=(500, P)), y), ridge(None).fit(X, y))


def test_little_travels(client):
    """An accumulator of a part is half a matrix, and rows of the sample that it may still have."""
    X = np.random.default_rng(0).standard_normal((1000, 600))
    part = GramAccumulator(reservoir_size=1000, n_expected=1_000_000).add(X, X[:, 0])
    size = len(distributed.protocol.pickle.dumps(on_workers.PartSums(part, True, 0)))
    assert size < 0.65 * 8 * 602**2


def test_tasks_change_nothing_that_they_are_given(rows):
    """A task whose worker is lost is run again on what others have made."""
    X, y, _ = rows

    def part(number, before=None):
        def make(number, n_expected):
            return GramAccumulator(reservoir_size=50, random_state=number)

        given = X[500 * number :][:500], y[500 * number :][:500]
        return on_workers._add_part(before, given, number, make, None, None, None)

    first = part(0)
    chains = [[part(1, first), part(2), part(3)] for _ in range(2)]
    found = [on_workers._merge_parts(chain) for chain in (*chains, chains[0])]
    assert first.sums.n_rows == 500
    for each in found:
        assert each.sums.n_rows == N
        np.testing.assert_array_equal(each.sums.feature_mean, found[0].sums.feature_mean)
