"""What fits tell while they last: to bars, and to scikit-learn's callbacks."""

import inspect
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_deepfeat import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
    RandomDeepFeatures,
    TwoStageClassifier,
    TwoStageRegressor,
    progress,
)
from sk_deepfeat.linear_model import fit_stages
from sk_deepfeat.model_selection import ridge_learning_curve
from sk_deepfeat.progress import listening

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 20)) / np.arange(1, 21) ** 0.5
Y = X @ RNG.normal(size=20) + RNG.normal(size=300)
LABELS = np.digitize(Y, [-1, 1])


def test_verbose_shows_what_takes_long(capsys, monkeypatch, tmp_path):
    ridge = DeterministicEquivalentRidge().fit(X, Y)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "DELAY", 0.0)
    clone(ridge).set_params(verbose=True).fit(X, Y)
    shown = capsys.readouterr().err
    assert "leave-one-out errors: 100%" in shown and "300/300" in shown
    ridge.calibration_check([60])
    assert capsys.readouterr().err == ""
    ridge.set_params(verbose=True).calibration_check([60])
    assert "ridge on subsets: 100%" in capsys.readouterr().err
    model = DeterministicEquivalentRidgeClassifier(verbose=True).fit(X, LABELS)
    assert "noise of scores: 100%" in capsys.readouterr().err
    model.required_samples(0.9 * model.test_error_ + 0.05)
    assert "required samples" in capsys.readouterr().err
    ridge_learning_curve(ridge, X, Y, train_sizes=[100], alphas=[1.0], n_repeats=2, verbose=1)
    shown = capsys.readouterr().err
    assert "refits: 100%" in shown and "2/2" in shown


def test_fit_is_called_as_before():
    for estimator in (DeterministicEquivalentRidge, TwoStageRegressor):
        given = inspect.signature(estimator.fit).parameters
        assert list(given) == ["self", "X", "y", "sample_weight", "groups"]
    with pytest.raises(TypeError, match="missing a required argument: 'X'"):
        DeterministicEquivalentRidge().fit()
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        DeterministicEquivalentRidge().fit(X, Y, z=1)


class Recorder:
    """A callback of scikit-learn's, which passes itself on to what is inside."""

    max_propagation_depth = None

    def __init__(self):
        self.said = []

    def setup(self, estimator, context):
        self.said.append(("setup", type(estimator).__name__, context.task_name))

    def teardown(self, estimator, context):
        self.said.append(("teardown", type(estimator).__name__, context.task_name))

    def on_fit_task_begin(self, estimator, context):
        self.said.append(("begin", type(estimator).__name__, context.task_name))

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.said.append(("end", type(estimator).__name__, context.task_name))
        if context.parent is None and fitted_estimator is not None:
            self.error = fitted_estimator.test_error_

    def names(self, what):
        return [name for kind, _, name in self.said if kind == what]


@pytest.fixture
def recorder():
    pytest.importorskip("sklearn.callback", reason="scikit-learn 1.8 has no callbacks")
    return Recorder()


def test_callbacks_hear_of_stages(recorder):
    ridge = DeterministicEquivalentRidge("optimal").set_callbacks(recorder).fit(X, Y)
    assert recorder.names("setup") == recorder.names("teardown") == ["fit"]
    tasks = [name for name in recorder.names("begin") if name != "step"]
    assert tasks == [
        "fit",
        "factorisation",
        "dependence of rows",
        "leave-one-out errors",
        "ridge on subsets",
        "coefficients and alpha",
    ]
    assert sorted(recorder.names("begin")) == sorted(recorder.names("end"))
    assert recorder.error == ridge.test_error_
    assert not [name for name in vars(ridge) if "callback" in name and name != "_skl_callbacks"]
    np.testing.assert_array_equal(
        ridge.coef_, DeterministicEquivalentRidge("optimal").fit(X, Y).coef_
    )
    assert pickle.loads(pickle.dumps(clone(ridge).set_callbacks().fit(X, Y))).n_samples_ == 300


def test_callbacks_hear_of_stages_inside_of_others(recorder):
    readout = DeterministicEquivalentRidgeClassifier()
    model = TwoStageClassifier(RandomDeepFeatures(30), readout).set_callbacks(recorder)
    model.fit(X, LABELS)
    begun = [said[1:] for said in recorder.said if said[0] == "begin" and said[2] != "step"]
    name = "DeterministicEquivalentRidgeClassifier"
    assert begun[:3] == [
        ("TwoStageClassifier", "fit"),
        ("TwoStageClassifier", "fit-feature-map"),
        (name, "fit"),
    ]
    assert (name, "noise of scores") in begun
    assert not hasattr(model.readout_, "_skl_callbacks")
    recorder.said.clear()
    make_pipeline(StandardScaler(), DeterministicEquivalentRidge()).set_callbacks(recorder).fit(
        X, Y
    )
    assert ("begin", "DeterministicEquivalentRidge", "factorisation") in recorder.said
    recorder.said.clear()
    search = GridSearchCV(DeterministicEquivalentRidge(), {"alpha": [1.0, 10.0]}, cv=2)
    search.set_callbacks(recorder).fit(X, Y)
    assert recorder.names("begin").count("factorisation") == 5


def test_interrupted_fits_tear_callbacks_down(recorder):
    class Interrupted:
        def begin(self, name, total, unit, side):
            if name == "ridge on subsets":
                raise KeyboardInterrupt

        def end(self, begun, done):
            assert not (done and begun)

    ridge = DeterministicEquivalentRidge().fit(X, Y).set_callbacks(recorder)
    before = vars(ridge).copy()
    with pytest.raises(KeyboardInterrupt), listening(Interrupted()):
        ridge.fit(X[:200], Y[:200])
    assert recorder.names("teardown") == ["fit"] and vars(ridge) == before
    with pytest.raises(ValueError, match="alpha=-1"):
        ridge.set_params(alpha=-1).fit(X, Y)
    assert recorder.names("teardown") == ["fit", "fit"]


def test_a_bar_of_scikit_learn_shows_a_fit(capsys):
    callback = pytest.importorskip("sklearn.callback", reason="scikit-learn 1.8 has no callbacks")
    pytest.importorskip("rich", reason="scikit-learn's bars are made by rich")
    DeterministicEquivalentRidge().set_callbacks(callback.ProgressBar()).fit(X, Y)
    assert "leave-one-out errors" in capsys.readouterr().out


def test_warnings_are_about_the_line_that_fits():
    doubled = np.vstack([X, X])
    for estimator in (DeterministicEquivalentRidge(), DeterministicEquivalentRidge(verbose=True)):
        with pytest.warns(UserWarning, match="exact copies") as caught:
            estimator.fit(doubled, np.r_[Y, Y])
        assert {each.filename for each in caught} == {__file__}


class Task:
    """What scikit-learn gives an estimator to tell callbacks by."""

    def __init__(self):
        self.told = []

    def call_on_fit_task_begin(self, **given):
        self.told.append(("begin", given))

    def call_on_fit_task_end(self, **given):
        self.told.append(("end", given))

    def subcontext(self, **given):
        self.told.append(("part", given))
        return self


class Called:
    """An estimator that has callbacks."""

    _skl_callbacks = ()

    def __init__(self):
        self.task = Task()

    def _init_callback_context(self, max_subtasks):
        self.most = max_subtasks
        return self.task


@pytest.mark.parametrize("parts", [None, 2])
@pytest.mark.parametrize("called_back", [True, False])
def test_stages_are_listened_to_where_they_are_the_tasks(parts, called_back, monkeypatch):
    monkeypatch.setattr(
        fit_stages, "_tear_down", lambda estimator: estimator.task.told.append("end")
    )
    estimator = Called() if called_back else type("Quiet", (Called,), {})()
    if not called_back:
        monkeypatch.delattr(Called, "_skl_callbacks")
    rows = {"X": X, "y": Y}
    with fit_stages._task_of_fit(estimator, parts, rows) as listener:
        assert (listener is not None) is (parts is None and called_back)
    assert estimator.most == parts
    (begin, given), (end, left), last = estimator.task.told
    assert (begin, end, last) == ("begin", "end", "end")
    assert given == {"estimator": estimator, **rows}
    assert left == {"estimator": estimator, **rows, "reconstruction_attributes": {}}


def test_a_part_of_a_fit_is_a_task_with_its_rows():
    estimator = Called()
    with fit_stages.part_of_fit(estimator, "readout", None, X, Y):
        assert estimator.task.told == [], "outside of a fit nobody listens"
    estimator._callback_fit_ctx = estimator.task
    with fit_stages.part_of_fit(estimator, "readout", None, X, Y):
        pass
    given = {"estimator": estimator, "X": X, "y": Y}
    assert estimator.task.told == [
        ("part", {"task_name": "readout"}),
        ("begin", given),
        ("end", given),
    ]
