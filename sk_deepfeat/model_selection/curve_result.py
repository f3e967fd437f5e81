"""What `ridge_learning_curve` returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.validation import FloatArray


@dataclass(frozen=True)
class RidgeLearningCurve:
    """Predicted and measured test errors of ridge over training sizes and alphas.

    With S sizes, A alphas and R repeats.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.model_selection import RidgeLearningCurve
    >>> curve = RidgeLearningCurve(np.array([10]), np.array([1.0]), np.array([[2.0]]),
    ...                            np.array([[[1.0, 3.0]]]))
    >>> curve.measured_mean, curve.measured_se
    (array([[2.]]), array([[1.]]))
    """

    train_sizes: NDArray[Any]
    """Shape (S,): numbers of rows; with groups, `n_groups` times the mean rows of a group."""
    alphas: FloatArray
    """Shape (A,)."""
    predicted: FloatArray
    """Shape (S, A); NaN where the population cannot know it."""
    measured: FloatArray
    """Shape (S, A, R): one error for each refit; NaN where a run was interrupted before it."""
    splits: list[list[tuple[NDArray[np.intp], NDArray[np.intp]]]] = field(
        default_factory=list, repr=False
    )
    """``splits[s][r] = (train, test)`` row indices."""
    lower: FloatArray | None = None
    """Lower ends of intervals of `predicted`, shape (S, A); None if they are not known."""
    upper: FloatArray | None = None
    """Upper ends."""
    reachable: NDArray[np.bool_] | None = None
    """Where the rows identify the prediction, shape (S, A); None: where `predicted` is not NaN."""
    n_groups: NDArray[np.intp] | None = None
    """Shape (S,): numbers of groups in the subsets; None: rows were no groups."""
    metric: str = "mse"
    """What the errors are: "mse", averaged over outputs, or the codes -1 and 1 of classes;
    "error_rate", "balanced_error" and "log_loss" as of a classifier's ``predict_test_error``."""
    level: float = 0.9
    """Nominal coverage of the intervals."""

    @property
    def measured_mean(self) -> FloatArray:
        """Mean over the repeats that ran, shape (S, A)."""
        total = np.nansum(self.measured, axis=-1)
        return np.divide(total, self._count, out=np.full_like(total, np.nan), where=self._count > 0)

    @property
    def measured_se(self) -> FloatArray:
        """Standard error of `measured_mean` over repeats, shape (S, A); NaN for one repeat."""
        squares = np.nansum(np.square(self.measured - self.measured_mean[..., None]), axis=-1)
        degrees = self._count * (self._count - 1)
        variance = np.divide(squares, degrees, out=np.full_like(squares, np.nan), where=degrees > 0)
        return np.sqrt(variance)

    @property
    def relative_error(self) -> FloatArray:
        """``predicted / measured_mean - 1``, shape (S, A); NaN where no error was measured."""
        measured = np.where(self.measured_mean == 0.0, np.nan, self.measured_mean)
        return self.predicted / measured - 1.0

    @property
    def _count(self) -> NDArray[np.intp]:
        return np.sum(~np.isnan(self.measured), axis=-1)

    def to_frame(self) -> Any:
        """Return one row per (n_samples, alpha).

        Returns
        -------
        pandas.DataFrame
            Columns n_samples, alpha, predicted, measured, measured_se, relative_error, and with
            groups n_groups.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                'RidgeLearningCurve.to_frame needs pandas: pip install "sk-deepfeat[plot]".'
            ) from error
        sizes, alphas = np.meshgrid(self.train_sizes, self.alphas, indexing="ij")
        frame = pd.DataFrame(
            {
                "n_samples": sizes.ravel(),
                "alpha": alphas.ravel(),
                "predicted": self.predicted.ravel(),
                "measured": self.measured_mean.ravel(),
                "measured_se": self.measured_se.ravel(),
                "relative_error": self.relative_error.ravel(),
            }
        )
        if self.n_groups is not None:
            frame["n_groups"] = np.repeat(self.n_groups, len(self.alphas))
        return frame
