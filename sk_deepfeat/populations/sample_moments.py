"""The population as averages over samples: the published protocol."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.exceptions import warn_caller
from sk_deepfeat.populations.moments import MomentPopulationMixin, SpectralMoments
from sk_deepfeat.progress import all_or_nothing
from sk_deepfeat.rows import check_rows
from sk_deepfeat.theory import ridge_factorization
from sk_deepfeat.theory.answer import TargetVariance
from sk_deepfeat.theory.one_sample.factorize import centred_rows
from sk_deepfeat.theory.one_sample.sparse_rows import MOST_FACTORISED
from sk_deepfeat.theory.sparse import is_sparse, sparse_rows_of
from sk_deepfeat.theory.validation import check_flag


class PlugInPopulation(MomentPopulationMixin, BaseEstimator):
    """Second moments averaged over N rows, used as if they were the population's.

    This is the published protocol, right when N is far above the number of features and the rows
    are not those of the ridge. With fewer rows it is optimistic: a `PopulationWarning` says so
    below ten rows per feature. Fitted on a separate split, it is handed over frozen::

        PlugInPopulation().fit(X_cov, y_cov)
        DeterministicEquivalentRidge(population=FrozenEstimator(fitted))

    Attributes
    ----------
    feature_mean_ : ndarray of shape (n_features,)
        Weighted mean of the features.
    target_mean_ : ndarray of shape () or (n_outputs,)
        Weighted mean of the targets.
    feature_covariance_ : ndarray of shape (n_features, n_features)
        Weighted covariance of the features; ``+ outer(mean, mean)`` is their second moment.
    cross_covariance_ : ndarray of shape (n_features,) or (n_features, n_outputs)
        Weighted covariance of features and targets.
    target_covariance_ : ndarray of shape () or (n_outputs, n_outputs)
        Weighted covariance of the targets.
    n_samples_ : int
        Rows of positive weight.
    n_features_in_ : int
        Number of features.

    See Also
    --------
    GCVPopulation : From the training rows themselves, without their optimism.

    References
    ----------
    Schröder, Dmitriev, Cui, Loureiro, arXiv:2402.13999, section on experiments.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.populations import PlugInPopulation
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(2000, 5))
    >>> population = PlugInPopulation().fit(X, X[:, 0] + rng.normal(size=2000))
    >>> population.test_error(20, 1.0, fit_intercept=True).round(1)
    np.float64(1.4)
    """

    @all_or_nothing
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        fit_intercept: bool = True,
        path: Any = None,
    ) -> PlugInPopulation:
        """Average the moments.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features; the covariances are dense.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), optional
            Weights, not negative.
        fit_intercept : bool, default=True
            What is meant where a question does not say; either is served after fitting.
        path : RidgeFactorization, optional
            Factorisation of the same rows; spares a second eigendecomposition.

        Returns
        -------
        PlugInPopulation
            Itself.
        """
        check_flag(fit_intercept, "fit_intercept")
        X, y, sample_weight = check_rows(self, X, y, sample_weight)
        if is_sparse(X):
            if X.shape[1] > MOST_FACTORISED:
                raise ValueError(
                    f"X of shape {X.shape} is sparse, but the plug-in population keeps the dense "
                    f"covariance of its features, of which there may be {MOST_FACTORISED}; "
                    "population='leave-one-out' and 'gcv' do without."
                )
            X = sparse_rows_of(X, "X")
        weights = np.ones(X.shape[0]) if sample_weight is None else sample_weight
        kept = weights > 0
        if not np.all(kept):
            X, y, weights = X[kept], y[kept], weights[kept]
        weights = weights / weights.mean()
        if path is None:  # more accurate than the eigenvalues of the averaged moments
            path = ridge_factorization(X, y, weights, fit_intercept=fit_intercept)
        self.n_samples_ = X.shape[0]
        self.fit_intercept_ = bool(fit_intercept)
        rows, self.feature_mean_ = centred_rows(X, weights)
        self.target_mean_ = np.average(y, axis=0, weights=weights)
        root = np.sqrt(weights)
        targets = (y - self.target_mean_) * (root if y.ndim == 1 else root[:, None])
        gram, cross = rows.gram(np.atleast_2d(targets.T).T)
        upper = np.tril(gram, -1).T
        self.feature_covariance_ = (np.tril(gram) + upper) / self.n_samples_
        self.cross_covariance_ = cross.reshape(X.shape[1], *y.shape[1:]) / self.n_samples_
        self.target_covariance_ = targets.T @ targets / self.n_samples_
        self._cache: dict[bool, SpectralMoments] = {path.fit_intercept: self._moments_of(path)}
        if self.n_samples_ < 10 * X.shape[1]:
            warn_caller(
                f"The plug-in population rests on {self.n_samples_} rows of {X.shape[1]} features; "
                f"below {10 * X.shape[1]} rows its errors are too low. Use population='gcv', or "
                "more rows.",
            )
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @property
    def _single(self) -> bool:
        return self.cross_covariance_.ndim == 1

    @property
    def target_variance_(self) -> TargetVariance:
        """Variance of every output, as of the rows."""
        variance = np.diagonal(np.atleast_2d(self.target_covariance_)).copy()
        return TargetVariance(variance, np.zeros_like(variance))

    def _moments_of(self, path: Any) -> SpectralMoments:
        n, single = path.n_rows, self._single
        coefs, eigenvalues = path.feature_components / n, path.eigenvalues / n
        if not eigenvalues.size:  # of features that do not vary one direction stays
            eigenvalues, coefs = np.zeros(1), np.zeros((1, coefs.shape[1]))
        rho = path.targets.T @ path.targets / n
        return SpectralMoments(
            eigenvalues, coefs[:, 0] if single else coefs, rho[0, 0] if single else rho
        )

    def _spectral_moments(self, fit_intercept: bool) -> SpectralMoments:
        check_is_fitted(self)
        if fit_intercept not in self._cache:
            omega, psi = self.feature_covariance_, self.cross_covariance_
            rho = self.target_covariance_
            if not fit_intercept:
                mean, target = self.feature_mean_, self.target_mean_
                omega = omega + np.outer(mean, mean)
                psi = psi + np.multiply.outer(mean, target)
                rho = rho + np.multiply.outer(target, target)
            values, vectors = np.linalg.eigh(omega)
            kept = values > values.size * np.finfo(float).eps * values[-1]
            kept[-1] = True  # of features that do not vary one direction stays, of variance zero
            values = np.maximum(values, 0.0)
            self._cache[fit_intercept] = SpectralMoments(
                values[kept], vectors[:, kept].T @ psi, rho
            )
        return self._cache[fit_intercept]
