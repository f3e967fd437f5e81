"""What every population answers, read from its one record."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.theory import ErrorAnswer, ErrorDecomposition
from sk_deepfeat.theory.alpha_search import MANY_OUTPUTS, AlphaSearch
from sk_deepfeat.theory.answer import AskedVariance
from sk_deepfeat.theory.required_samples import required_samples
from sk_deepfeat.theory.validation import (
    FloatArray,
    axes_of,
    check_alpha,
    check_cells,
    check_flag,
    check_n_samples,
    check_unmasked,
)

_UNFITTED = (
    "This %(name)s instance is not fitted yet; call fit(X, y), or fit() of one that is known on "
    "paper."
)


class AnswersMixin:
    """Answers of a population that gives an `ErrorAnswer`.

    A subclass implements ``_answer(n_samples, alpha, fit_intercept, variance)``, of validated
    arrays of one shape, ``_single``, whether the targets had one axis, and ``_extent``, and its
    ``fit`` sets ``fit_intercept_``. Kept apart from `BaseEstimator`, so that the subclasses remain
    plain scikit-learn estimators.
    """

    fit_intercept_: bool

    def answer(
        self,
        n_samples: ArrayLike,
        alpha: Any,
        *,
        fit_intercept: bool | None = None,
        variance: AskedVariance = False,
    ) -> ErrorAnswer:
        """Return all that is known of some cells in one record.

        Parameters
        ----------
        n_samples, alpha, fit_intercept
            As in `test_error`.
        variance : bool or "relative" or ShareOfAll, default=False
            Whether the variance of the error is wanted, too, from a population that knows it:
            of the error itself, or of its share of the targets' variance, or of that of all
            outputs.

        Returns
        -------
        ErrorAnswer
            Of cells of shape broadcast(n_samples, alpha), with an axis of outputs.
        """
        fit_intercept = self._intercept(fit_intercept)
        if not isinstance(alpha, str):
            sizes, alphas = check_cells(n_samples, alpha)
            return self._known(self._answer(sizes, alphas, fit_intercept, variance), alphas)
        _check_optimal(alpha)
        sizes = check_n_samples(n_samples)
        alphas, share = self._search(fit_intercept).best_cells(sizes)
        found = self.answer(sizes, alphas, fit_intercept=fit_intercept, variance=variance)
        return found if np.all(share == 1.0) else found.scaled(share)

    def _known(self, found: Any, alpha: FloatArray) -> Any:
        """Return what is known of a record at these alphas: here all of it."""
        return found

    def _intercept(self, fit_intercept: bool | None) -> bool:
        """Return whether an intercept is meant, or raise if that cannot be answered."""
        check_is_fitted(self, msg=_UNFITTED)
        asked = self.fit_intercept_
        if fit_intercept is not None:
            asked = check_flag(fit_intercept, "fit_intercept")
        self._check_answerable(asked)
        return asked

    def _check_answerable(self, fit_intercept: bool) -> None:
        """Raise unless the population serves what is asked."""

    def _answer(
        self, n_samples: FloatArray, alpha: FloatArray, fit_intercept: bool, variance: AskedVariance
    ) -> ErrorAnswer:
        raise TypeError(f"{type(self).__name__} must implement _answer.")

    def _extent(self, fit_intercept: bool) -> tuple[float, float]:
        """Return the mean squared norm of the features, and up to what n something is known."""
        raise TypeError(f"{type(self).__name__} must implement _extent.")

    @property
    def _single(self) -> bool:
        raise TypeError(f"{type(self).__name__} must implement _single.")

    def _outputs(self, values: Any) -> Any:
        return values[..., 0] if self._single else values

    def test_error(
        self, n_samples: ArrayLike, alpha: Any, *, fit_intercept: bool | None = None
    ) -> FloatArray:
        """Return the expected squared error on a new sample; NaN where it is not known.

        Parameters
        ----------
        n_samples : array-like
            Numbers of samples, at least 1.
        alpha : array-like or "optimal"
            Regularisations (for sample weights of mean one), broadcast against `n_samples`;
            "optimal" is the best for each n, as of `optimal_alpha`.
        fit_intercept : bool, optional
            Whether ridge fits an intercept; None is what `fit` was told, which is True by default.

        Returns
        -------
        ndarray of shape broadcast(n_samples, alpha), + (t,) for t outputs
        """
        found = self.answer(n_samples, alpha, fit_intercept=fit_intercept)
        return self._outputs(found.error)

    def train_error(
        self, n_samples: ArrayLike, alpha: Any, *, fit_intercept: bool | None = None
    ) -> FloatArray:
        """Return the expected mean squared residual on the rows of the fit, as `test_error`."""
        found = self.answer(n_samples, alpha, fit_intercept=fit_intercept)
        return self._outputs(found.train_error)

    def decomposition(
        self, n_samples: ArrayLike, alpha: Any, *, fit_intercept: bool | None = None
    ) -> ErrorDecomposition:
        """Return squared bias, variances, noise and their sums, each of the shape of `test_error`.

        From one sample the sums alone are known; the parts are NaN.
        """
        found = self.answer(n_samples, alpha, fit_intercept=fit_intercept).decomposition()
        return ErrorDecomposition(**{name: self._outputs(v) for name, v in vars(found).items()})

    def kappa(
        self, n_samples: ArrayLike, alpha: Any, *, fit_intercept: bool | None = None
    ) -> FloatArray:
        """Return the effective regularisation, shape broadcast(n_samples, alpha).

        NaN where it is not known.
        """
        return self.answer(n_samples, alpha, fit_intercept=fit_intercept).kappa

    def optimal_alpha(
        self, n_samples: ArrayLike, *, fit_intercept: bool | None = None
    ) -> FloatArray:
        """Return the alpha of least error, averaged over outputs, for each number of samples.

        Parameters
        ----------
        n_samples : array-like
            Numbers of samples, at least 1.
        fit_intercept : bool, optional
            As in `test_error`.

        Returns
        -------
        ndarray of the shape of `n_samples`
            NaN where the best alpha lies beyond what is known; a `PopulationWarning` says for
            which n, and where the error falls up to the largest alpha that was tried.
        """
        sizes = check_n_samples(n_samples)
        best = self._search(self._intercept(fit_intercept)).best(sizes)
        return np.reshape([found.alpha for found in best], sizes.shape)

    def required_samples(
        self, target_error: float, alpha: Any = "optimal", *, fit_intercept: bool | None = None
    ) -> float:
        """Return the smallest number of samples whose error is at most the target.

        Parameters
        ----------
        target_error : float
            Error to reach, averaged over outputs.
        alpha : float or "optimal", default="optimal"
            Regularisation; "optimal" is the best for each number of samples. Beyond the training
            size it is chosen with caution: a fixed alpha that is less sure may ask for fewer.
        fit_intercept : bool, optional
            As in `test_error`.

        Returns
        -------
        float
            An integer value; infinity if the target is not above the noise, NaN if it is not
            reached where the error is known; both with a `PopulationWarning`.
        """
        check_unmasked(target_error, "target_error")
        number = axes_of(target_error) == 0 and np.asarray(target_error).dtype.kind in "iuf"
        if not number or not np.isfinite(target_error):
            raise ValueError(f"target_error={target_error!r} must be a finite number.")
        if isinstance(alpha, str):
            _check_optimal(alpha)
        elif check_alpha(alpha).ndim:
            raise ValueError(f"alpha={alpha!r} must be one number, or 'optimal'.")
        fit_intercept = self._intercept(fit_intercept)
        found = self.answer(2.0, 1.0, fit_intercept=fit_intercept).decomposition()
        noise = np.nan if found is None else float(np.mean(found.noise))
        floor = max(0.0, noise)  # one that is not known is none but zero
        return required_samples(self._search(fit_intercept), float(target_error), alpha, floor, 1.0)

    def _search(self, fit_intercept: bool) -> AlphaSearch:
        scale, n_rows = self._extent(fit_intercept)
        outputs = self.answer(2.0, 1.0).error.size
        errors = partial(self._searched_errors, fit_intercept)
        return AlphaSearch(errors, scale, n_rows, sparing=outputs > MANY_OUTPUTS)

    def _searched_errors(
        self, fit_intercept: bool, n_samples: FloatArray, alpha: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return errors averaged over outputs, and what a search over alpha minimises."""
        if type(self).test_error is AnswersMixin.test_error:
            found = self.answer(n_samples, alpha, fit_intercept=fit_intercept)
            error, cautious = found.error, found.cautious_error
        else:  # a derived population means its own
            error = self.test_error(n_samples, alpha, fit_intercept=fit_intercept)
            error, cautious = error[..., None] if self._single else error, None
        mean = error.mean(axis=-1)
        return mean, mean if cautious is None else cautious.mean(axis=-1)


def _check_optimal(alpha: str) -> None:
    if alpha != "optimal":
        raise ValueError(f"alpha={alpha!r} must be 'optimal' or numbers that are not negative.")
