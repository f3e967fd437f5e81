"""How many threads small linear algebra takes: one, where more would wait for one another."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

# Matrices up to this side are done before a second thread has woken up; on a busy machine, where a
# thread may have to wait for a core, each of many small calls would wait for it.
_SMALL = 300


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def threads_for(side: int) -> AbstractContextManager[Any]:
    """Return a context in which linear algebra of matrices of some side has the threads it needs.

    Parameters
    ----------
    side : int
        Of the matrices; small ones get one thread, others what there are.
    """
    return nullcontext() if side > _SMALL else _controller().limit(limits=1, user_api="blas")
