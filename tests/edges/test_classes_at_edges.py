"""The classifier at the edges: two rows, one row of a class, no features, every alpha and size."""

import warnings

import numpy as np
import pytest
from edge_tables import ALPHAS, SIZES, TABLES

from sk_deepfeat import DeterministicEquivalentRidgeClassifier
from sk_deepfeat.exceptions import PopulationWarning

CELLS = SIZES[:, None], ALPHAS
LABELS = {
    "in turn": lambda n: np.where(np.arange(n) % 2, "a", "b"),
    "three": lambda n: np.arange(n) % 3,
    "one row of a class": lambda n: np.arange(n) == 0,
}
QUICK = ("two rows", "no features", "wide")
ONE_OUTPUT = [name for name, (_, y) in TABLES.items() if y.ndim == 1]


def cases(quick_tables):
    """Return all cases, of which all but a few are left to the nightly run."""
    return [
        pytest.param(
            *(table, labels),
            marks=() if table in quick_tables and labels != "three" else pytest.mark.statistical,
        )
        for table in ONE_OUTPUT
        for labels in LABELS
    ]


@pytest.fixture(autouse=True)
def _statistical_doubts_are_no_faults():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        yield


def fitted(table, labels, alpha=1.0):
    X = TABLES[table][0]
    return DeterministicEquivalentRidgeClassifier(alpha).fit(X, LABELS[labels](len(X)))


@pytest.mark.parametrize(("table", "labels"), cases(QUICK))
def test_error_rates_of_every_cell(table, labels):
    model = fitted(table, labels)
    error, lower, upper = model.predict_test_error(*CELLS, return_interval=True)
    known = ~np.isnan(error)
    assert np.all((error[known] >= 0.0) & (error[known] <= 1.0))
    assert np.all(lower[known] <= error[known] * (1 + 1e-12))
    assert np.all(error[known] <= upper[known] * (1 + 1e-12))
    best = model.optimal_alpha(SIZES[:3])
    assert np.all((best >= 0) | np.isnan(best))
    needed = model.required_samples(0.2, 1.0)
    assert needed >= 1 or np.isnan(needed)


@pytest.mark.parametrize("alpha", [0.0, 1e-320, 1e300])
@pytest.mark.parametrize(("table", "labels"), cases(("two rows", "one row with features")))
def test_fits_at_every_alpha(table, labels, alpha):
    model = fitted(table, labels, alpha)
    assert set(model.predict(TABLES[table][0])) <= set(model.classes_)
    error = model.predict_test_error()
    assert np.isnan(error) or 0.0 <= error <= 1.0


def test_one_class_alone_is_refused():
    X = TABLES["wide"][0]
    for labels in (np.zeros(len(X)), ["a"] * len(X), [True] * len(X)):
        with pytest.raises(ValueError, match="y has one class alone"):
            DeterministicEquivalentRidgeClassifier().fit(X, labels)
