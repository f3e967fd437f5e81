"""Random numbers of a generator that no other use of the same seed has."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

_WORDS = 4


def own_stream(random_state: Any, role: str) -> np.random.RandomState:
    """Return a stream that follows from a seed and a role.

    An estimator that is given the same seed draws its weights from the stream of the seed itself:
    inputs, or a teacher's weights, drawn from that one would be rows of the learner's own weights.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        As scikit-learn takes it; an instance moves on.
    role : str
        What is drawn; each has a stream of its own.

    Returns
    -------
    RandomState
    """
    words = check_random_state(random_state).randint(2**32, size=_WORDS, dtype=np.uint32)
    entropy = [*words.tolist(), *role.encode()]
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence(entropy)))
