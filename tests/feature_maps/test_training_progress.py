"""Bars, scikit-learn's callbacks, and what an interruption leaves."""

import importlib.util
import sys
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

pytest.importorskip("torch")
pytest.importorskip("skorch")

import networks
from trained_cases import inputs, small

from sk_deepfeat.feature_maps import fit_tasks


def interrupt_after(n_steps, monkeypatch):
    from sk_deepfeat.feature_maps._torch.training import StateKeeper

    kept = StateKeeper.on_batch_end

    def on_batch_end(self, *args, **kwargs):
        kept(self, *args, **kwargs)
        if self.n_steps == n_steps:
            raise KeyboardInterrupt

    monkeypatch.setattr(StateKeeper, "on_batch_end", on_batch_end)


def test_bar_of_a_training(capsys):
    small(verbose=1, max_epochs=3).fit(*inputs())
    out, err = capsys.readouterr()
    assert out == ""
    assert "12/12" in err
    assert "epoch=3/3, train_loss=" in err
    small(verbose=1, max_epochs=0).fit(*inputs())
    small().fit(*inputs())
    assert capsys.readouterr() == ("", "")


def test_lines_of_a_training(capsys):
    small(verbose=2).fit(*inputs())
    out, err = capsys.readouterr()
    assert "train_loss" in out
    assert err == ""


def test_bar_of_a_long_transform(capsys):
    X, y = inputs(3000)
    feature_map = small(max_epochs=0, verbose=1).fit(X, y)
    features = feature_map.transform(X[:1024])
    assert capsys.readouterr().err == ""
    features = feature_map.transform(X)
    assert "3.00k/3.00k" in capsys.readouterr().err
    out = np.empty(features.shape)
    assert feature_map.transform(X, out=out) is out
    assert capsys.readouterr().err.count("3.00k/3.00k") == 1
    np.testing.assert_array_equal(out, features)


def test_an_interrupted_first_fit_is_no_fit(monkeypatch):
    X, y = inputs()
    feature_map = small(verbose=1)
    interrupt_after(3, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        feature_map.fit(X, y)
    with pytest.raises(NotFittedError):
        feature_map.transform(X)
    with pytest.raises(NotFittedError):
        check_is_fitted(feature_map)
    monkeypatch.undo()
    np.testing.assert_array_equal(
        feature_map.fit(X, y).transform(X), small().fit(X, y).transform(X)
    )


def test_an_interrupted_refit_leaves_the_last_fit(monkeypatch):
    X, y = inputs()
    feature_map = small(checkpoints=(0, 1)).fit(X, y > 0)
    features, kept = feature_map.transform(X), set(vars(feature_map))
    interrupt_after(3, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        feature_map.fit(X[:, :4], y)
    assert set(vars(feature_map)) == kept
    assert list(feature_map.classes_) == [False, True]
    np.testing.assert_array_equal(feature_map.transform(X), features)
    monkeypatch.undo()
    assert feature_map.fit(X[:, :4], y).transform(X[:, :4]).shape == (60, 5)
    assert not hasattr(feature_map, "classes_")


def test_a_refused_refit_leaves_the_last_fit():
    X, y = inputs()
    feature_map = small().fit(X, y)
    features = feature_map.transform(X)
    feature_map.set_params(module=networks.Net, layer="nothing")
    with pytest.raises(ValueError, match="layer='nothing'"):
        feature_map.fit(X[:, :4], y)
    assert feature_map.n_features_in_ == 6
    np.testing.assert_array_equal(feature_map.transform(X), features)


class Recorder:
    """A callback that notes what it is told, and may end the training."""

    def __init__(self, last=None):
        self.last, self.told, self.features = last, [], []

    def setup(self, estimator, context):
        self.told.append("setup")

    def teardown(self, estimator, context):
        self.told.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.told.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X, metadata, fitted_estimator):
        self.features.append(fitted_estimator.transform(X))
        if metadata is None:
            self.told.append(f"end {context.task_name}")
            return False
        assert metadata["train_loss"] > 0
        self.told.append(metadata["epoch"])
        return metadata["epoch"] == self.last


def test_callbacks_of_scikit_learn():
    pytest.importorskip("sklearn.callback", reason="came with scikit-learn 1.9")
    X, y = inputs()
    recorder = Recorder()
    feature_map = small(checkpoints=(1, 2)).set_callbacks(recorder).fit(X, y)
    epochs = ["begin epoch", 1, "begin epoch", 2]
    assert recorder.told == ["setup", "begin fit", *epochs, "end fit", "teardown"]
    # A callback sees the network as it is; the training is the same.
    stages = list(feature_map.staged_transform(X))
    for seen, expected in zip(recorder.features, [*stages, stages[-1]], strict=True):
        np.testing.assert_array_equal(seen, expected)
    np.testing.assert_array_equal(stages[-1], small().fit(X, y).transform(X))
    assert not [name for name in vars(feature_map) if "callback_fit" in name]


def test_a_callback_ends_the_training():
    pytest.importorskip("sklearn.callback", reason="came with scikit-learn 1.9")
    X, y = inputs()
    ended = small(max_epochs=5, checkpoints=(0, 1, 3, 4)).set_callbacks(Recorder(last=2)).fit(X, y)
    assert ended.n_iter_ == 2
    np.testing.assert_array_equal(ended.transform(X), small().fit(X, y).transform(X))
    assert len(list(ended.staged_transform(X))) == 2
    with pytest.raises(ValueError, match=r"epoch=3 is none of the checkpoints \(0.0, 1.0\)"):
        ended.at(epoch=3)


def test_callbacks_are_torn_down_after_an_interruption(monkeypatch):
    pytest.importorskip("sklearn.callback", reason="came with scikit-learn 1.9")
    recorder = Recorder()
    feature_map = small().set_callbacks(recorder)
    interrupt_after(5, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        feature_map.fit(*inputs())
    assert recorder.told == ["setup", "begin fit", "begin epoch", 1, "begin epoch", "teardown"]
    assert set(vars(feature_map)) - set(feature_map.get_params()) == {"_skl_callbacks"}


class Propagated(Recorder):
    max_propagation_depth = 1


def test_a_pipeline_hands_its_callbacks_on():
    pytest.importorskip("sklearn.callback", reason="came with scikit-learn 1.9")
    recorder = Propagated()
    pipeline = make_pipeline(small(), Ridge()).set_callbacks(recorder)
    recorder.on_fit_task_end = lambda estimator, context: recorder.told.append(
        f"end {context.task_name}"
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*Ridge does not support callbacks")
        pipeline.fit(*inputs())
    assert recorder.told.count("end epoch") == 2
    assert not hasattr(clone(small()), "_skl_callbacks")


def test_scikit_learn_without_callbacks(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.callback", None)
    spec = importlib.util.spec_from_file_location("fit_tasks_before", fit_tasks.__file__)
    before = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(before)
    assert before.with_callbacks(len) is len
    assert not hasattr(before.CallbackSupportMixin, "set_callbacks")
    tasks = before.FitTasks(object(), 3, None, None)
    tasks.begin_epoch()
    assert tasks.end_epoch(pytest.fail, {}) is False
    tasks.end(pytest.fail)
