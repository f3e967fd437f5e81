"""What every population answers, read from its one record."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.theory import ErrorAnswer, ErrorDecomposition
from sk_deepfeat.theory.answer import AskedVariance
from sk_deepfeat.theory.validation import FloatArray, check_cells


class AnswersMixin:
    """Answers of a population that gives an `ErrorAnswer`.

    A subclass implements ``_answer(n_samples, alpha, fit_intercept, variance)``, of validated
    arrays of one shape, and ``_single``, whether the targets had one axis. Kept apart from
    `BaseEstimator`, so that the subclasses remain plain scikit-learn estimators.
    """

    def answer(
        self,
        n_samples: ArrayLike,
        alpha: ArrayLike,
        *,
        fit_intercept: bool,
        variance: AskedVariance = False,
    ) -> ErrorAnswer:
        """Return all that is known of some cells in one record.

        Parameters
        ----------
        n_samples, alpha : array-like
            Numbers of samples and regularisations (for sample weights of mean one); broadcast.
        fit_intercept : bool
            Whether ridge fits an intercept.
        variance : bool or "relative", default=False
            Whether the variance of the error is wanted, too, from a population that knows it:
            of the error itself, or of its share of the targets' variance.

        Returns
        -------
        ErrorAnswer
            Of cells of shape broadcast(n_samples, alpha), with an axis of outputs.
        """
        self._check_answerable(fit_intercept)
        sizes, alphas = check_cells(n_samples, alpha)
        return self._known(self._answer(sizes, alphas, fit_intercept, variance), alphas)

    def _known(self, found: Any, alpha: FloatArray) -> Any:
        """Return what is known of a record at these alphas: here all of it."""
        return found

    def _check_answerable(self, fit_intercept: bool) -> None:
        """Raise unless the population is fitted, and for what is asked."""
        check_is_fitted(self)

    def _answer(
        self, n_samples: FloatArray, alpha: FloatArray, fit_intercept: bool, variance: AskedVariance
    ) -> ErrorAnswer:
        raise TypeError(f"{type(self).__name__} must implement _answer.")

    @property
    def _single(self) -> bool:
        raise TypeError(f"{type(self).__name__} must implement _single.")

    def _outputs(self, values: Any) -> Any:
        return values[..., 0] if self._single else values

    def test_error(
        self, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool
    ) -> FloatArray:
        """Return the expected squared error on a new sample; NaN where it is not known.

        Parameters
        ----------
        n_samples, alpha : array-like
            Numbers of samples and regularisations (for sample weights of mean one); broadcast.
        fit_intercept : bool
            Whether ridge fits an intercept.

        Returns
        -------
        ndarray of shape broadcast(n_samples, alpha), + (t,) for t outputs
        """
        found = self.answer(n_samples, alpha, fit_intercept=fit_intercept)
        return self._outputs(found.error)

    def train_error(
        self, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool
    ) -> FloatArray:
        """Return the expected mean squared residual on the rows of the fit, as `test_error`."""
        found = self.answer(n_samples, alpha, fit_intercept=fit_intercept)
        return self._outputs(found.train_error)

    def decomposition(
        self, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool
    ) -> ErrorDecomposition:
        """Return squared bias, variances, noise and their sums, each of the shape of `test_error`.

        From one sample the sums alone are known; the parts are NaN.
        """
        found = self.answer(n_samples, alpha, fit_intercept=fit_intercept).decomposition()
        return ErrorDecomposition(**{name: self._outputs(v) for name, v in vars(found).items()})

    def kappa(self, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool) -> FloatArray:
        """Return the effective regularisation, shape broadcast(n_samples, alpha).

        NaN where it is not known.
        """
        return self.answer(n_samples, alpha, fit_intercept=fit_intercept).kappa
