"""Training sets that hypothesis draws, and what a fitted ridge answers to every public question."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations import LanczosPopulation, LeaveOneOutPopulation

KINDS = ("gaussian", "power law", "heavy tails", "clusters", "rare column")
POPULATIONS = ("leave-one-out", "gcv", "plug-in", "lanczos")
WITH_INTERVALS = ("leave-one-out", "lanczos")

any_seed = st.integers(0, 2**32 - 1)
any_population = st.sampled_from(POPULATIONS)

# Powers of the unit of y and of that of X in which a quantity is counted; (0, 0) where not named.
UNITS = {
    **dict.fromkeys(("error", "lower", "upper", "train_error", "noise"), (2, 0)),
    **dict.fromkeys(("bias_and_noise", "total_variance", "least_error"), (2, 0)),
    **dict.fromkeys(("test_error_", "train_error_"), (2, 0)),
    **dict.fromkeys(("kappa", "kappa_", "optimal_alpha", "eigenvalues_"), (0, 2)),
    "coef_": (1, -1),
    "intercept_": (1, 0),
}


@dataclass(frozen=True)
class Training:
    """Rows with their targets, and how ridge is fitted to them."""

    X: np.ndarray
    y: np.ndarray
    alpha: float
    population: object
    fit_intercept: bool = True

    @property
    def n(self):
        return len(self.X)

    def fit(self, **fitted_to):
        """Return the ridge, of these rows and targets or of others."""
        alpha = fitted_to.pop("alpha", self.alpha)
        of = replace(self, **{k: v for k, v in fitted_to.items() if k in ("X", "y", "population")})
        rest = {k: v for k, v in fitted_to.items() if k not in ("X", "y", "population")}
        ridge = DeterministicEquivalentRidge(
            alpha, fit_intercept=self.fit_intercept, population=of.population
        )
        return silently(lambda: ridge.fit(of.X, of.y, **rest))

    def cells(self):
        """Return n and alpha of questions: below, at and beyond the training size."""
        n = np.array([2, max(2, self.n // 3), self.n, 2 * self.n, 7 * self.n], dtype=float)
        scale = float(np.square(self.X).sum() / self.n)
        return n, scale * np.array([1e-3, 0.1, 1.0, 30.0]), self.n


def silently(function):
    """Return what a function does, its statistical warnings unheard; all others are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        return function()


@st.composite
def rows_of(draw, n, p, kinds=KINDS):
    """Draw n rows of p features of one of several kinds, of sizes about one."""
    kind, rng = draw(st.sampled_from(kinds)), np.random.default_rng(draw(any_seed))
    X = rng.normal(size=(n, p))
    if kind == "power law":
        X *= np.arange(1, p + 1) ** -draw(st.floats(0.2, 1.5))
    elif kind == "heavy tails":
        X *= np.exp(0.8 * rng.normal(size=(n, 1)))
    elif kind == "clusters":
        X = rng.normal(size=(3, p))[rng.integers(3, size=n)] + 0.3 * X
    elif kind == "rare column":
        X[:, 0] *= rng.random(n) < 0.1
    return X


few_rows, few_columns, any_intercept = st.integers(6, 60), st.integers(1, 30), st.booleans()


@st.composite
def trainings(
    draw,
    rows=few_rows,
    columns=few_columns,
    populations=any_population,
    intercepts=any_intercept,
    kinds=KINDS,
    outputs=None,
):
    """Draw a training set, partly explained by its features; `outputs` makes y two-dimensional."""
    n, p = draw(rows), draw(columns)
    X = draw(rows_of(n, p, kinds))
    rng = np.random.default_rng(draw(any_seed))
    size = () if outputs is None else (outputs,)
    noise = draw(st.sampled_from([0.1, 1.0, 10.0]))
    y = X @ rng.normal(size=(p, *size)) / np.sqrt(p) + noise * rng.normal(size=(n, *size))
    alpha = 10.0 ** draw(st.floats(-3.0, 3.0))
    return Training(X, y, alpha, draw(populations), draw(intercepts))


def uncalibrated(population):
    """Return a population whose answers up to its rows rest on no random subsets of them."""
    return {
        "leave-one-out": LeaveOneOutPopulation(calibrate=False),
        "lanczos": LanczosPopulation(calibrate=False),
    }.get(population, population)


def answers(ridge, cells, *, targets=(1.05, 1.5)):
    """Return what a fitted ridge answers to every public question, by name.

    `cells` are n, alphas and the training size; `targets` of `required_samples` are multiples of
    the least error at the training size.
    """
    n, alpha, n_rows = cells
    grid = {"n_samples": n[:, None], "alpha": alpha}
    raw = {"multioutput": "raw_values"}
    found = {
        "train_error": ridge.predict_train_error(**grid, **raw),
        "kappa": ridge.predict_kappa(**grid),
        "reachable": ridge.reachable(**grid),
    }
    try:
        found["error"], found["lower"], found["upper"] = ridge.predict_test_error(
            **grid, **raw, return_interval=True
        )
        found["score"], found["least_score"], found["most_score"] = ridge.predict_score(
            **grid, return_interval=True
        )
    except ValueError as error:
        if "does not implement interval" not in str(error):
            raise
        found["error"] = ridge.predict_test_error(**grid, **raw)
        found["score"] = ridge.predict_score(**grid)
    parts = ridge.predict_decomposition(**grid, **raw)
    for name in ("bias_and_noise", "total_variance", "noise"):
        found[name] = getattr(parts, name)
    found["df1"], found["df2"] = ridge.degrees_of_freedom(alpha)
    found["least_error"] = silently(lambda: ridge.predict_test_error(n, "optimal"))
    found["optimal_alpha"] = silently(lambda: ridge.optimal_alpha(n))
    least = float(silently(lambda: ridge.predict_test_error(n_rows, "optimal")))
    found["required"] = np.array(
        [silently(lambda t=t: ridge.required_samples(t * least)) for t in targets]
        + [silently(lambda: ridge.required_samples(1.2 * least, float(alpha[2])))]
    )
    for name in ("coef_", "intercept_", "test_error_", "train_error_", "kappa_", "eigenvalues_"):
        if hasattr(ridge, name):
            found[name] = getattr(ridge, name)
    return {name: np.asarray(value) for name, value in found.items()}


# How exactly a minimum over alpha is known: its error is flat there.
FLAT = {"optimal_alpha": 1e-2}


PARTS = {"noise", "total_variance", "variance", "bias", "noise_variance"}


def assert_same(after, before, *, rtol, of_y=1.0, of_X=1.0, atol=0.0, but=()):
    """Assert that answers are the same in units of y and X that are so many times as large.

    `atol` is in units of the largest number of each kind. Required samples are whole numbers,
    which rounding may move by one.
    """
    assert after.keys() == before.keys()
    for name in before.keys() - set(but):
        y_power, x_power = UNITS.get(name, (0, 0))
        factor = float(of_y) ** y_power * float(of_X) ** x_power
        expected, found = before[name], after[name] / factor
        # Parts of an error may be none, or the rounding of the whole.
        known = before["test_error_"] if name in PARTS else expected
        known = known[np.isfinite(known)]
        size = np.abs(known).max() if known.size else 0.0
        at_least = 1.0 if name == "required" else atol * size
        np.testing.assert_allclose(
            *(found, expected),
            rtol=max(rtol, FLAT.get(name, 0.0)),
            atol=at_least,
            err_msg=name,
        )
