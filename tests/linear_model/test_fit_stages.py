"""What fits tell while they last, and what they leave where they are interrupted."""

import inspect
import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info

from sk_deepfeat import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
    RandomDeepFeatures,
    TwoStageClassifier,
    TwoStageRegressor,
    progress,
)
from sk_deepfeat.compose import fit_in_blocks
from sk_deepfeat.model_selection import ridge_learning_curve
from sk_deepfeat.populations import LanczosPopulation, LeaveOneOutPopulation
from sk_deepfeat.progress import listening
from sk_deepfeat.report import write_report

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 20)) / np.arange(1, 21) ** 0.5
Y = X @ RNG.normal(size=20) + RNG.normal(size=300)
LABELS = np.digitize(Y, [-1, 1])
MAP = RandomDeepFeatures(30, random_state=0)
GROUPS = np.arange(300) // 3

ESTIMATORS = {
    "ridge": (DeterministicEquivalentRidge("optimal"), Y, {}),
    "groups": (DeterministicEquivalentRidge(), Y, {"groups": GROUPS}),
    "gcv": (DeterministicEquivalentRidge(population="gcv"), Y, {}),
    "plug-in": (DeterministicEquivalentRidge(population="plug-in"), Y, {}),
    "lanczos": (DeterministicEquivalentRidge(population=LanczosPopulation(n_sampled=100)), Y, {}),
    "stream": (DeterministicEquivalentRidge(reservoir_size=150), Y, {}),
    "classifier": (DeterministicEquivalentRidgeClassifier("optimal"), LABELS, {}),
    "two stages": (
        TwoStageRegressor(MAP, DeterministicEquivalentRidge(), random_state=0),
        Y,
        {},
    ),
    "two stages of classes": (
        TwoStageClassifier(
            MAP,
            DeterministicEquivalentRidgeClassifier(),
            random_state=0,
        ),
        LABELS,
        {},
    ),
}


class Interrupt:
    """Raises KeyboardInterrupt when it has heard so many things; counts what it hears."""

    def __init__(self, after=np.inf):
        self.after, self.count = after, 0

    def _hear(self):
        self.count += 1
        if self.count > self.after:
            raise KeyboardInterrupt

    def begin(self, name, total, unit, silent):
        self._hear()
        return self

    def advance(self, count):
        self._hear()

    def end(self, begun, done):
        if done:
            self._hear()


def moments(act):
    """Yield interrupts for some moments of what `act` does, the first and the last included."""
    listener = Interrupt()
    with listening(listener):
        act()
    assert listener.count > 0, "it tells nothing"
    for after in np.unique(np.linspace(0, listener.count - 1, 5).astype(int)):
        yield Interrupt(after)


def answers(estimator):
    found = [estimator.predict(X[:5]), estimator.test_error_, estimator.predict_kappa(100, 2.0)]
    return np.concatenate([np.ravel(each).astype(float) for each in found])


def threads():
    return [(each["filepath"], each["num_threads"]) for each in threadpool_info()]


@pytest.mark.filterwarnings("ignore::sk_deepfeat.exceptions.PopulationWarning")
@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_interrupted_fit_changes_nothing(name):
    unfitted, y, options = ESTIMATORS[name]
    fitted = clone(unfitted).fit(X, y, **options)
    before, known = vars(fitted).copy(), answers(fitted)
    limits, filters = threads(), warnings.filters[:]
    other = X[::-1] + 1.0
    for interrupt in moments(lambda: clone(unfitted).fit(other, y, **options)):
        with pytest.raises(KeyboardInterrupt), listening(interrupt):
            fitted.fit(other, y, **options)
        assert vars(fitted).keys() == before.keys()
        assert all(vars(fitted)[key] is value for key, value in before.items())
        fresh = clone(unfitted)
        with pytest.raises(KeyboardInterrupt), listening(Interrupt(interrupt.after)):
            fresh.fit(other, y, **options)
        assert not [key for key in vars(fresh) if key.endswith("_")], "it is not fitted"
    np.testing.assert_array_equal(answers(fitted), known)
    assert threads() == limits and warnings.filters == filters
    again = fitted.fit(other, y, **options)
    np.testing.assert_array_equal(answers(again), answers(clone(unfitted).fit(other, y, **options)))


@pytest.mark.parametrize(
    "population", [LeaveOneOutPopulation(), LanczosPopulation(n_sampled=100)], ids=["all", "few"]
)
def test_so_does_one_of_a_population(population):
    population = clone(population).fit(X, Y)
    before = vars(population).copy()
    for interrupt in moments(lambda: clone(population).fit(2.0 * X, Y)):
        with pytest.raises(KeyboardInterrupt), listening(interrupt):
            population.fit(2.0 * X, Y)
        assert all(vars(population)[key] is value for key, value in before.items())


def test_interrupted_questions_are_answered_when_they_are_asked_again():
    ridge = DeterministicEquivalentRidge("optimal").fit(X, Y)
    target = 1.05 * ridge.test_error_
    questions = {
        "check": lambda model: model.calibration_check([60, 120]).ratio,
        "required": lambda model: model.required_samples(target),
        "optimal": lambda model: model.optimal_alpha([100, 200]),
        "interval": lambda model: model.predict_test_error([50, 900], 3.0, return_interval=True),
    }
    for ask in questions.values():
        expected = ask(clone(ridge).fit(X, Y))
        for interrupt in moments(lambda ask=ask: ask(clone(ridge).fit(X, Y))):
            asked = clone(ridge).fit(X, Y)
            try:
                with listening(interrupt):
                    ask(asked)
            except KeyboardInterrupt:
                pass
            np.testing.assert_array_equal(ask(asked), expected)


def test_rows_that_were_half_added_are_not_learned_from(monkeypatch):
    ridge = DeterministicEquivalentRidge(reservoir_size=50).partial_fit(X[:200], Y[:200])
    known = answers(ridge)
    sums = ridge._sums

    def interrupted(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(type(sums.reservoir), "add", interrupted)
        ridge.partial_fit(X[200:], Y[200:])
    np.testing.assert_array_equal(answers(ridge), known)
    with pytest.raises(ValueError, match=r"was interrupted.*Start anew"):
        ridge.partial_fit(X[200:], Y[200:])
    ridge = clone(ridge).partial_fit(X[:200], Y[:200])
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(type(sums.reservoir), "add", interrupted)
        ridge.partial_fit(X[200:], Y[200:])
    with pytest.raises(ValueError, match="was interrupted"):
        _ = ridge.coef_
    with pytest.raises(ValueError, match="was interrupted"):
        type(sums)(reservoir_size=50, random_state=1).merge(ridge._sums)
    assert ridge.fit(X, Y).n_samples_ == 300, "fit starts anew"


def test_a_learning_that_waits_is_made_up_for():
    def waiting():
        return DeterministicEquivalentRidge(reservoir_size=50).partial_fit(X, Y)

    expected = answers(waiting())
    for interrupt in moments(lambda: waiting().coef_):
        ridge = waiting()
        with pytest.raises(KeyboardInterrupt), listening(interrupt):
            _ = ridge.coef_
        np.testing.assert_array_equal(answers(ridge), expected)


def test_interrupted_pipelines_stay_unfitted():
    def pipeline():
        return make_pipeline(StandardScaler(), DeterministicEquivalentRidge(reservoir_size=50))

    for interrupt in moments(lambda: fit_in_blocks(pipeline(), X, Y)):
        fitted = pipeline()
        with pytest.raises(KeyboardInterrupt), listening(interrupt):
            fit_in_blocks(fitted, X, Y)
        assert not hasattr(fitted[0], "mean_") and not hasattr(fitted[-1], "coef_")


def test_an_interrupted_report_leaves_the_old_one(tmp_path):
    pytest.importorskip("matplotlib", reason="reports have pictures")
    ridge = DeterministicEquivalentRidge().fit(X, Y)
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")
    for interrupt in (Interrupt(0), Interrupt(5)):
        with pytest.raises(KeyboardInterrupt), listening(interrupt):
            write_report(ridge, path)
    assert path.read_text(encoding="utf-8") == "old" and list(tmp_path.iterdir()) == [path]


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
    model = clone(ESTIMATORS["two stages of classes"][0]).set_callbacks(recorder)
    model.fit(X, LABELS)
    begun = [said[1:] for said in recorder.said if said[0] == "begin" and said[2] != "step"]
    readout = "DeterministicEquivalentRidgeClassifier"
    assert begun[:3] == [
        ("TwoStageClassifier", "fit"),
        ("TwoStageClassifier", "fit-feature-map"),
        (readout, "fit"),
    ]
    assert (readout, "noise of scores") in begun
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
    ridge = DeterministicEquivalentRidge().fit(X, Y).set_callbacks(recorder)
    before = vars(ridge).copy()
    for interrupt in moments(lambda: clone(ridge).fit(X[:200], Y[:200])):
        recorder.said.clear()
        with pytest.raises(KeyboardInterrupt), listening(interrupt):
            ridge.fit(X[:200], Y[:200])
        assert recorder.names("teardown") == ["fit"]
        assert vars(ridge) == before
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
