"""What fits and questions leave where they are interrupted."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info

from sk_deepfeat import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
    RandomDeepFeatures,
    TwoStageClassifier,
    TwoStageRegressor,
)
from sk_deepfeat.compose import fit_in_blocks
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

    def begin(self, name, total, unit, side):
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
