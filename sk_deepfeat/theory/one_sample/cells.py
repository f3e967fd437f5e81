"""Cells of an error surface: what is asked, what is found, and answers by blocks of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.progress import stage
from sk_deepfeat.theory.answer import ErrorAnswer
from sk_deepfeat.theory.one_sample.evaluation import CurveRisk
from sk_deepfeat.theory.validation import FloatArray

_BLOCK_ENTRIES = 100_000


class CellErrors(NamedTuple):
    """Errors of some cells and how well they are known; shape (cells, t)."""

    error: FloatArray
    reachable: NDArray[np.bool_]
    growth_variance: FloatArray  # of log R(n)/R(n₀); zero up to n₀
    log_variance: FloatArray  # of log R, but for the scatter of training sets

    def put(self, cells: NDArray[np.bool_], found: CellErrors) -> None:
        """Write what was found for some cells."""
        for mine, theirs in zip(self, found, strict=True):
            mine[cells] = theirs


class Cells(NamedTuple):
    """What is asked, and what the theory says of it at n and at n₀."""

    n_samples: FloatArray
    alpha: FloatArray
    risk: CurveRisk
    at_n0: CurveRisk

    def some(self, cells: NDArray[np.bool_]) -> Cells:
        """Return a part of the cells."""
        risk, at_n0 = (CurveRisk(*(part[cells] for part in each)) for each in self[2:])
        return Cells(self.n_samples[cells], self.alpha[cells], risk, at_n0)


def by_blocks(
    answer: Callable[[FloatArray, FloatArray], ErrorAnswer],
    n_samples: FloatArray,
    alpha: FloatArray,
    n_outputs: int,
) -> ErrorAnswer:
    """Return the record of many cells of many outputs from records of some of them, to save memory.

    Parameters
    ----------
    answer : callable
        Maps n_samples and alpha of shape (cells,) to their record.
    n_samples, alpha : ndarray of shape (cells,)
        All cells.
    n_outputs : int
        Outputs of each.
    """
    step = max(_BLOCK_ENTRIES // max(n_outputs, 1), 1)
    if alpha.size <= step:
        return answer(n_samples, alpha)
    # What is known of an alpha, a block finds out once: those of one alpha go together.
    order = np.argsort(alpha, kind="stable")
    back = np.argsort(order)
    blocks = [order[start : start + step] for start in range(0, alpha.size, step)]
    records = []
    with stage("predicted errors", len(blocks)) as told:
        for block in blocks:
            records.append(answer(n_samples[block], alpha[block]))
            told.advance()

    def joined(name: str) -> Any:
        parts = [getattr(record, name) for record in records]
        if parts[0] is None or name == "degrees":
            return parts[0]
        axis = int(name == "deviations")
        return np.concatenate(parts, axis=axis).take(back, axis=axis)

    return ErrorAnswer(**{name: joined(name) for name in ErrorAnswer._fields})


def mixed(weight: FloatArray, mine: FloatArray, other: FloatArray) -> FloatArray:
    """Return weight·mine + (1 - weight)·other, where a weight of zero hides what is infinite."""
    other = (1.0 - weight) * np.where(weight < 1, other, 0.0)
    return np.asarray(weight * np.where(weight > 0, mine, 0.0) + other)
