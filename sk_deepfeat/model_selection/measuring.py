"""The measured side of a learning curve: all its refits, spread over workers, and kept."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits

from sk_deepfeat.model_selection.curve_errors import Errors
from sk_deepfeat.model_selection.kept_cells import KeptCells
from sk_deepfeat.model_selection.refits import measure_subset
from sk_deepfeat.model_selection.splits import Split
from sk_deepfeat.progress import showing, stage
from sk_deepfeat.theory.validation import FloatArray

Cell = tuple[int, int]


class Refitted(NamedTuple):
    """What all refits share, of `measure_subset`."""

    features: Any
    X: Any
    y: NDArray[Any]
    alphas: FloatArray
    fit_intercept: bool
    errors: Errors
    weights: FloatArray | None


def measure_cells(
    refitted: Refitted,
    splits: list[list[Split]],
    *,
    n_jobs: int | None = None,
    folder: Path | None = None,
    verbose: Any = 0,
) -> FloatArray:
    """Return the errors of all subsets.

    Parameters
    ----------
    refitted : Refitted
        What the refits share.
    splits : list of lists
        ``splits[s][r] = (train, test)``, s from small to large or in any other order.
    n_jobs : int, optional
        Parallel tasks.
    folder : pathlib.Path, optional
        Where refits are kept as they finish, and looked for.
    verbose : int, default=0
        Whether there is a bar of progress.

    Returns
    -------
    ndarray of shape (S, A, R)
        NaN where the run was interrupted before, with a warning.

    Raises
    ------
    BrokenProcessPool
        If a worker was killed.
    """
    sizes = np.array([repeats[0][0].size for repeats in splits])
    # The largest subsets go first, so that no long task is left alone at the end.
    order = [(int(s), r) for s in np.argsort(-sizes, kind="stable") for r in range(len(splits[s]))]
    measured = np.full((len(splits), refitted.alphas.size, len(splits[0])), np.nan)
    kept, paths = None, dict[Cell, Path]()
    if folder is not None:
        kept = KeptCells(folder, *refitted, n_errors=refitted.alphas.size)
        paths = {(s, r): kept.path(*splits[s][r]) for s, r in order}
    done: set[Cell] = set()
    for cell in order:
        found = None if kept is None else kept.read(paths[cell])
        if found is not None:
            measured[cell[0], :, cell[1]] = found
            done.add(cell)
    left = [cell for cell in order if cell not in done]
    data, options = refitted[:3], refitted[3:]
    tasks = (delayed(_measured)((s, r), *data, *splits[s][r], *options) for s, r in left)
    try:
        # Tasks hold the number of threads at one; here too, since threads of one process share it.
        with threadpool_limits(limits=1), showing(verbose), stage("refits", len(order)) as told:
            told.advance(len(done))
            for cell, found in _run(tasks, n_jobs, at_once=kept is not None):
                measured[cell[0], :, cell[1]] = found
                done.add(cell)
                if kept is not None:
                    kept.write(paths[cell], found)
                told.advance()
    except KeyboardInterrupt:
        warnings.warn(
            f"Interrupted after {_finished(done, len(order), kept, paths)}; the others are NaN.",
            RuntimeWarning,
            stacklevel=3,
        )
    except BrokenExecutor as error:
        held = kept is not None and not kept.failed
        remedy = "the same call continues" if held else "memory='folder' keeps what is finished"
        raise BrokenProcessPool(
            f"A worker was killed after {_finished(done, len(order), kept, paths)}: {remedy}. "
            "Out of memory is the usual reason, and a smaller n_jobs needs less."
        ) from error
    except Exception as error:  # of a step, or of a backend that lost its workers
        error.add_note(f"That was after {_finished(done, len(order), kept, paths)}.")
        raise
    return measured


def _measured(cell: Cell, *arguments: Any) -> tuple[Cell, FloatArray]:
    return cell, measure_subset(*arguments)


def _finished(done: set[Cell], total: int, kept: KeptCells | None, paths: dict[Cell, Path]) -> str:
    if kept is None or kept.failed:
        return f"{len(done)} of {total} refits"
    whole = sum(paths[cell].exists() for cell in done)  # the last may have been interrupted
    return f"{whole} of {total} refits, which are kept in {kept.folder}"


def _run(tasks: Any, n_jobs: int | None, *, at_once: bool) -> Iterator[Any]:
    """Yield results as they finish, or where the backend cannot, at the end.

    With `at_once` they are handed to such a backend a few at a time.
    """
    try:
        results = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(tasks)
    except ValueError:  # the backend cannot return a generator
        few = joblib.effective_n_jobs(n_jobs) if at_once else None
        while some := list(islice(tasks, few)):
            yield from Parallel(n_jobs=n_jobs)(some)
    else:
        yield from results
