"""How many threads linear algebra takes, and whose.

NumPy and SciPy bring a BLAS each. After a product, its second thread waits for more work for some
hundredths of a second without giving its core away: a product of the other's takes twice as long
meanwhile. Steps that alternate use one of them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import numpy as np
import scipy.linalg
from threadpoolctl import ThreadpoolController

from sk_deepfeat.theory.validation import FloatArray

# Matrices up to this side are done before a second thread has woken up; on a busy machine, where a
# thread may have to wait for a core, each of many small calls would wait for it.
_SMALL = 1200


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """Return a context in which linear algebra takes one thread."""
    return _controller().limit(limits=1, user_api="blas")


def threads_for(side: int) -> AbstractContextManager[Any]:
    """Return a context in which linear algebra of matrices of some side has the threads it needs.

    Parameters
    ----------
    side : int
        Of the matrices; small ones get one thread, others what there are.
    """
    return nullcontext() if side > _SMALL else one_thread()


def scipy_product(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return left @ right, in Fortran's order, by the BLAS that SciPy's decompositions use.

    Parameters
    ----------
    left, right : ndarray of shape (m, k), (k, n)
        Of either order, without a copy.
    """
    pairs = [(a, False) if a.flags.f_contiguous else (a.T, True) for a in (left, right)]
    (a, transposed_a), (b, transposed_b) = pairs
    return np.asarray(
        scipy.linalg.blas.dgemm(1.0, a, b, trans_a=transposed_a, trans_b=transposed_b)
    )
