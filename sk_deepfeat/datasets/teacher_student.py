"""Regression problems whose target is a network, with the population that belongs to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sk_deepfeat.datasets.arguments import positive_int
from sk_deepfeat.datasets.streams import own_stream
from sk_deepfeat.plugins import resolve
from sk_deepfeat.populations import ExactPopulation
from sk_deepfeat.theory.matrices import check_covariance, eigh_psd
from sk_deepfeat.theory.validation import FloatArray, check_flag


def make_rainbow_regression(
    n_samples: int,
    learner: Any,
    teacher: Any,
    *,
    readout: ArrayLike | None = None,
    input_covariance: ArrayLike | None = None,
    noise: float = 0.0,
    return_inputs: bool = False,
    random_state: Any = None,
) -> tuple[FloatArray, FloatArray, ExactPopulation]:
    """Draw the features of a deep network, the targets of another, and return their population.

    Inputs are normal; X holds the learner's features of them and y = teacher.transform(x) @ readout
    + noise. The population is that of X and y, from the weights alone.

    Parameters
    ----------
    n_samples : int
        Rows.
    learner, teacher : fitted feature map
        With ``linearization_layers``, such as `sk_deepfeat.RandomDeepFeatures`, on inputs of the
        same width.
    readout : array-like of shape (k,) or (k, t), default=None
        Of the teacher; None draws independent N(0, 1/k) entries.
    input_covariance : array-like of shape (d, d) or (d,), default=None
        Covariance of the inputs, or its diagonal; None is the identity.
    noise : float, default=0.0
        Standard deviation of the label noise, at most 1e150.
    return_inputs : bool, default=False
        Return the inputs of the networks as X in place of the learner's features, for a pipeline
        that transforms them itself.
    random_state : int, RandomState instance or None, default=None
        Source of inputs, readout and noise, which have nothing in common with the weights that an
        estimator draws from the same seed.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or (n_samples, t)
    population : ExactPopulation
        Fitted; see `ExactPopulation.from_networks` for what is exact in it.

    Raises
    ------
    ValueError
        If a number is outside its range or shapes do not fit.
    TypeError
        If a map has no ``linearization_layers``.

    See Also
    --------
    make_teacher_student : A linear student of the inputs themselves.

    Examples
    --------
    >>> from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
    >>> from sk_deepfeat.datasets import make_rainbow_regression
    >>> learner = RandomDeepFeatures((200, 200), "relu", random_state=0).draw(50)
    >>> teacher = RandomDeepFeatures((40,), "tanh", random_state=1).draw(50)
    >>> X, y, population = make_rainbow_regression(100, learner, teacher, random_state=0)
    >>> X.shape, y.shape
    ((100, 200), (100,))
    >>> ridge = DeterministicEquivalentRidge(alpha=10.0, population=population).fit(X, y)
    >>> ridge.predict_test_error(n_samples=[100, 400]).round(2)
    array([0.14, 0.1 ])
    """
    rng = own_stream(random_state, "rainbow regression")
    n_samples = positive_int(n_samples, "n_samples")
    check_flag(return_inputs, "return_inputs")
    if readout is None:
        size = len(_layers(teacher, "teacher")[-1][0])
        readout = rng.standard_normal(size) / np.sqrt(size)
    width = _layers(learner, "learner")[0][0].shape[1]
    covariance = _covariance(input_covariance, width, f"the {width} inputs of learner")
    population = ExactPopulation.from_networks(learner, teacher, readout, covariance, noise=noise)
    inputs = _normal_rows(rng, n_samples, covariance)
    y = _targets(rng, teacher, inputs, readout, noise)
    X = inputs if return_inputs else np.asarray(learner.transform(inputs))
    return X, y, population.fit()


def make_teacher_student(
    n_samples: int = 100,
    n_features: int = 100,
    *,
    teacher_size: int = 100,
    activation: Any = "tanh",
    input_covariance: ArrayLike | None = None,
    noise: float = 0.0,
    random_state: Any = None,
) -> tuple[FloatArray, FloatArray, ExactPopulation]:
    """Draw normal inputs and the targets of a random network of one layer.

    y = activation(x Vᵀ) @ readout + noise. The student is ridge regression on X itself: what is not
    linear in x acts as noise on it. The population is exact in the sense of
    `ExactPopulation.from_networks`.

    Parameters
    ----------
    n_samples, n_features : int, default=100
        Rows and columns of X.
    teacher_size : int, default=100
        Units of the teacher, whose weights are independent N(0, 1/n_features) and whose readout
        has independent N(0, 1/teacher_size) entries.
    activation : str, activation object or callable, default="tanh"
        Of the teacher.
    input_covariance : array-like of shape (d, d) or (d,), default=None
        Covariance of X, or its diagonal, d = `n_features`; None is the identity.
    noise : float, default=0.0
        Standard deviation of the label noise, at most 1e150.
    random_state : int, RandomState instance or None, default=None
        Source of everything that is drawn, which has nothing in common with the weights that an
        estimator draws from the same seed.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    population : ExactPopulation
        Fitted.

    Raises
    ------
    ValueError
        If a number is outside its range or shapes do not fit.

    See Also
    --------
    make_rainbow_regression : A deep learner in place of the linear student.

    Examples
    --------
    >>> from sk_deepfeat.datasets import make_teacher_student
    >>> X, y, population = make_teacher_student(300, 50, activation="relu", random_state=0)
    >>> population.test_error([100, 300], 1.0).round(3)
    array([0.167, 0.103])
    """
    rng = own_stream(random_state, "teacher and student")
    n_samples = positive_int(n_samples, "n_samples")
    n_features = positive_int(n_features, "n_features")
    size = positive_int(teacher_size, "teacher_size")
    covariance = _covariance(input_covariance, n_features, f"n_features={n_features}")
    teacher = resolve("feature_maps", "random").set_params(
        hidden_layer_sizes=(size,), activation=activation, random_state=rng
    )
    teacher.draw(n_features)
    readout = rng.standard_normal(size) / np.sqrt(size)
    student = _LinearStudent(n_features)
    population = ExactPopulation.from_networks(student, teacher, readout, covariance, noise=noise)
    X = _normal_rows(rng, n_samples, covariance)
    return X, _targets(rng, teacher, X, readout, noise), population.fit()


class _LinearStudent:
    """The inputs themselves as features."""

    def __init__(self, n_features: int) -> None:
        self.n_features = n_features

    def linearization_layers(self) -> list[Any]:
        return [(np.eye(self.n_features), None, resolve("activations", "identity"))]


def _layers(feature_map: Any, name: str) -> list[Any]:
    if not callable(getattr(feature_map, "linearization_layers", None)):
        raise TypeError(
            f"{name}={feature_map!r} has no linearization_layers; give a fitted network, such as "
            "RandomDeepFeatures((500,)).draw(n_features)."
        )
    return list(feature_map.linearization_layers())


def _covariance(input_covariance: ArrayLike | None, width: int, of: str) -> FloatArray:
    """Return the covariance of inputs, or its diagonal; None is the identity."""
    if input_covariance is None:
        return np.ones(width)
    covariance = check_covariance(input_covariance, "input_covariance")
    if len(covariance) != width:
        raise ValueError(f"input_covariance of shape {covariance.shape} is not of {of}.")
    return covariance


def _normal_rows(rng: Any, n_samples: int, covariance: NDArray[Any]) -> FloatArray:
    rows = rng.standard_normal((n_samples, len(covariance)))
    if covariance.ndim == 1:
        return rows * np.sqrt(covariance)
    values, vectors = eigh_psd(covariance, "input_covariance")
    return rows @ (vectors * np.sqrt(values)) @ vectors.T


def _targets(
    rng: Any, teacher: Any, inputs: FloatArray, readout: ArrayLike, noise: float
) -> FloatArray:
    y = np.asarray(teacher.transform(inputs)) @ np.asarray(readout, dtype=np.float64)
    return y + noise * rng.standard_normal(y.shape)
