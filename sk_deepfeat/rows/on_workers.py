"""Adding rows up where they are: parts of a source on the workers of a dask cluster.

Parts that follow one another are added to one accumulator, link by link of a chain, and the chains
are merged in a tree: what travels is accumulators, and one comes back. Tasks change nothing that
they are given, so that one which is run again, because its worker has gone, counts nothing twice.
"""

from __future__ import annotations

import copy
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import check_array

from sk_deepfeat.progress import heard, stage
from sk_deepfeat.rows.blocks import RowBlock, RowSource, as_block, transformed
from sk_deepfeat.rows.namespaces import in_numpy
from sk_deepfeat.theory.validation import numeric_targets

# Parts of a chain at most, and chains of a thread at least: what a lost worker costs, how evenly
# work is spread, and how many accumulators travel.
_MOST_LINKS, _CHAINS = 32, 2
_MERGED_AT_ONCE = 4
_RAN = "running"
_NO_GROUPS = (
    "Workers of a cluster add up rows without groups; close the client, and rows are read in this "
    "process, or merge GramAccumulators of your own: add(X, y, groups=...)."
)


class PartSums(NamedTuple):
    """What is known of parts that follow one another."""

    sums: Any
    """An accumulator."""
    single: bool | None
    """Whether targets have one dimension alone; None if there are no rows."""
    first: int
    """Number of the first part."""


def current_client() -> Any:
    """Return the dask client of this process, if there is one; None on a worker that runs a task.

    Raises
    ------
    ConnectionError
        If its scheduler does not answer.
    """
    if "distributed" not in sys.modules:
        return None
    from distributed import Client, get_worker

    try:
        get_worker()
    except ValueError:
        pass
    else:
        return None
    try:
        client = Client.current()
    except ValueError:
        return None
    if client.asynchronous:
        raise ValueError("An asynchronous dask client cannot be waited for; take another.")
    if client.status != _RAN:
        raise ConnectionError(_lost(client))
    return client


def sum_on_workers(
    client: Any, source: RowSource, make: Callable[[int, int | None], Any]
) -> PartSums:
    """Add all rows of a source up on the workers of a cluster.

    Parameters
    ----------
    client : distributed.Client
        Connected.
    source : RowSource
        With parts.
    make : callable
        Called with the number of a part and with how many rows all have, if that is known, returns
        an empty accumulator, with ``add(X, y, sample_weight)`` and ``merge(other)``. It can be
        pickled.

    Returns
    -------
    PartSums

    Raises
    ------
    ValueError
        If rows come in groups.
    ConnectionError
        If the scheduler is lost.
    RuntimeError
        If workers die again and again on the same task.
    """
    from dask import delayed

    if source.has_groups:
        raise ValueError(_NO_GROUPS)
    parts = source.parts or ()
    n_threads = max(1, sum(client.nthreads().values()))
    links = int(np.clip(-(-len(parts) // (_CHAINS * n_threads)), 1, _MOST_LINKS))
    n_expected = None if source.has_weights else source.n_rows
    topic = f"sk_deepfeat-{uuid.uuid4().hex}" if heard() else None
    transform = _sent(client, source.transform)
    add, merge = delayed(_add_part, pure=False), delayed(_merge_parts, pure=False)
    level = []
    for start in range(0, len(parts), links):
        sums = None
        for number in range(start, min(start + links, len(parts))):
            sums = add(sums, parts[number], number, make, n_expected, transform, topic)
        level.append(sums)
    while len(level) > 1:
        level = [
            merge(level[k : k + _MERGED_AT_ONCE]) for k in range(0, len(level), _MERGED_AT_ONCE)
        ]
    with _progress(client, topic, len(parts)):
        found: PartSums = _result(client, level[0])
    return found


def learn_on_workers(client: Any, source: RowSource, learner: Any) -> Any:
    """Return a copy of a learner after `partial_fit` of all parts, one after the other.

    Parameters
    ----------
    client : distributed.Client
        Connected.
    source : RowSource
        With parts.
    learner : estimator
        With ``partial_fit(X, y)``.
    """
    from dask import delayed

    transform = _sent(client, source.transform)
    learn = delayed(_learn_part, pure=False)
    state = _sent(client, learner)
    for number, part in enumerate(source.parts or ()):
        state = learn(state, part, number, transform)
    return _result(client, state)


def _sent(client: Any, value: Any) -> Any:
    """Put something on every worker, so that the graph need not hold it."""
    return None if value is None else client.scatter(value, broadcast=True, hash=False)


def _result(client: Any, wanted: Any) -> Any:
    from concurrent.futures import CancelledError

    from distributed import KilledWorker
    from distributed.comm.core import CommClosedError

    future = client.compute(wanted)
    try:
        return future.result()
    except KilledWorker as error:
        raise RuntimeError(
            f"Workers died one after the other on the same rows: {error} Most often these are too "
            "many for their memory; smaller chunks or partitions are not. Nothing of the estimator "
            "has changed."
        ) from error
    except (CancelledError, CommClosedError, TimeoutError) as error:
        raise ConnectionError(_lost(client)) from error
    finally:
        if client.status == _RAN and not future.done():  # the user has interrupted it
            future.cancel()


def _lost(client: Any) -> str:
    if client.status == _RAN:
        what = "Rows or features that were held by a worker of the cluster are lost with it"
    else:
        address = client.scheduler.address if client.scheduler else "its address"
        what = f"The dask scheduler at {address} is lost"
    return (
        f"{what}; nothing of the estimator has changed. Connect to a cluster anew, or close the "
        "client, and rows are read in this process."
    )


@contextmanager
def _progress(client: Any, topic: str | None, n_parts: int) -> Iterator[None]:
    """Tell of the parts that workers have done."""
    if topic is None:
        yield
        return
    seen: set[int] = set()
    with stage("parts on workers", n_parts) as told:

        def count(event: Any) -> None:
            if event[1] not in seen:  # a part that was lost is done again
                seen.add(event[1])
                told.advance()

        client.subscribe_topic(topic, count)
        try:
            yield
        finally:
            if client.status == _RAN:
                client.unsubscribe_topic(topic)
        told.advance(n_parts - len(seen))


def _add_part(
    before: PartSums | None,
    part: Any,
    number: int,
    make: Callable[[int, int | None], Any],
    n_expected: int | None,
    transform: Any,
    topic: str | None,
) -> PartSums:
    """Run by a worker: return the sums of the parts before and of this one."""
    with _named(number):
        sums, single = make(number, n_expected), None
        for block in _blocks_of(part, number, transform):
            X, y = checked_arrays(block)
            single = _same_kind(single, y.ndim == 1)
            sums.add(X, y, block.sample_weight)
    found = PartSums(sums, single, number)
    if before is not None:
        found = _merge_parts([before, found])
    if topic is not None:
        from distributed import get_worker

        get_worker().log_event(topic, number)
    return found


def _merge_parts(parts: list[PartSums]) -> PartSums:
    """Run by a worker: return the sums of all parts, which stay as they are."""
    first, *others = parts
    sums, single = copy.deepcopy(first.sums), first.single
    for other in others:
        with _named(other.first):
            single = _same_kind(single, other.single)
            sums.merge(other.sums)
    return PartSums(sums, single, first.first)


def _learn_part(learner: Any, part: Any, number: int, transform: Any) -> Any:
    """Run by a worker: return what has also learned from a part."""
    learned = copy.deepcopy(learner)
    with _named(number):
        for block in _blocks_of(part, number, transform):
            learned.partial_fit(block.X, block.y)
    return learned


def _blocks_of(part: Any, number: int, transform: Any) -> Iterator[RowBlock]:
    blocks = part() if callable(part) else [as_block(part, f"Partition {number}")]
    for block in transformed(blocks, transform):
        if block.groups is not None:
            raise ValueError(_NO_GROUPS)
        yield block


def _same_kind(single: bool | None, other: bool | None) -> bool | None:
    if single is not None and other is not None and single != other:
        raise ValueError("y has one dimension in some blocks and two in others.")
    return other if single is None else single


@contextmanager
def _named(number: int) -> Iterator[None]:
    """Say in errors which part it was."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"Partition {number}: {error} Workers open files themselves, by the same path."
        ) from error
    except (ValueError, TypeError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"Partition {number}: {error}") from error


def checked_arrays(block: RowBlock) -> tuple[Any, Any]:
    """Return features, dense, and targets of a block as arrays of numbers, finite or not."""
    X = check_array(
        in_numpy(block.X),
        accept_sparse=True,
        dtype=[np.float64, np.float32],
        ensure_all_finite=False,
        input_name="X",
    )
    y = check_array(
        in_numpy(block.y), ensure_2d=False, dtype=None, ensure_all_finite=False, input_name="y"
    )
    return X.toarray() if hasattr(X, "toarray") else X, numeric_targets(y)
