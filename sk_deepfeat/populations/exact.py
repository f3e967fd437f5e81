"""A population that is known exactly."""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.populations.moments import (
    MomentPopulationMixin,
    SpectralMoments,
    check_width,
)
from sk_deepfeat.populations.network_moments import check_linearizable, teacher_moments
from sk_deepfeat.theory.matrices import check_covariance, eigh_psd
from sk_deepfeat.theory.validation import FloatArray, check_flag, real_array


class ExactPopulation(MomentPopulationMixin, BaseEstimator):
    """A population given by its second moments.

    Parameters
    ----------
    Omega : array-like of shape (n_features, n_features) or (n_features,)
        Uncentred second moment of the features, E φφᵀ, or its diagonal where features are
        uncorrelated, such as a spectrum.
    psi : array-like of shape (n_features,) or (n_features, n_outputs)
        Uncentred feature–target moment, E φ y.
    rho : float or array-like of shape (n_outputs, n_outputs)
        Uncentred target second moment, E y².
    feature_mean : array-like of shape (n_features,), optional
        E φ; None means zero. Used when an intercept is fitted.
    target_mean : float or array-like of shape (n_outputs,), optional
        E y; None means zero.

    Attributes
    ----------
    n_features_in_ : int
        Number of features.

    Raises
    ------
    ValueError
        In `fit`: if shapes do not fit, Omega is not symmetric positive semi-definite, or the
        moments belong to no population.

    See Also
    --------
    PlugInPopulation : The same from averages over samples.
    sk_deepfeat.theory.annealed_spectrum : Spectra of networks without their weights.
    LinearizedPopulation : The same from the weights of a network.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.populations import ExactPopulation
    >>> population = ExactPopulation(np.eye(50), np.full(50, 0.1), 1.0).fit(fit_intercept=False)
    >>> population.test_error([25, 100], 50.0).round(3)
    array([0.89 , 0.707])
    >>> population.optimal_alpha(100).round(3), population.required_samples(0.6)
    (np.float64(50.0), 240.0)
    """

    takes_samples = True  # it learns nothing from rows

    def __init__(
        self,
        Omega: ArrayLike,
        psi: ArrayLike,
        rho: ArrayLike,
        *,
        feature_mean: ArrayLike | None = None,
        target_mean: ArrayLike | None = None,
    ) -> None:
        self.Omega = Omega
        self.psi = psi
        self.rho = rho
        self.feature_mean = feature_mean
        self.target_mean = target_mean

    @classmethod
    def from_networks(
        cls,
        learner: Any,
        teacher: Any,
        readout: ArrayLike,
        input_covariance: ArrayLike,
        *,
        input_mean: ArrayLike | None = None,
        noise: float = 0.0,
        paired_rows: Any = None,
    ) -> ExactPopulation:
        """Return the population of a learner's features for the target of a teacher.

        y = teacher.transform(x) @ readout + noise, x normal. Entries of weak correlation are their
        Hermite series to order 20; diagonals, paired rows and entries of strong correlation are
        closed forms, or else the series to order 100 and integrals. For networks of one layer that
        is exact, to 1e-7 of the standard deviations; the exception are activations with kinks or
        jumps and no closed form if more than 5,000 entries are strongly correlated, as with one to
        three inputs: there the series of order 100 stands, which misses up to 5 % at a jump.
        Deeper layers count that their pre-activations are not quite normal, to leading order in
        the width.

        Parameters
        ----------
        learner, teacher : fitted feature map
            With ``linearization_layers``, on inputs of the same width.
        readout : array-like of shape (k,) or (k, t)
            Of the teacher.
        input_covariance : array-like of shape (d, d) or (d,)
            Covariance of the inputs, or its diagonal.
        input_mean : array-like of shape (d,), default=None
            None: centred inputs.
        noise : float, default=0.0
            Standard deviation of the label noise.
        paired_rows : int or sequence of int, default=None
            See `sk_deepfeat.theory.rainbow_covariances`.

        Returns
        -------
        ExactPopulation
            Not fitted.
        """
        moments = teacher_moments(
            check_linearizable(learner, "learner"),
            check_linearizable(teacher, "teacher"),
            readout,
            input_covariance,
            input_mean,
            noise,
            paired_rows=paired_rows,
            method="hermite",
            order=20,
            finite_width=True,
        )
        return cls(*moments[:3], feature_mean=moments.feature_mean, target_mean=moments.target_mean)

    def fit(
        self,
        X: Any = None,
        y: Any = None,
        sample_weight: Any = None,
        *,
        fit_intercept: bool = True,
        path: Any = None,
    ) -> ExactPopulation:
        """Decompose the moments; rows are looked at for their width alone, and may be absent.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), optional
            Features whose width is compared with `Omega`.
        y, sample_weight, path : ignored
        fit_intercept : bool, default=True
            What is meant where a question does not say; either is served.

        Returns
        -------
        ExactPopulation
            Itself.
        """
        check_flag(fit_intercept, "fit_intercept")
        psi = real_array(self.psi, "psi")
        if psi.ndim not in (1, 2):
            raise ValueError(f"psi must have one or two axes; got shape {psi.shape}.")
        self._single_output = psi.ndim == 1
        self._cache: dict[bool, SpectralMoments] = {}
        self._decompose(False)
        self.n_features_in_ = psi.shape[0]
        if X is not None:
            check_width(self.n_features_in_, X, "ExactPopulation")
        try:
            self._risk(2.0, 1.0, False)
        except ValueError as error:
            raise ValueError(
                "Omega, psi and rho, the uncentred moments E φφᵀ, E φ y and E y², belong to no "
                f"population: {error} (eigenvalues are Omega's, target_coefs come from psi, and "
                "target_second_moment is rho.)"
            ) from error
        self.fit_intercept_ = bool(fit_intercept)
        return self

    @property
    def _single(self) -> bool:
        return self._single_output

    def _spectral_moments(self, fit_intercept: bool) -> SpectralMoments:
        check_is_fitted(self)
        centred = fit_intercept and not (self.feature_mean is None and self.target_mean is None)
        if centred not in self._cache:
            self._decompose(centred)
        return self._cache[centred]

    def _decompose(self, centred: bool) -> None:
        omega = real_array(self.Omega, "Omega")
        psi = real_array(self.psi, "psi")
        rho = real_array(self.rho, "rho")
        if not (np.all(np.isfinite(psi)) and np.all(np.isfinite(rho))):
            raise ValueError("psi and rho must be finite; got NaN or infinity.")
        if omega.ndim == 0 or psi.shape[0] != omega.shape[0]:
            raise ValueError(
                f"psi must have one row per feature of Omega, of shape {omega.shape}; got shape "
                f"{psi.shape}."
            )
        if centred:
            mean = self._mean(self.feature_mean, (omega.shape[0],), "feature_mean")
            target = self._mean(self.target_mean, psi.shape[1:], "target_mean")
            omega = (np.diag(omega) if omega.ndim == 1 else omega) - np.outer(mean, mean)
            psi = psi - np.multiply.outer(mean, target)
            with np.errstate(over="ignore"):
                rho = rho - np.multiply.outer(target, target)
            if np.any(np.diagonal(np.atleast_2d(rho)) < 0):
                raise ValueError(
                    f"rho={reprlib.repr(self.rho)} must be at least the square of target_mean="
                    f"{reprlib.repr(self.target_mean)} for each output."
                )
        if omega.ndim == 1:
            self._cache[centred] = SpectralMoments(check_covariance(omega, "Omega"), psi, rho)
            return
        eigenvalues, vectors = eigh_psd(omega, "Omega less its mean" if centred else "Omega")
        self._cache[centred] = SpectralMoments(eigenvalues, vectors.T @ psi, rho)

    @staticmethod
    def _mean(values: ArrayLike | None, shape: tuple[int, ...], name: str) -> FloatArray:
        mean = np.zeros(shape) if values is None else real_array(values, name)
        if not np.all(np.isfinite(mean)):
            raise ValueError(f"{name} must be finite; got NaN or infinity.")
        if mean.shape != shape:
            raise ValueError(f"{name} must have shape {shape}; got {mean.shape}.")
        return mean
