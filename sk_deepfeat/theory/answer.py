"""The record that a population gives for a question, and what is read from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.special import stdtrit

from sk_deepfeat.theory.validation import FloatArray


class ShareOfAll(NamedTuple):
    """Errors as shares of the variance of all outputs together, each in units of its own."""

    units: FloatArray
    """What the variance of each output is multiplied by, shape (t,)."""


# Whether the variance of an error is wanted, and if it is: of that as a share of the variance of
# the targets, which are the same rows' and vary with it? Of its own output's, or that of all?
AskedVariance = bool | Literal["relative"] | ShareOfAll


@dataclass(frozen=True)
class ErrorDecomposition:
    """The four parts of the test error; iterating gives them in this order.

    What cannot be known is NaN. From one training set the parts are not known one by one, but two
    of their sums are.
    """

    bias: FloatArray
    """Squared bias."""
    variance: FloatArray
    """Variance that stays without label noise."""
    noise_variance: FloatArray
    """Variance that label noise adds."""
    noise: FloatArray
    """What no linear readout explains."""
    bias_and_noise: FloatArray
    """Squared bias and noise together."""
    total_variance: FloatArray
    """Both variances together."""

    def __iter__(self) -> Iterator[FloatArray]:
        return iter((self.bias, self.variance, self.noise_variance, self.noise))


class TargetVariance(NamedTuple):
    """Variances of t outputs, and how well they are known."""

    variance: FloatArray
    """Shape (t,), in squared units of the targets."""
    log_variance: FloatArray
    """Sampling variance of their logarithm, shape (t,); zero where they are known exactly."""

    def scaled(self, factor: FloatArray) -> TargetVariance:
        """Return those of targets whose squares are so many times as large, output by output."""
        return self._replace(variance=self.variance * factor)

    def averaged(self) -> TargetVariance:
        """Return the mean over outputs, for each; the outputs are taken to be wrong together."""
        total = self.variance.sum()
        parts = self.variance / total if total > 0 else np.zeros_like(self.variance)
        log_variance = np.square((parts * np.sqrt(self.log_variance)).sum())
        return TargetVariance(
            np.full_like(self.variance, self.variance.mean()),
            np.full_like(self.log_variance, log_variance),
        )


class ErrorAnswer(NamedTuple):
    """All that is known of the error at some cells (n, alpha), for t outputs.

    One rule holds for the whole record: where `error` is NaN, so is every part of it, and its
    variance; where a cell is reachable, every part that the record has is known,
    0 ≤ train_error ≤ error and 0 ≤ bias_and_noise ≤ error. A part that the population cannot tell
    at all is None. κ is known by itself, and may be where the error is not.
    """

    error: FloatArray
    """Expected squared error on a new sample, cells + (t,); NaN where it is not known."""
    reachable: Any
    """Whether what the population was learned from identifies the error; bool, cells."""
    kappa: FloatArray
    """Effective regularisation, cells; NaN where it is not known."""
    train_error: FloatArray | None = None
    """Expected mean squared residual, cells + (t,)."""
    bias_and_noise: FloatArray | None = None
    """Squared bias and noise together, cells + (t,)."""
    parts: tuple[FloatArray, FloatArray, FloatArray, FloatArray] | None = None
    """Squared bias, variance without label noise, what label noise adds to it, and noise."""
    cautious_error: FloatArray | None = None
    """What a search over alpha should minimise, cells + (t,); None: the error itself."""
    log_variance: FloatArray | None = None
    """Variance of log error, cells + (t,); None where it was not asked for or is not known."""
    degrees: int = 1
    """Degrees of freedom of that variance."""
    common_variance: FloatArray | None = None
    """The part of it that moves all outputs together, cells + (t,); None: nothing of it."""
    deviations: FloatArray | None = None
    """How outputs move together in the rest, (B,) + cells + (t,): sums over B of products of two
    outputs are their correlation. NaN or None: not known, and taken as together."""

    def reshape(self, shape: tuple[int, ...]) -> ErrorAnswer:
        """Return the record, which has one axis of cells, with cells of another shape."""

        def reshaped(value: Any, before: int = 0) -> Any:
            if value is None:
                return None
            if isinstance(value, tuple):
                return tuple(map(reshaped, value))
            kept = value.shape
            return value.reshape(kept[:before] + shape + kept[before + 1 :])

        arrays = {
            name: reshaped(getattr(self, name), int(name == "deviations"))
            for name in self._fields
            if name != "degrees"
        }
        return self._replace(**arrays)

    def scaled(self, share: FloatArray) -> ErrorAnswer:
        """Return the record with all errors times `share`, of shape cells; NaN: nothing is known.

        Relative variances stay, where something is known.
        """
        unknown = np.isnan(share)[..., None]

        def blank(values: Any) -> Any:
            return None if values is None else np.where(unknown, np.nan, values)

        def times(values: Any) -> Any:
            return None if values is None else values * share[..., None]

        return self._replace(
            error=times(self.error),
            reachable=self.reachable & ~np.isnan(share),
            kappa=np.where(np.isnan(share), np.nan, self.kappa),
            train_error=times(self.train_error),
            bias_and_noise=times(self.bias_and_noise),
            parts=None if self.parts is None else tuple(map(times, self.parts)),
            cautious_error=times(self.cautious_error),
            log_variance=blank(self.log_variance),
            common_variance=blank(self.common_variance),
        )

    def per_output(self, factor: FloatArray, *, root: bool = False) -> ErrorAnswer:
        """Return the record with all errors times a factor for each output, or roots of that.

        Parameters
        ----------
        factor : ndarray of shape (t,)
            Positive.
        root : bool, default=False
            Whether to take square roots of the products; parts no longer add up.
        """

        def times(values: Any) -> Any:
            if values is None:
                return None
            return np.sqrt(values * factor) if root else values * factor

        def of_log(variance: Any) -> Any:
            return variance / 4.0 if root and variance is not None else variance

        return self._replace(
            error=times(self.error),
            train_error=times(self.train_error),
            bias_and_noise=times(self.bias_and_noise),
            parts=None if self.parts is None else tuple(map(times, self.parts)),
            cautious_error=times(self.cautious_error),
            log_variance=of_log(self.log_variance),
            common_variance=of_log(self.common_variance),
        )

    def with_common(self, log_variance: FloatArray) -> ErrorAnswer:
        """Return the record with more variance of log R, which moves all outputs together.

        Parameters
        ----------
        log_variance : ndarray of shape (t,)
            Of each output. Where no variance is known, it is still not.
        """
        if self.log_variance is None:
            return self
        common = np.zeros_like(self.log_variance)
        if self.common_variance is not None:
            common = self.common_variance
        return self._replace(
            log_variance=self.log_variance + log_variance, common_variance=common + log_variance
        )

    def decomposition(self) -> ErrorDecomposition | None:
        """Return the parts of the error, or None if none of them is known."""
        if self.bias_and_noise is None:
            return None
        if self.parts is not None:
            _, variance, noise_variance, _ = self.parts
            total = variance + noise_variance
            return ErrorDecomposition(*self.parts, self.bias_and_noise, total)
        unknown = np.full_like(self.error, np.nan)
        with np.errstate(invalid="ignore"):
            total = self.error - self.bias_and_noise
        return ErrorDecomposition(*(unknown,) * 4, self.bias_and_noise, total)

    def interval(self, level: float) -> tuple[FloatArray, FloatArray] | None:
        """Return the ends of an interval of nominal coverage `level`, by Student's t on log R.

        None if the variance is not known.
        """
        if self.log_variance is None:
            return None
        return self._ends(self.error, self.log_variance, level)

    def average_interval(
        self, level: float, weights: FloatArray
    ) -> tuple[FloatArray, FloatArray] | None:
        r"""Return the ends of an interval of the mean error over outputs, of shape cells.

        With shares :math:`u_k = w_k R_k/\bar R`, the part :math:`V_k` of the variance that is not
        common, and the common part :math:`G_k`, the variance of the logarithm of the mean is
        :math:`\sum_b (\sum_k u_k \sqrt{V_k} z_{bk})^2 + (\sum_k u_k \sqrt{G_k})^2`, where
        z are the deviations.

        Parameters
        ----------
        level : float
            Nominal coverage.
        weights : ndarray of shape (t,)
            Not negative, of sum one.

        Returns
        -------
        lower, upper : ndarray of shape cells
            Or None if the variance is not known.
        """
        if self.log_variance is None:
            return None
        mean = self.error @ weights
        if weights.size == 1:  # as of `interval`, to the last digit
            variance = self.log_variance[..., 0]
        else:
            with np.errstate(divide="ignore", invalid="ignore"):
                shares = weights * self.error / mean[..., None]
            variance = self._average_variance(np.where(weights > 0, shares, 0.0))
        return self._ends(mean, variance, level)

    def _average_variance(self, shares: FloatArray) -> FloatArray:
        """Return the variance of the log of a mean to which outputs add these shares."""
        assert self.log_variance is not None
        common = np.zeros_like(shares) if self.common_variance is None else self.common_variance
        with np.errstate(invalid="ignore"):
            own = np.where(np.isinf(common), 0.0, self.log_variance - common)
            own, common = (
                np.where(shares > 0, shares * np.sqrt(np.maximum(part, 0.0)), 0.0)
                for part in (own, common)
            )
        total = np.square(common.sum(axis=-1))
        if self.deviations is None:
            return np.asarray(total + np.square(own.sum(axis=-1)))
        together = np.isnan(self.deviations).any(axis=0) | np.isinf(own)
        total += np.square(np.where(together, own, 0.0).sum(axis=-1))
        apart = np.where(together, 0.0, own) * np.where(together, 0.0, self.deviations)
        return np.asarray(total + np.square(apart.sum(axis=-1)).sum(axis=0))

    def _ends(
        self, error: FloatArray, log_variance: FloatArray, level: float
    ) -> tuple[FloatArray, FloatArray]:
        reach = stdtrit(self.degrees, 0.5 + 0.5 * level) * np.sqrt(log_variance)
        with np.errstate(over="ignore", invalid="ignore"):
            lower, upper = error * np.exp(-reach), error * np.exp(reach)
        exact = np.isinf(error) | (error == 0.0)
        return np.where(exact, error, lower), np.where(exact, error, upper)
