"""Learning curves that faults happen to, and disks that refuse."""

import errno
import os
import shutil
import signal
import time
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline

from sk_deepfeat.model_selection import ridge_learning_curve

X, Y = load_diabetes(return_X_y=True)
ASKED = {
    "train_sizes": [40, 150],
    "alphas": [0.1, 1.0],
    "n_repeats": 3,
    "random_state": 0,
    "population": "gcv",  # the quickest
}


FATES = {
    "killed": lambda memory: os.kill(os.getpid(), signal.SIGKILL),
    "fails": lambda memory: 1 / 0,
    "vanishes": lambda memory: shutil.rmtree(memory),
}


class Fateful(TransformerMixin, BaseEstimator):
    """A step to whose process something happens, if a file of the folder says so."""

    def __init__(self, memory=None):
        self.memory = memory

    def fit(self, X, y=None):
        self.fitted_ = True
        refitted = len(X) in ASKED["train_sizes"]  # and not fitted for the prediction
        if refitted and (fate := Path(self.memory) / "fate").exists():
            what, after = fate.read_text().split()
            if turn(self.memory) >= int(after):
                wait_for(lambda: len(cells(self.memory)) >= int(after))
                FATES[what](self.memory)
        return self

    def transform(self, X):
        return np.asarray(X)


def fateful(memory):
    """Return a ridge behind such a step."""
    return Pipeline([("fateful", Fateful(str(memory))), ("ridge", Ridge())])


@contextmanager
def fate(memory, what, after=2):
    """Make something happen to all refits after so many, once these are kept."""
    file = memory / "fate"
    file.write_text(f"{what} {after}")
    yield
    file.unlink(missing_ok=True)


def turn(memory):
    """Return how many refits, of all processes, began before this one."""
    for number in count():
        with suppress(FileExistsError):
            Path(memory, f"turn_{number}").touch(exist_ok=False)
            return number


def wait_for(found, seconds=200.0):
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


def curve(estimator=None, memory=None, *, X=X, y=Y, **changed):
    estimator = Ridge() if estimator is None else estimator
    return ridge_learning_curve(estimator, X, y, memory=memory, **{**ASKED, **changed})


def cells(memory):
    return sorted((Path(memory) / "ridge_learning_curve").glob("*.json"))


def assert_same(found, expected):
    np.testing.assert_array_equal(found.measured, expected.measured)
    np.testing.assert_array_equal(found.predicted, expected.predicted)


def full_disk(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
