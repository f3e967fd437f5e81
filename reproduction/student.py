"""A teacher network of normal inputs, students of it trained with Adam, and their ridge curves."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from measure import measure
from predict import leave_one_out, plug_in
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.frozen import FrozenEstimator
from study import lines_between
from threadpoolctl import threadpool_limits

from sk_deepfeat import RandomDeepFeatures, TrainedDeepFeatures
from sk_deepfeat.activations import identity
from sk_deepfeat.populations import LinearizedPopulation

POPULATION_ROWS, READOUT_ROWS, MEASURED_ROWS = 28_000, 17_500, 40_000  # as many as of MNIST
PREDICTORS = ("closed_form", "plug_in", "leave_one_out")


class Task(NamedTuple):
    """Inputs x = root z with z ~ N(0, 1), and the target readout @ tanh(W x)."""

    root: np.ndarray
    teacher: RandomDeepFeatures
    readout: np.ndarray

    def rows(self, count: int, seed: Any) -> tuple[np.ndarray, np.ndarray]:
        """Draw inputs, in float32, and targets."""
        x = np.random.default_rng(seed).normal(size=(count, len(self.root))) @ self.root
        return x.astype(np.float32), self.teacher.transform(x) @ self.readout

    def linearized(self, feature_map: Any) -> LinearizedPopulation:
        """Return the population of a student from its weights, as if they were random."""
        target = FrozenEstimator(self.teacher), self.readout
        frozen, covariance = FrozenEstimator(feature_map), self.root @ self.root
        return LinearizedPopulation(frozen, covariance, target, method="hermite", order=9).fit()


def make_task(root: np.ndarray, teacher_width: int, teacher_scale: float, seed: int) -> Task:
    """Draw a teacher with W_ij ~ N(0, scale / d); its output has variance one.

    `root` is the symmetric root of the inputs' covariance.
    """
    d = len(root)
    teacher = RandomDeepFeatures(
        (teacher_width,),
        "tanh",
        weight_covariance=np.full(d, teacher_scale / d),
        random_state=seed,
    ).fit(np.zeros((1, d)))
    readout = np.random.default_rng(seed).normal(size=teacher_width)
    task = Task(root, teacher, readout)
    return task._replace(readout=readout / np.std(task.rows(10_000, [seed, 1])[1]))


class Inputs(TransformerMixin, BaseEstimator):
    """The inputs themselves as features: linear regression."""

    def fit(self, X: Any, y: Any = None) -> Inputs:
        """Keep the width."""
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: Any) -> Any:
        """Return X."""
        return X

    def linearization_layers(self) -> list[Any]:
        """Return the identity as a layer of a network."""
        return [(np.eye(self.n_features_in_), None, identity)]


def curves(
    key: Any,
    task: Task,
    feature_map: Any,
    sizes: tuple[int, ...],
    alphas: np.ndarray,
    seed: int,
    share: float,
) -> dict[str, Any]:
    """Measure and predict ridge on the features, without an intercept.

    `key` tells this task and map from all others, for the cache, which does not look at them;
    `share` scales the numbers of rows.
    """
    del key
    counts = [round(share * n) for n in (POPULATION_ROWS, READOUT_ROWS, MEASURED_ROWS)]

    def rows(part: int) -> tuple[np.ndarray, np.ndarray]:
        x, y = task.rows(counts[part], [seed, 10 + part])
        return feature_map.transform(x), y

    n_samples = lines_between(sizes)
    with threadpool_limits(limits=1):
        closed = task.linearized(feature_map)
        found: dict[str, Any] = {
            "closed_form": closed.test_error(n_samples[:, None], alphas, fit_intercept=False),
            "plug_in": plug_in(rows(0), n_samples, alphas),
            "leave_one_out": leave_one_out(rows(1), n_samples, alphas),
        }
        found |= measure(*rows(2), np.array(sizes), alphas, seed=seed)._asdict()
    if isinstance(feature_map, TrainedDeepFeatures):
        x, y = task.rows(counts[2], [seed, 12])
        output = feature_map.at(layer="output").transform(x)[:, 0]
        found["network"] = float(np.mean(np.square(output - y)))
    return found
