"""Second moments of the features of a network and of a target, from the weights."""

from __future__ import annotations

import reprlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.frozen import FrozenEstimator

from sk_deepfeat.exceptions import warn_caller
from sk_deepfeat.populations.moments import FloatArray
from sk_deepfeat.theory import rainbow_covariances
from sk_deepfeat.theory.validation import is_finite, is_whole, real_array

# Standard deviations of the mean correlation of the rows of two networks that are independent.
_MOST_NOISE = 1e150  # whose square a float holds
_UNLIKELY = 6.0
_TINY = np.finfo(float).tiny


class NetworkMoments(NamedTuple):
    """Uncentred second moments and means, in the order of `ExactPopulation`.

    Attributes
    ----------
    Omega : ndarray of shape (p, p)
    psi : ndarray of shape (p,) or (p, t)
    rho : float or ndarray of shape (t, t)
    feature_mean : ndarray of shape (p,)
    target_mean : float or ndarray of shape (t,)
    """

    Omega: FloatArray
    psi: FloatArray
    rho: Any
    feature_mean: FloatArray
    target_mean: Any


def check_frozen(estimator: Any, name: str) -> Any:
    """Return a fitted map that survives clone, or say how to make one.

    Raises
    ------
    TypeError
        If `estimator` is not frozen, or has no ``linearization_layers``.
    """
    if not isinstance(estimator, FrozenEstimator):
        raise TypeError(
            f"{name}={estimator!r} must be handed over as FrozenEstimator({name}), fitted: "
            "scikit-learn's clone would forget its weights otherwise."
        )
    return check_linearizable(estimator, name)


def check_linearizable(estimator: Any, name: str) -> Any:
    """Return a map that has ``linearization_layers``, or raise TypeError."""
    if not callable(getattr(estimator, "linearization_layers", None)):
        raise TypeError(
            f"{name}={estimator!r} has no linearization_layers, so its covariance cannot be "
            "computed from weights; give a network, or estimate the population from data."
        )
    return estimator


def check_noise(noise: Any) -> float:
    """Return the standard deviation of the label noise, finite and not negative."""
    if not is_finite(noise) or not 0 <= float(noise) <= _MOST_NOISE:
        raise ValueError(
            f"noise={reprlib.repr(noise)} must be a finite number that is not negative, and at "
            f"most {_MOST_NOISE:g}: the standard deviation of the label noise."
        )
    return float(noise)


def check_readout(readout: ArrayLike, width: int) -> FloatArray:
    """Return the readout of a teacher as float64 of shape (width,) or (width, t)."""
    values = real_array(readout, "readout")
    if values.ndim not in (1, 2) or len(values) != width or not np.all(np.isfinite(values)):
        raise ValueError(
            f"readout must be finite, of shape ({width},) or ({width}, n_outputs), one row for "
            f"each unit of the teacher; got shape {values.shape}."
        )
    return values


def feature_moments(
    feature_map: Any, input_covariance: ArrayLike, input_mean: Any, **options: Any
) -> tuple[FloatArray, FloatArray]:
    """Return the centred covariance and the mean of the features.

    Parameters
    ----------
    feature_map : object
        With ``linearization_layers``.
    input_covariance, input_mean : array-like
        Of the inputs.
    **options
        ``method``, ``order`` and ``finite_width`` of `rainbow_covariances`.

    Returns
    -------
    ndarray of shape (p, p), ndarray of shape (p,)
    """
    weights, biases, activations = _columns(feature_map)
    found = rainbow_covariances(
        weights, activations, input_covariance, biases=biases, input_mean=input_mean, **options
    )
    return found.feature_covariance, found.feature_mean


def teacher_moments(
    feature_map: Any,
    teacher: Any,
    readout: ArrayLike,
    input_covariance: ArrayLike,
    input_mean: Any,
    noise: float,
    **options: Any,
) -> NetworkMoments:
    """Return the moments for the target y = φ*(x) @ readout + noise.

    Parameters
    ----------
    feature_map, teacher : object
        With ``linearization_layers``.
    readout : array-like of shape (k,) or (k, t)
        Of the teacher.
    input_covariance, input_mean : array-like
        Of the inputs.
    noise : float
        Standard deviation of independent label noise.
    **options
        ``method``, ``order``, ``finite_width`` and ``paired_rows`` of `rainbow_covariances`.

    Returns
    -------
    NetworkMoments
    """
    weights, biases, activations = _columns(feature_map)
    if options.get("paired_rows") is None:
        _warn_of_one_seed(feature_map, teacher)
    teacher_weights, teacher_biases, teacher_activations = _columns(teacher)
    readout, noise = check_readout(readout, len(teacher_weights[-1])), check_noise(noise)
    found = rainbow_covariances(
        weights,
        activations,
        input_covariance,
        teacher_weights=teacher_weights,
        teacher_activations=teacher_activations,
        biases=biases,
        teacher_biases=teacher_biases,
        input_mean=input_mean,
        **options,
    )
    omega, cross, psi, mean, teacher_mean = found
    assert cross is not None and psi is not None and teacher_mean is not None
    target_mean = teacher_mean @ readout
    rho = readout.T @ psi @ readout
    rho = rho + noise**2 * (np.eye(len(rho)) if rho.ndim else 1.0)
    omega += np.outer(mean, mean)
    return NetworkMoments(
        omega,
        cross @ readout + np.multiply.outer(mean, target_mean),
        rho + np.multiply.outer(target_mean, target_mean),
        mean,
        target_mean,
    )


def _warn_of_one_seed(learner: Any, teacher: Any) -> None:
    """Warn where two networks have weights in common because they were drawn from one seed."""
    learner, teacher = (getattr(m, "estimator", m) for m in (learner, teacher))
    seeds = [getattr(m, "random_state", None) for m in (learner, teacher)]
    drawn = [is_whole(s) for s in seeds]
    if learner is teacher or type(learner) is not type(teacher):
        return
    if not all(drawn) or seeds[0] != seeds[1]:
        return
    rows, others = (np.asarray(m.linearization_layers()[0][0]) for m in (learner, teacher))
    if rows.shape[1] != others.shape[1]:
        return
    paired = min(len(rows), len(others))
    rows, others = rows[:paired], others[:paired]
    norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(others, axis=1)
    likeness = float(np.mean(np.sum(rows * others, axis=1) / np.maximum(norms, _TINY)))
    if likeness * np.sqrt(rows.size) > _UNLIKELY:
        warn_caller(
            f"The learner and the teacher were both drawn with random_state={seeds[0]}: rows of "
            f"their first layers have a mean correlation of {likeness:.2f}, so that the target is "
            "easier than that of another network. Draw one of them from another seed, or say that "
            f"it is meant, paired_rows={paired}."
        )


def _columns(feature_map: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """Return weights, biases and activations, one list each."""
    layers = feature_map.linearization_layers()
    return [w for w, _, _ in layers], [b for _, b, _ in layers], [f for _, _, f in layers]
