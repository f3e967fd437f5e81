"""What the data tell of ridge's error: by the published protocol, and by leave-one-out transfer."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations import LeaveOneOutPopulation, PlugInPopulation

Rows = tuple[np.ndarray, np.ndarray]


def predict(population: Any, rows: Rows, n_samples: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """Return predicted errors of shape (n_samples, alphas), for ridge without an intercept."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        fitted = population.fit(*rows, fit_intercept=False)
        return fitted.test_error(n_samples[:, None], alphas, fit_intercept=False)


def plug_in(rows: Rows, n_samples: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """Predict by the published protocol: moments of rows that ridge never sees."""
    return predict(PlugInPopulation(), rows, n_samples, alphas)


def leave_one_out(rows: Rows, n_samples: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """Predict from one training set."""
    return predict(LeaveOneOutPopulation(), rows, n_samples, alphas)
