"""Classification problems with normal classes, and the error rates that belong to them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sk_deepfeat.datasets.arguments import positive_int
from sk_deepfeat.datasets.streams import own_stream
from sk_deepfeat.theory.equivalents.gaussian_mixture import (
    GaussianMixtureRisk,
    basis_risk,
    check_codes,
    check_mixture,
)
from sk_deepfeat.theory.equivalents.mixture_scores import MixtureBasis, mixture_basis
from sk_deepfeat.theory.matrices import eigh_psd
from sk_deepfeat.theory.validation import FloatArray, check_cells, check_flag, is_finite


def make_gaussian_classes(
    n_samples: int = 100,
    means: ArrayLike | None = None,
    covariances: ArrayLike | None = None,
    priors: ArrayLike | None = None,
    *,
    n_features: int = 20,
    n_classes: int = 2,
    class_sep: float = 1.0,
    labels: ArrayLike | None = None,
    random_state: Any = None,
) -> tuple[FloatArray, NDArray[Any], GaussianClasses]:
    """Draw rows of normal classes, and return what ridge reaches on them at any n and alpha.

    Parameters
    ----------
    n_samples : int, default=100
        Rows, each of a class drawn by itself.
    means : array-like of shape (n_classes, n_features), default=None
        Of the features of each class; None draws independent N(0, 2 class_sep²/n_features) entries.
    covariances : float or array-like of shape (n_features,), (n_features, n_features) or \
            (n_classes, n_features, n_features), default=None
        Of the features: a multiple of the identity, a diagonal or a matrix that all classes have
        in common, or one matrix a class; None is the identity.
    priors : array-like of shape (n_classes,), default=None
        Shares of the classes, positive, of sum 1; None: equal.
    n_features, n_classes : int, default=20, 2
        Where `means` is None.
    class_sep : float, default=1.0
        Half the distance of two means, about, where `means` is None.
    labels : array-like of shape (n_classes,), default=None
        What y calls the classes; None: 0, 1, ….
    random_state : int, RandomState instance or None, default=None
        Source of everything that is drawn, which has nothing in common with the weights that an
        estimator draws from the same seed.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    mixture : GaussianClasses
        The closed form of error rates, and further rows.

    Raises
    ------
    ValueError
        If a number is outside its range or shapes do not fit.

    See Also
    --------
    sklearn.datasets.make_classification : Clusters of classes, without a closed form.
    make_teacher_student : Numbers in place of classes.

    Examples
    --------
    >>> from sklearn.linear_model import RidgeClassifier
    >>> from sk_deepfeat.datasets import make_gaussian_classes
    >>> X, y, mixture = make_gaussian_classes(200, n_features=100, random_state=0)
    >>> mixture.error_rate([50, 200, 2000], alpha=10.0).round(3)
    array([0.342, 0.285, 0.186])
    >>> ridge = RidgeClassifier(alpha=10.0).fit(X, y)
    >>> X_test, y_test = mixture.sample(20_000, random_state=1)
    >>> round(1 - ridge.score(X_test, y_test), 2)
    0.27
    """
    rng = own_stream(random_state, "Gaussian classes")
    n_samples = positive_int(n_samples, "n_samples")
    if means is None:
        shape = positive_int(n_classes, "n_classes"), positive_int(n_features, "n_features")
        if shape[0] < 2:
            raise ValueError(f"n_classes={n_classes!r} must be at least 2.")
        if not is_finite(class_sep) or class_sep < 0:
            raise ValueError(f"class_sep={class_sep!r} must be finite and not negative.")
        means = rng.standard_normal(shape) * (class_sep * np.sqrt(2.0 / shape[1]))
    mixture = GaussianClasses(
        means, 1.0 if covariances is None else covariances, priors, labels=labels
    )
    X, y = mixture.sample(n_samples, random_state=rng)
    return X, y, mixture


def _check_labels(labels: ArrayLike | None, n_classes: int) -> NDArray[Any]:
    """Return one label for each class, or raise ValueError."""
    if labels is None:
        return np.arange(n_classes)
    try:
        found = np.asarray(labels)
        if found.shape == (n_classes,) and len(set(found.tolist())) == n_classes:
            return found
    except (TypeError, ValueError):  # lists of other lengths; what has no hash
        pass
    raise ValueError(
        f"labels must be {n_classes} different ones, one for each class; got {labels!r}."
    )


class GaussianClasses:
    """Classes whose rows are normal, and the errors of ridge classifiers trained on them.

    Ridge is fitted to -1 and 1 for two classes, as by `sklearn.linear_model.RidgeClassifier`, and
    to one column of 0 and 1 a class for more; with an intercept, the decisions for -1 and 1 in
    these columns are the same.

    Parameters
    ----------
    means, covariances, priors, labels : array-like
        As in `make_gaussian_classes`.

    Attributes
    ----------
    means : ndarray of shape (n_classes, n_features)
    covariances : ndarray of shape (n_features,), (n_features, n_features) or \
            (n_classes, n_features, n_features)
    priors : ndarray of shape (n_classes,)
    labels : ndarray of shape (n_classes,)
        In the order of everything that is given by class.

    See Also
    --------
    sk_deepfeat.theory.gaussian_mixture_risk : The formulas, for other codes as well.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.datasets import GaussianClasses
    >>> mixture = GaussianClasses(np.eye(3, 30) * 3, 1.0, [0.5, 0.3, 0.2], labels=["a", "b", "c"])
    >>> mixture.error_rate(n_samples=[[30], [300]], alpha=[1.0, 100.0]).round(3)
    array([[0.25 , 0.151],
           [0.043, 0.04 ]])
    """

    def __init__(
        self,
        means: ArrayLike,
        covariances: ArrayLike = 1.0,
        priors: ArrayLike | None = None,
        *,
        labels: ArrayLike | None = None,
    ) -> None:
        self.means, self.covariances, self.priors = check_mixture(means, covariances, priors)
        self.labels = _check_labels(labels, len(self.means))

    def sample(
        self, n_samples: int = 1, random_state: Any = None
    ) -> tuple[FloatArray, NDArray[Any]]:
        """Draw independent rows.

        Parameters
        ----------
        n_samples : int, default=1
            Rows.
        random_state : int, RandomState instance or None, default=None
            Source of rows and labels.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
        """
        rng = own_stream(random_state, "rows of Gaussian classes")
        n_samples = positive_int(n_samples, "n_samples")
        kinds = rng.choice(len(self.priors), size=n_samples, p=self.priors)
        X = rng.standard_normal((n_samples, self.means.shape[1]))
        for c, root in enumerate(self._roots):
            rows = kinds == c
            X[rows] = self.means[c] + (X[rows] * root if root.ndim == 1 else X[rows] @ root)
        return X, self.labels[kinds]

    def risk(
        self,
        n_samples: ArrayLike,
        alpha: ArrayLike,
        *,
        fit_intercept: bool = True,
        stratified: bool = False,
    ) -> GaussianMixtureRisk:
        """Return every answer about training sets of n rows.

        Parameters
        ----------
        n_samples, alpha : array-like
            Numbers of samples (at least 1) and regularisations (not negative); they broadcast.
        fit_intercept : bool, default=True
            Whether ridge fits one.
        stratified : bool, default=False
            True: training sets that hold each class by its prior, rather than rows drawn
            independently.

        Returns
        -------
        GaussianMixtureRisk
            See `sk_deepfeat.theory.gaussian_mixture_risk`.
        """
        return basis_risk(
            self._basis,
            self.priors,
            check_codes(None, len(self.priors)),
            *check_cells(n_samples, alpha),
            fit_intercept=check_flag(fit_intercept, "fit_intercept"),
            stratified=check_flag(stratified, "stratified"),
        )

    def error_rate(
        self, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool = True
    ) -> FloatArray:
        """Return the expected share of new rows that are given to a wrong class.

        Parameters
        ----------
        n_samples, alpha, fit_intercept
            As in `risk`.

        Returns
        -------
        ndarray of shape broadcast(n_samples, alpha)
        """
        return self.risk(n_samples, alpha, fit_intercept=fit_intercept).error_rate

    def class_errors(
        self, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool = True
    ) -> FloatArray:
        """Return the expected share of the new rows of each class that are given to another.

        Parameters
        ----------
        n_samples, alpha, fit_intercept
            As in `risk`.

        Returns
        -------
        ndarray of shape broadcast(n_samples, alpha) + (n_classes,)
        """
        return self.risk(n_samples, alpha, fit_intercept=fit_intercept).class_errors

    def squared_error(
        self, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool = True
    ) -> FloatArray:
        """Return the expected squared difference of scores and codes on a new row.

        Parameters
        ----------
        n_samples, alpha, fit_intercept
            As in `risk`.

        Returns
        -------
        ndarray of shape broadcast(n_samples, alpha)
        """
        return self.risk(n_samples, alpha, fit_intercept=fit_intercept).squared_error

    def __repr__(self) -> str:
        n_classes, n_features = self.means.shape
        return f"<GaussianClasses: {n_classes} classes, {n_features} features>"

    @cached_property
    def _basis(self) -> MixtureBasis:
        return mixture_basis(self.means, self.covariances, self.priors)

    @cached_property
    def _roots(self) -> list[FloatArray]:
        """Symmetric roots of the covariances, or standard deviations."""
        if self.covariances.ndim == 1:
            return [np.sqrt(self.covariances)] * len(self.means)
        pooled = self.covariances.ndim == 2
        found = []
        for matrix in self.covariances[None] if pooled else self.covariances:
            values, vectors = eigh_psd(matrix, "covariances")
            found.append((vectors * np.sqrt(values)) @ vectors.T)
        return found * len(self.means) if pooled else found
