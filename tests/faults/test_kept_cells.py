"""Kept refits: found again to the bit, never those of something else, never damaged ones."""

import errno
import json
import os
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from fault_cases import ASKED, X, Y, assert_same, cells, curve, fate, fateful, full_disk
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import sk_deepfeat.whole_files as whole_files
from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.model_selection import kept_cells, measuring, ridge_learning_curve

PLAIN = curve()


@pytest.fixture
def refits(monkeypatch):
    """Count the refits of this process."""
    counted, measure = [], measuring.measure_subset

    def counting(*arguments):
        counted.append(1)
        return measure(*arguments)

    monkeypatch.setattr(measuring, "measure_subset", counting)
    return counted


@pytest.mark.parametrize("kind", ["string", "path", "memory"])
def test_a_second_run_refits_nothing(refits, tmp_path, kind):
    memory = {"string": str(tmp_path), "path": tmp_path}.get(kind) or joblib.Memory(tmp_path)
    assert_same(curve(memory=memory), PLAIN)
    assert len(refits) == 6
    assert_same(curve(memory=memory), PLAIN)
    assert len(refits) == 6


def test_a_memory_that_keeps_nothing(refits):
    for memory in (None, joblib.Memory(None)):
        assert_same(curve(memory=memory), PLAIN)
    assert len(refits) == 12


def test_other_sizes_and_repeats_take_what_is_the_same(refits, tmp_path):
    curve(memory=tmp_path)
    more = {"train_sizes": [40, 150, 200]}
    found = curve(memory=tmp_path, **more)
    assert len(refits) == 9
    np.testing.assert_array_equal(found.measured, curve(**more).measured)


def scaled(rows):
    return 2.0 * rows


def pipeline(**changed):
    steps = [("scale", StandardScaler()), ("double", FunctionTransformer(scaled))]
    steps += [("map", RandomDeepFeatures((8,), random_state=changed.get("seed", 0)))]
    return Pipeline([*steps, ("ridge", Ridge(fit_intercept=changed.get("intercept", True)))])


def one_changed():
    changed = X.copy()
    changed[441, 9] = np.nextafter(changed[441, 9], 1.0)
    return changed


CHANGES = {
    "rows": {"X": X * (1 + 1e-15)},
    "one entry": {"X": one_changed()},
    "precision": {"X": X.astype(np.float32)},
    "order in memory": {"X": np.asfortranarray(X)},
    "targets": {"y": np.nextafter(Y, 1e9)},
    "outputs": {"y": np.c_[Y, Y]},
    "weights": {"sample_weight": np.linspace(1.0, 2.0, len(Y))},
    "alphas": {"alphas": [0.1, np.nextafter(1.0, 2.0)]},
    "more alphas": {"alphas": [0.1, 1.0, 2.0]},
    "order of alphas": {"alphas": [1.0, 0.1]},
    "seed": {"random_state": 1},
    "intercept": {"estimator": Ridge(fit_intercept=False)},
    "steps": {"estimator": Pipeline([("scale", StandardScaler()), ("ridge", Ridge())])},
    "seed of a step": {"estimator": pipeline(seed=1)},
    "intercept after steps": {"estimator": pipeline(intercept=False)},
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with the refits of a ridge, of a pipeline, and of what was changed before."""
    folder = tmp_path_factory.mktemp("kept")
    for estimator in (None, pipeline()):
        curve(estimator, memory=folder)
    return folder


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_changed_never_finds_what_was_kept(refits, kept, change):
    found = curve(**CHANGES[change], memory=kept)
    assert len(refits) == 6
    expected = curve(**CHANGES[change])
    assert_same(found, expected)


@pytest.mark.parametrize("scoring", ["neg_log_loss"])
def test_scorings_are_kept_apart(refits, tmp_path, scoring):
    labels = (Y > 150).astype(int)
    slow = {**ASKED, "population": "leave-one-out"}
    asked = {**slow, "memory": tmp_path}
    for each in ("balanced_accuracy", scoring, scoring):
        found = ridge_learning_curve(RidgeClassifier(), X, labels, scoring=each, **asked)
    assert len(refits) == 12
    expected = ridge_learning_curve(RidgeClassifier(), X, labels, scoring=scoring, **slow)
    np.testing.assert_array_equal(found.measured, expected.measured)
    weighted = RidgeClassifier(class_weight="balanced")
    ridge_learning_curve(weighted, X, labels, scoring=scoring, **asked)
    assert len(refits) == 24


def test_another_version_finds_nothing(refits, tmp_path, monkeypatch):
    curve(memory=tmp_path)
    monkeypatch.setattr(kept_cells, "version", lambda name: "999")
    curve(memory=tmp_path)
    monkeypatch.setattr(kept_cells, "_own_source", lambda: "changed")
    curve(memory=tmp_path)
    assert len(refits) == 18


STEP = """
from sklearn.base import BaseEstimator, TransformerMixin


class Step(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X * {factor}
"""
OWN_STEP = """
import sys
import numpy as np
sys.path[:0] = [sys.argv[1], sys.argv[2]]
from own_step import Step
from fault_cases import curve
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

found = curve(make_pipeline(Step(), Ridge()), memory=sys.argv[1] + "/kept").measured
np.save(sys.argv[1] + "/found.npy", found)
"""


def test_changed_code_of_a_step_finds_nothing(tmp_path):
    found = []
    for factor in (1.0, 9.0):
        (tmp_path / "own_step.py").write_text(STEP.format(factor=factor))
        folders = str(tmp_path), os.path.dirname(__file__)
        subprocess.run([sys.executable, "-B", "-c", OWN_STEP, *folders], check=True, timeout=200)
        found.append(np.load(tmp_path / "found.npy"))
    assert np.all(found[0] != found[1]) and len(cells(tmp_path / "kept")) == 12


def test_code_that_cannot_be_seen_is_refused(tmp_path):
    hidden = Pipeline([("double", FunctionTransformer(lambda rows: 2.0 * rows)), ("r", Ridge())])
    with pytest.raises(TypeError, match=r"cannot tell a Pipeline from others \(Can't pickle"):
        curve(hidden, memory=tmp_path)
    assert cells(tmp_path) == []


def flipped(text):
    place = text.index(b"[") + 3
    return text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]


DAMAGES = {
    "empty": lambda text: b"",
    "half": lambda text: text[: len(text) // 2],
    "one bit": flipped,
    "zeros": lambda text: bytes(len(text)),
    "endless": lambda text: b"[" * 10_000_000,
    "a list": lambda text: b"[1, 2]",
    "no digest": lambda text: json.dumps({"errors": [1.0, 2.0]}).encode(),
    "one error too few": lambda text: text.replace(b", ", b"", 1),
    "a pickle": lambda text: b"cos\nsystem\n(S'touch owned'\ntR.",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_cells_are_computed_again(refits, tmp_path, damage):
    curve(memory=tmp_path)
    file = cells(tmp_path)[2]
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    with pytest.warns(RuntimeWarning, match=f"{file.name} holds no whole refit") as caught:
        found = curve(memory=tmp_path)
    assert len(caught) == 1 and caught[0].filename.endswith("fault_cases.py")
    assert_same(found, PLAIN)
    assert len(refits) == 7
    assert_same(curve(memory=tmp_path), PLAIN)
    assert len(refits) == 7, "the whole refit has replaced it"


def test_a_cell_under_the_name_of_another_is_not_taken(refits, tmp_path):
    curve(memory=tmp_path)
    first, second, *_ = cells(tmp_path)
    second.write_bytes(first.read_bytes())
    with pytest.warns(RuntimeWarning, match="its digest is another one"):
        assert_same(curve(memory=tmp_path), PLAIN)


def test_a_folder_in_the_place_of_a_cell(refits, tmp_path):
    curve(memory=tmp_path)
    file = cells(tmp_path)[0]
    file.unlink()
    file.mkdir()
    with pytest.warns(RuntimeWarning) as caught:
        assert_same(curve(memory=tmp_path), PLAIN)
    said = [str(each.message) for each in caught]
    assert "holds no whole refit" in said[0] and "Refits are not kept in" in said[1]


def test_a_full_disk_loses_no_result(refits, tmp_path, monkeypatch):
    monkeypatch.setattr(whole_files, "_write", full_disk)
    with pytest.warns(RuntimeWarning, match="No space left on device") as caught:
        found = curve(memory=tmp_path)
    assert len(caught) == 1, "one warning is enough"
    assert_same(found, PLAIN)
    assert cells(tmp_path) == []


def test_a_disk_that_fills_up_keeps_what_it_holds(refits, tmp_path, monkeypatch):
    write, calls = whole_files._write, []

    def filling(*arguments):
        calls.append(1)
        return full_disk() if len(calls) > 2 else write(*arguments)

    monkeypatch.setattr(whole_files, "_write", filling)
    with pytest.warns(RuntimeWarning, match="This run goes on"):
        assert_same(curve(memory=tmp_path), PLAIN)
    assert len(cells(tmp_path)) == 2


def test_a_small_disk_that_is_full(refits, tmp_path):
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(tmp_path)], capture_output=True
    ).returncode:
        pytest.skip("a small disk is needed: tmpfs cannot be mounted here")
    try:
        with pytest.raises(OSError, match="No space left"):
            (tmp_path / "filler").write_bytes(bytes(100_000))
        with pytest.warns(RuntimeWarning, match="No space left on device"):
            assert_same(curve(memory=tmp_path), PLAIN)
        assert [path.name for path in tmp_path.rglob("*.part")] == []
        (tmp_path / "filler").unlink()
        assert_same(curve(memory=tmp_path), PLAIN)
        assert len(cells(tmp_path)) == 6
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_folder_that_vanishes(tmp_path):
    memory = tmp_path / "kept"
    memory.mkdir()
    with (
        fate(memory, "vanishes"),
        pytest.warns(RuntimeWarning, match="No such file or directory"),
    ):
        found = curve(fateful(memory), memory=memory)
    assert not memory.exists()
    assert_same(found, curve(fateful(memory)))


@pytest.mark.parametrize("place", ["file", "below a file", "/proc"])
def test_no_folder_can_be_made(tmp_path, place):
    (tmp_path / "file").write_text("")
    known = {"file": tmp_path / "file", "below a file": tmp_path / "file" / "kept"}
    with pytest.raises(ValueError, match=r"memory=.* can be no folder to keep refits in: .*Name "):
        curve(memory=known.get(place, "/proc/kept"))


@pytest.mark.parametrize("memory", [3, True, b"folder", object()])
def test_what_is_no_folder(memory):
    with pytest.raises(TypeError, match="must be None, the path of a folder or a joblib"):
        curve(memory=memory)


def test_without_a_seed_nothing_is_found_and_that_is_said(tmp_path):
    with pytest.raises(ValueError, match="pass an integer as random_state"):
        curve(memory=tmp_path, random_state=None)


def test_two_runs_at_once(tmp_path):
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: curve(memory=tmp_path), range(4)))
    for each in found:
        assert_same(each, PLAIN)
    assert len(cells(tmp_path)) == len([*tmp_path.rglob("*.*")]) == 6


@pytest.mark.parametrize("backend", ["threading", "multiprocessing"])
def test_backends_find_each_others_cells(refits, tmp_path, backend):
    estimator = DeterministicEquivalentRidge()
    expected = curve(estimator)
    with joblib.parallel_config(backend):
        assert_same(curve(estimator, memory=tmp_path, n_jobs=2), expected)
    assert len(cells(tmp_path)) == 6
    before = len(refits)
    assert_same(curve(estimator, memory=tmp_path), expected)
    assert len(refits) == before


@pytest.mark.parametrize("estimator", [Ridge(), pipeline()], ids=["ridge", "pipeline"])
def test_rows_of_a_memory_map_are_the_same_rows(refits, tmp_path, estimator):
    np.save(tmp_path / "rows.npy", X)
    expected = curve(estimator, memory=tmp_path)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    assert_same(curve(estimator, X=mapped, memory=tmp_path), expected)
    assert len(refits) == 6


def test_a_refit_that_cannot_get_its_name(tmp_path, monkeypatch):
    def failing(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(whole_files.os, "replace", failing)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert_same(curve(memory=tmp_path), PLAIN)
    assert "Input/output error" in str(caught[0].message)
    assert list(tmp_path.rglob("*.part")) == []
