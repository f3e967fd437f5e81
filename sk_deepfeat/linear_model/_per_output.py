"""Records in which each output is asked at an alpha of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sk_deepfeat.theory import ErrorAnswer
from sk_deepfeat.theory.validation import FloatArray

_BLOCK_ENTRIES = 1_000_000
_SOME_N = 2.0

# Cells of (n_samples, alpha) to their record.
Ask = Callable[[FloatArray, FloatArray], Any]


def answer_per_output(
    ask: Ask, n_samples: FloatArray, alphas: FloatArray, share: FloatArray | None = None
) -> ErrorAnswer:
    """Return a record in which output k of each cell is that at its own alpha.

    Outputs of one alpha are asked together.

    Parameters
    ----------
    ask : callable
        Returns the record of some cells, for all outputs.
    n_samples : ndarray
        Numbers of samples.
    alphas : ndarray of shape n_samples.shape + (t,)
        Regularisations.
    share : ndarray of that shape, optional
        What multiplies the errors; NaN: nothing is known.

    Returns
    -------
    ErrorAnswer
        Of cells of the shape of `n_samples`; ``kappa`` and ``reachable`` have an axis of outputs.
    """
    n_outputs = alphas.shape[-1]
    flat = alphas.reshape(-1, n_outputs)
    if not n_samples.size:  # a record of no cell is part of that of one
        one = answer_per_output(ask, np.full(1, _SOME_N), np.ones((1, n_outputs)))
        return _none_of(one, n_samples.shape)
    records = [_of_one(ask, n, own) for n, own in zip(n_samples.ravel(), flat, strict=True)]
    found = _stacked(records, n_samples.shape)
    if share is None:
        return found
    return found.per_output(share)._replace(
        reachable=found.reachable & ~np.isnan(share),
        kappa=np.where(np.isnan(share), np.nan, found.kappa),
    )


def _none_of(record: ErrorAnswer, shape: tuple[int, ...]) -> ErrorAnswer:
    """Return the first none of a record's cells, in another shape of none."""

    def none(name: str) -> Any:
        values = getattr(record, name)
        if values is None or name == "degrees":
            return values
        if name == "parts":
            return tuple(part[:0].reshape(*shape, *part.shape[1:]) for part in values)
        if name == "deviations":
            return values[:, :0].reshape(len(values), *shape, *values.shape[2:])
        return values[:0].reshape(*shape, *values.shape[1:])

    return ErrorAnswer(**{name: none(name) for name in ErrorAnswer._fields})


def _of_one(ask: Ask, n: float, alphas: FloatArray) -> ErrorAnswer:
    """Return the record of one n, without an axis of cells."""
    some, place = np.unique(alphas, return_inverse=True)
    step = max(_BLOCK_ENTRIES // alphas.size, 1)
    made: dict[str, Any] = {}
    for start in range(0, some.size, step):
        part = some[start : start + step]
        record = as_record(ask(np.full(part.shape, n), part))
        outputs = np.flatnonzero((place >= start) & (place < start + part.size))
        for name, values in _picked(record, place[outputs] - start, outputs).items():
            if values is None or name == "degrees":
                made[name] = values
                continue
            if name not in made:
                made[name] = np.zeros((*values.shape[:-1], alphas.size), dtype=values.dtype)
            made[name][..., outputs] = values
    parts = made.pop("parts")
    return ErrorAnswer(**made, parts=None if parts is None else tuple(parts))


def _picked(record: ErrorAnswer, cells: Any, outputs: Any) -> dict[str, Any]:
    """Return some outputs, each of one cell; the last axis is theirs."""
    found: dict[str, Any] = {"degrees": record.degrees}
    for name in ("reachable", "kappa"):
        found[name] = np.asarray(getattr(record, name))[cells]
    for name in (
        *("error", "train_error", "bias_and_noise", "cautious_error"),
        *("log_variance", "common_variance"),
    ):
        values = getattr(record, name)
        found[name] = None if values is None else values[cells, outputs]
    found["parts"] = None
    if record.parts is not None:
        found["parts"] = np.stack([part[cells, outputs] for part in record.parts])
    found["deviations"] = None
    if record.deviations is not None:
        found["deviations"] = record.deviations[:, cells, outputs]
    return found


def _stacked(records: list[ErrorAnswer], shape: tuple[int, ...]) -> ErrorAnswer:
    """Return one record of several cells."""

    def joined(name: str) -> Any:
        values = [getattr(record, name) for record in records]
        if values[0] is None or name == "degrees":
            return values[0]
        if name == "parts":
            return tuple(_cells(part, shape) for part in zip(*values, strict=True))
        if name == "deviations":
            return np.moveaxis(_cells(values, shape), -2, 0)
        return _cells(values, shape)

    return ErrorAnswer(**{name: joined(name) for name in ErrorAnswer._fields})


def _cells(values: Any, shape: tuple[int, ...]) -> Any:
    stacked = np.stack(values)
    return stacked.reshape(*shape, *stacked.shape[1:])


def as_record(found: Any) -> ErrorAnswer:
    """Return what a population with separate members knows as a record.

    What it knows of intervals has no place in one.
    """
    if isinstance(found, ErrorAnswer):
        return found
    parts = found.decomposition()
    return ErrorAnswer(
        found.error,
        found.reachable,
        found.kappa,
        found.train_error,
        None if parts is None else parts.bias_and_noise,
        None if parts is None else tuple(parts),
        found.cautious_error,
    )
