"""A pipeline fitted block by block is the pipeline fitted at once."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA, IncrementalPCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures, progress
from sk_deepfeat.compose import fit_in_blocks
from sk_deepfeat.rows import array_rows

N, P = 900, 6


@pytest.fixture
def rows(rng, monkeypatch):
    monkeypatch.setattr(array_rows, "BLOCK_ENTRIES", 100 * P)
    X = rng.normal(size=(N, P)) * 7.0 + 3.0
    return X, np.abs(X[:, 0]) + rng.normal(size=N), rng.uniform(0.5, 2.0, size=N)


def pipeline(size=300):
    return make_pipeline(
        StandardScaler(),
        "passthrough",
        RandomDeepFeatures((40, 30), activation="tanh", random_state=0),
        DeterministicEquivalentRidge(5.0, reservoir_size=size),
    )


def blocks_of(*arrays):
    def blocks():
        for k in range(0, N, 100):
            yield tuple(values[k : k + 100] for values in arrays)

    return blocks


@pytest.mark.parametrize("kind", ["array", "map", "function", "dask"])
def test_the_same_as_at_once(rows, tmp_path, kind):
    X, y, weights = rows
    whole = pipeline(None).fit(X, y, deterministicequivalentridge__sample_weight=weights)
    given = {"X": X, "y": y, "sample_weight": weights}
    if kind == "map":
        np.save(tmp_path / "X.npy", X)
        given["X"] = np.load(tmp_path / "X.npy", mmap_mode="r")
    elif kind == "function":
        given = {"X": blocks_of(*rows)}
    elif kind == "dask":
        da = pytest.importorskip("dask.array", reason="reads dask arrays")
        given["X"] = da.from_array(X, chunks=(70, 4))
    found = pipeline()
    assert fit_in_blocks(found, **given, sample_size=200, random_state=0) is found
    np.testing.assert_allclose(found[-1].coef_, whole[-1].coef_, rtol=1e-9)
    np.testing.assert_allclose(found.predict(X), whole.predict(X), rtol=1e-9)
    assert abs(found[-1].test_error_ / whole[-1].test_error_ - 1) < 0.05
    assert found[-1].n_samples_ == N


def test_steps_learn_from_a_sample_of_all_rows(rows):
    X, y, _ = rows
    scaled = make_pipeline(StandardScaler(), PCA(3), DeterministicEquivalentRidge(5.0))
    found = fit_in_blocks(scaled, X, y, sample_size=10_000)
    whole = clone(scaled).fit(X, y)
    np.testing.assert_allclose(found[1].components_, whole[1].components_, rtol=1e-9)
    few = [fit_in_blocks(clone(scaled), X, y, sample_size=50, random_state=k)[1] for k in (0, 0, 1)]
    assert few[0].n_samples_ == 50
    np.testing.assert_array_equal(few[0].mean_, few[1].mean_)
    assert np.abs(few[0].mean_ - few[2].mean_).max() > 1e-6
    steps = fit_in_blocks(make_pipeline(IncrementalPCA(3), DeterministicEquivalentRidge(5.0)), X, y)
    assert steps[0].n_samples_seen_ == N


def test_steps_that_are_fitted_stay_if_asked(rows):
    X, y, _ = rows
    other = StandardScaler().fit(X[:50])
    feature_map = FrozenEstimator(RandomDeepFeatures(30, random_state=1).fit(X))
    for keep, mean in ((True, X[:50].mean(axis=0)), (False, X.mean(axis=0))):
        steps = make_pipeline(other, feature_map, DeterministicEquivalentRidge(5.0))
        found = fit_in_blocks(steps, X, y, keep_fitted=keep)
        np.testing.assert_allclose(found[0].mean_, mean)
        np.testing.assert_array_equal(found[1].weights_[0], feature_map.weights_[0])
    assert other.n_samples_seen_ == 50, "transformers are cloned"


def test_an_iterator_is_read_once(rows):
    X, y, _ = rows
    blocks = blocks_of(X, y)
    with pytest.raises(ValueError, match="read once, and this needs them again"):
        fit_in_blocks(pipeline(), blocks())
    frozen = pipeline()
    fit_in_blocks(frozen, blocks)
    again = fit_in_blocks(frozen, blocks(), keep_fitted=True)
    np.testing.assert_allclose(again.predict(X), fit_in_blocks(pipeline(), blocks).predict(X))


def test_what_is_no_use(rows):
    X, y, _ = rows
    with pytest.raises(TypeError, match="must be a Pipeline; a ridge alone"):
        fit_in_blocks(DeterministicEquivalentRidge(), X, y)
    with pytest.raises(TypeError, match=r"The last step, Ridge\(\), is not fitted block by block"):
        fit_in_blocks(make_pipeline(StandardScaler(), Ridge()), X, y)
    for size in (0, 2.5, True):
        with pytest.raises(ValueError, match=r"sample_size=.* must be a whole number"):
            fit_in_blocks(pipeline(), X, y, sample_size=size)
    X[850, 2] = np.nan
    unfitted = pipeline()
    with pytest.raises(ValueError, match=r"Block 8: .*NaN"):
        fit_in_blocks(unfitted, X, y, sample_size=5, random_state=0)
    with pytest.raises(ValueError, match=r"'randomdeepfeatures', on a sample of the rows: .*NaN"):
        fit_in_blocks(unfitted, X, y)
    assert not hasattr(unfitted[0], "mean_"), "nothing of the pipeline has changed"
    with pytest.raises(ValueError, match="nothing can be learned from an empty stream"):
        fit_in_blocks(make_pipeline(PCA(), DeterministicEquivalentRidge()), lambda: iter([]))


def test_progress_is_shown_for_every_pass(rows, capsys, monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0.0)
    X, y, _ = rows
    fit_in_blocks(pipeline(), X, y, verbose=True)
    shown = capsys.readouterr().err
    for name in ("standardscaler: 100%", "sample: 100%", "fit: 100%"):
        assert name in shown


_FITTED_UNDER_A_LIMIT = """
import resource, sys
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.compose import fit_in_blocks

n, p, width = 200_000, 50, 200
X = np.lib.format.open_memmap(sys.argv[1], "w+", np.float64, (n, p))
rng = np.random.default_rng(0)
for k in range(0, n, 10_000):
    X[k : k + 10_000] = rng.normal(size=(10_000, p))
y = np.abs(X[:, 0]) + 1.0
X.flush()
pipeline = make_pipeline(
    StandardScaler(),
    RandomDeepFeatures(width, random_state=0),
    DeterministicEquivalentRidge(10.0, reservoir_size=1000),
)
held = int(open("/proc/self/statm").read().split()[5]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_DATA, (held + 200 * 2**20, -1))
try:
    np.ones((n, width))  # the features need 305 MiB
except MemoryError:
    fit_in_blocks(pipeline, X, y, sample_size=1000)
    print(pipeline[-1].n_samples_)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of a process")
def test_features_are_never_held(tmp_path):
    command = [sys.executable, "-c", _FITTED_UNDER_A_LIMIT, str(tmp_path / "X.npy")]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.stdout.strip() == "200000", ended.stderr
