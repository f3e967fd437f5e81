"""The population of a network from its weights and the covariance of its inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.populations.exact import ExactPopulation
from sk_deepfeat.populations.moments import MomentPopulationMixin, SpectralMoments, check_width
from sk_deepfeat.populations.network_moments import (
    NetworkMoments,
    check_frozen,
    check_noise,
    feature_moments,
    teacher_moments,
)
from sk_deepfeat.theory.validation import check_flag


class LinearizedPopulation(MomentPopulationMixin, BaseEstimator):
    """The population of the features of a fitted network, in closed form and without rows.

    The moments are those of `sk_deepfeat.theory.rainbow_covariances` for inputs of the given
    covariance, taken as normal. Faithful for random weights, and for trained ones as long as they
    have stayed close to their initialisation.

    Parameters
    ----------
    feature_map : FrozenEstimator
        ``FrozenEstimator(fitted)`` of `RandomDeepFeatures`, `TrainedDeepFeatures` or any other
        transformer with ``linearization_layers``.
    input_covariance : array-like of shape (d, d) or (d,)
        Covariance of the inputs, or its diagonal.
    target : tuple
        (teacher, readout): y = teacher.transform(x) @ readout + noise, `teacher` a FrozenEstimator
        as `feature_map` and `readout` of shape (k,) or (k, t). Or (cross moment, second moment):
        E φ y of shape (p,) or (p, t), and E y², a float or of shape (t, t).
    input_mean : array-like of shape (d,), default=None
        None: centred inputs.
    target_mean : float or array-like of shape (t,), default=None
        E y, for a target given by its moments; None means zero. Used when an intercept is fitted.
    noise : float, default=0.0
        Standard deviation of the label noise of a target given by a teacher, at most 1e150.
    paired_rows : int or sequence of int, default=None
        See `sk_deepfeat.theory.rainbow_covariances`.
    method : {"per-unit", "averaged", "hermite", "closed-form"}, default="per-unit"
        See `sk_deepfeat.theory.rainbow_covariances`.
    order : int, default=4
        Of ``method="hermite"``.
    finite_width : bool, default=False
        See `sk_deepfeat.theory.rainbow_covariances`: more accurate for several layers, and slower.

    Attributes
    ----------
    moments_ : NamedTuple
        Uncentred ``Omega``, ``psi``, ``rho`` and the means.
    n_features_in_ : int
        Number of features.

    Raises
    ------
    TypeError
        In `fit`: if a map is not frozen or cannot be linearised.
    ValueError
        In `fit`: if the target is not understood, or `rainbow_covariances` refuses an argument.

    See Also
    --------
    ExactPopulation.from_networks : Every term that is known.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sk_deepfeat import RandomDeepFeatures
    >>> from sk_deepfeat.populations import LinearizedPopulation
    >>> x = np.zeros((1, 40))
    >>> learner = RandomDeepFeatures((60,), "tanh", random_state=0).fit(x)
    >>> teacher = RandomDeepFeatures((30,), "tanh", random_state=1).fit(x)
    >>> target = (FrozenEstimator(teacher), np.ones(30) / np.sqrt(30))
    >>> population = LinearizedPopulation(FrozenEstimator(learner), np.eye(40), target).fit()
    >>> population.test_error([20, 60, 200], 1.0, fit_intercept=False).round(2)
    array([0.53, 0.31, 0.17])
    """

    takes_samples = True  # it learns nothing from rows

    def __init__(
        self,
        feature_map: Any,
        input_covariance: ArrayLike,
        target: Any = None,
        *,
        input_mean: ArrayLike | None = None,
        target_mean: Any = None,
        noise: float = 0.0,
        paired_rows: Any = None,
        method: str = "per-unit",
        order: int = 4,
        finite_width: bool = False,
    ) -> None:
        self.feature_map = feature_map
        self.input_covariance = input_covariance
        self.target = target
        self.input_mean = input_mean
        self.target_mean = target_mean
        self.noise = noise
        self.paired_rows = paired_rows
        self.method = method
        self.order = order
        self.finite_width = finite_width

    def fit(
        self,
        X: Any = None,
        y: Any = None,
        sample_weight: Any = None,
        *,
        fit_intercept: bool = True,
        path: Any = None,
    ) -> LinearizedPopulation:
        """Compute the moments; rows are looked at for their width alone, and may be absent.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), optional
            Features whose width is compared with that of the network.
        y, sample_weight, path : ignored
        fit_intercept : bool, default=True
            What is meant where a question does not say; either is served.

        Returns
        -------
        LinearizedPopulation
            Itself.
        """
        check_flag(fit_intercept, "fit_intercept")
        feature_map = check_frozen(self.feature_map, "feature_map")
        if X is not None:  # before the work
            width = len(feature_map.linearization_layers()[-1][0])
            check_width(width, X, "LinearizedPopulation")
        self.moments_ = self._moments(feature_map)
        self._exact = ExactPopulation(
            *self.moments_[:3],
            feature_mean=self.moments_.feature_mean,
            target_mean=self.moments_.target_mean,
        ).fit()
        self.n_features_in_ = self._exact.n_features_in_
        self.fit_intercept_ = bool(fit_intercept)
        return self

    def _moments(self, feature_map: Any) -> NetworkMoments:
        if not isinstance(self.target, tuple) or len(self.target) != 2:
            raise ValueError(
                f"target={self.target!r} must be a tuple of two: (FrozenEstimator(teacher), "
                "readout) or (cross moment, second moment)."
            )
        options: dict[str, Any] = {
            "method": self.method,
            "order": self.order,
            "finite_width": self.finite_width,
        }
        inputs = self.input_covariance, self.input_mean
        first, second = self.target
        if hasattr(first, "fit"):
            if self.target_mean is not None:
                raise ValueError("target_mean is that of the teacher here; leave it None.")
            teacher = check_frozen(first, "teacher")
            options["paired_rows"] = self.paired_rows
            return teacher_moments(feature_map, teacher, second, *inputs, self.noise, **options)
        if check_noise(self.noise):
            raise ValueError(
                f"noise={self.noise!r} belongs to a target given by a teacher; the second moment "
                "of a target given by its moments contains the noise."
            )
        if self.paired_rows is not None:
            raise ValueError(
                f"paired_rows={self.paired_rows!r} belongs to a target given by a teacher."
            )
        covariance, mean = feature_moments(feature_map, *inputs, **options)
        cross = np.asarray(first, dtype=np.float64)
        if cross.ndim not in (1, 2) or len(cross) != len(mean):
            raise ValueError(
                f"target's cross moment must have one row for each of the {len(mean)} features; "
                f"got shape {cross.shape}."
            )
        target_mean = np.zeros(cross.shape[1:]) if self.target_mean is None else self.target_mean
        return NetworkMoments(covariance + np.outer(mean, mean), cross, second, mean, target_mean)

    @property
    def _single(self) -> bool:
        return self._exact._single

    def _spectral_moments(self, fit_intercept: bool) -> SpectralMoments:
        check_is_fitted(self)
        return self._exact._spectral_moments(fit_intercept)
