r"""Errors measured on subsets of the training set beside those that the transfer gives there.

C(n, alpha) = log(measured/transferred) at a few sizes n below the training size and a few alphas.
Where rows are clustered, or the theory fails for another reason, C says by how much, and corrects
it: linear in log n and log alpha between the points, zero at the training size and beyond. A value
that its own noise could make, z = C/se, is shrunk by max(0, 1 - 2/z²).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sk_deepfeat.theory.one_sample.evaluation import alpha_at_share, transfer_risk
from sk_deepfeat.theory.one_sample.factorization import RidgePath, check_path
from sk_deepfeat.theory.one_sample.kappa_curve import TransferCurve
from sk_deepfeat.theory.one_sample.subsets import SubsetErrors, check_subset_size, subset_errors
from sk_deepfeat.theory.validation import FloatArray

# Values of df1/n at which subsets are measured: for a check that costs as much as the
# factorisation, and for a correction where the check fails.
_SHARES = np.array([0.1, 0.5, 0.85, 0.98])
_FINE_SHARES = np.array([0.05, 0.2, 0.4, 0.6, 0.8, 0.9, 0.96, 0.99])
_MOST_LEVELS, _LEAST_SIZE = 6, 12
_NOTHING = 4e10  # operations, a fraction of a second
# Disagreements below this are nobody's concern.
_FIRES_RATIO = 0.05
_LARGEST_RATIO = 3.0


class CalibrationLevel(NamedTuple):
    """One size, with A alphas ascending and t outputs."""

    size: int
    n_subsets: int
    log_alpha: FloatArray
    """Shape (A,)."""
    measured: FloatArray
    """Mean squared errors on subsets, shape (A, t)."""
    transferred: FloatArray
    """What the transfer gives, shape (A, t)."""
    log_ratio: FloatArray
    """C, shape (A, t)."""
    standard_error: FloatArray
    """Of C, shape (A, t)."""


class Calibration(NamedTuple):
    """Levels of ascending size, from one training set."""

    levels: tuple[CalibrationLevel, ...]
    n_rows: int
    """Rows of the training set."""
    rank: int
    """Directions that the training set resolves."""
    shares: FloatArray
    """Values of df1/n, ascending, shape (S,)."""
    scatter: FloatArray
    """√n times the relative deviation of the error from training set to training set at those
    values, shape (S, t)."""

    @property
    def disagreement(self) -> float:
        """The largest C in size beyond noise, over levels and alphas; 0 if the check is passed.

        The check fails where C passes 5 % in size and four standard errors at one number of rows,
        or three at two; a little more of them for several outputs. At the size of the rank, where
        fits interpolate for the first time, few subsets say little about their scatter: it counts
        only beside another size.
        """
        more = 2.0 * np.log(self.scatter.shape[1])
        some, many = np.sqrt(9.0 + more), np.sqrt(16.0 + more)
        largest, sizes, sure = 0.0, 0, False
        for level in self.levels:
            ratio = np.abs(level.log_ratio)
            z = ratio / np.maximum(level.standard_error, 1e-12)
            z = np.where(ratio > _FIRES_RATIO, z, 0.0)
            if np.any(z > some):
                sizes += 1
                largest = max(largest, float(ratio[z > some].max()))
            sure |= bool(np.any(z > many)) and abs(np.log(level.size / self.rank)) > 0.5
        return largest if sure or sizes > 1 else 0.0


def level_sizes(n_rows: int, rank: int) -> list[int]:
    """Return the sizes of the subsets, ascending: rank times powers of two, or n_rows over them."""
    if rank == 0:
        return []
    largest = 0.8 * n_rows
    if rank <= largest:
        top = rank * 2.0 ** np.floor(np.log2(largest / rank))
    else:
        top = n_rows / 2.0
    sizes = [int(top / 2**k) for k in range(_MOST_LEVELS)]
    return sorted(size for size in sizes if size >= _LEAST_SIZE)


def _n_subsets(path: RidgePath, rank: int, size: int, n_alphas: int, fine: bool) -> int:
    """Return how many subsets are worth their cost.

    For the check a level may cost a quarter of the factorisation, for the correction all of it.
    Costs are counted as operations of matrix products, of which the slower parts take more.
    """
    small, large = sorted(path.features.shape)
    short, long = sorted((size, path.n_features))
    whole = 2.0 * small**2 * large + 11.0 * small**3
    one = 2.0 * short**2 * long + 0.75 * n_alphas * short**3 + 250.0 * small * large
    at_rank = abs(np.log(size / rank)) < 0.5
    least = 3 if at_rank else 2 if size > path.n_rows / 5 else 4
    most = 16 if size <= path.n_rows / 3 else 4
    worth = max(whole, _NOTHING) * (1.0 if fine else 0.25)
    return int(np.clip(worth / one, least + fine, most))


def calibrate(
    path: RidgePath,
    curve: TransferCurve,
    *,
    sizes: list[int] | None = None,
    fine: bool = False,
    seed: int = 0,
) -> Calibration:
    """Measure ridge on subsets of the training set and compare with the transfer.

    Parameters
    ----------
    path : RidgePath
        The training set.
    curve : TransferCurve
        Of the same rows.
    sizes : list of int, optional
        Sizes of the subsets; None takes six, at most four fifths of the rows, of which one is the
        rank of the features where the sample exceeds it.
    fine : bool, default=False
        Twice as many alphas, at most a factor of ten apart, and up to four times as many subsets:
        for a correction, where a check has failed.
    seed : int, default=0
        Draws the subsets.

    Returns
    -------
    Calibration
        Without levels if the training set is too small for subsets.
    """
    check_path(path)
    wanted = level_sizes(path.n_rows, curve.rank) if sizes is None else sorted(sizes)
    for size in wanted:
        check_subset_size(size, path.n_rows)
    if curve.rank == 0:  # nothing is learned from any rows
        wanted = []
    grid = _FINE_SHARES if fine else _SHARES
    found: list[tuple[FloatArray, SubsetErrors]] = []
    cache: dict[float, Any] = {}
    for size in wanted:
        every = 1 if size <= 1.5 * curve.rank else 2
        shares = grid[::-1][::every][::-1]
        used = shares * min(1.0, curve.rank / size)
        alphas = alpha_at_share(curve, size, used, fit_intercept=path.fit_intercept, cache=cache)
        if fine:
            used, alphas = _closer(used, alphas)
        n_subsets = _n_subsets(path, curve.rank, size, alphas.size, fine)
        found.append((used, subset_errors(path, size, alphas, n_subsets, seed=seed)))
    scatter = _pooled_scatter(grid, found, path.n_rows, path.targets.shape[1])
    calibration = Calibration((), path.n_rows, curve.rank, grid, scatter)
    levels = tuple(_level(calibration, curve, used, errors, path, cache) for used, errors in found)
    return calibration._replace(levels=levels)


def _closer(used: FloatArray, alphas: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Insert alphas, falling, until neighbours are at most a factor of ten apart; df1/n likewise.

    Where the spectrum has a gap, df1/n is the same over decades of alpha, while C need not be: a
    line across the gap would carry what is wrong at its far end to where the theory holds.
    """
    known = np.log(alphas)[::-1]
    steps = np.maximum(np.ceil(np.diff(known) / np.log(10.0)), 1.0).astype(int)
    pieces = [
        np.linspace(low, high, count, endpoint=False)
        for low, high, count in zip(known[:-1], known[1:], steps, strict=True)
    ]
    closer = np.concatenate([*pieces, known[-1:]])
    return np.interp(closer, known, used[::-1])[::-1], np.exp(closer)[::-1]


def _pooled_scatter(
    shares: FloatArray, found: list[tuple[FloatArray, SubsetErrors]], n_rows: int, outputs: int
) -> FloatArray:
    """Return √n times the relative deviation along df1/n, pooled by degrees of freedom.

    Two or three subsets differ in the rows outside as much as in those inside, and count little.
    """
    total = np.zeros((shares.size, outputs))
    degrees = np.full((shares.size, 1), 1e-300)
    for used, errors in found:
        weight = (errors.n_subsets - 1) * (1.0 if errors.size <= n_rows / 3 else 0.1)
        covered = ((shares >= 0.5 * used[0]) & (shares <= 1.1 * used[-1]))[:, None] * weight
        squares = errors.size * np.square(errors.scatter)
        total += covered * _along(used, squares, shares)
        degrees += covered
    return np.sqrt(total / degrees)


def _along(x: FloatArray, columns: FloatArray, at: FloatArray) -> FloatArray:
    """Interpolate each column in log x."""
    log_at = np.log(np.maximum(at, 1e-300))
    return np.stack([np.interp(log_at, np.log(x), column) for column in columns.T], axis=-1)


def _level(
    calibration: Calibration,
    curve: TransferCurve,
    used: FloatArray,
    errors: SubsetErrors,
    path: RidgePath,
    cache: dict[float, Any],
) -> CalibrationLevel:
    size, alpha = errors.size, errors.alpha
    transferred = transfer_risk(
        curve, size, alpha, fit_intercept=path.fit_intercept, cache=cache
    ).test_error
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(errors.error / transferred)
    relative = scatter_at(calibration, used) / np.sqrt(size)
    if errors.n_subsets >= 3:
        relative = np.maximum(relative, errors.scatter)
    # The transfer rests on one training set itself, where these alphas leave df1 of the same κ.
    own = scatter_at(calibration, used * size / path.n_rows) / np.sqrt(path.n_rows)
    known = np.isfinite(ratio)
    ratio = np.where(known, np.clip(ratio, -_LARGEST_RATIO, _LARGEST_RATIO), 0.0)
    relative = np.where(known, relative, 1.0)
    order = np.argsort(alpha)
    return CalibrationLevel(
        size,
        errors.n_subsets,
        np.log(alpha)[order],
        errors.error[order],
        transferred[order],
        ratio[order],
        np.sqrt(np.square(relative) / errors.n_subsets + np.square(own))[order],
    )


def scatter_at(calibration: Calibration, used: FloatArray) -> FloatArray:
    """Return √n times the relative deviation over training sets at values of df1/n."""
    return _along(calibration.shares, calibration.scatter, used)


def correction(
    calibration: Calibration, n_samples: FloatArray, alpha: FloatArray, *, shrink: bool = True
) -> tuple[FloatArray, FloatArray]:
    """Return C at any number of samples and any alpha, and its variance.

    Parameters
    ----------
    calibration : Calibration
        From `calibrate`.
    n_samples, alpha : ndarray of one shape
        Numbers of samples and regularisations for weights of mean one.
    shrink : bool, default=True
        Whether to shrink what noise could make.

    Returns
    -------
    log_ratio, variance : ndarray of that shape + (t,)
    """
    outputs = calibration.scatter.shape[1]
    shape = (*n_samples.shape, outputs)
    if not calibration.levels:
        return np.zeros(shape), np.zeros(shape)
    at = np.log(np.maximum(alpha, np.finfo(float).tiny)).ravel()
    values = np.zeros((len(calibration.levels) + 1, at.size, outputs))
    variances = np.zeros_like(values)
    for i, level in enumerate(calibration.levels):
        ratio, variance = level.log_ratio, np.square(level.standard_error)
        if shrink:
            ratio = ratio * np.maximum(0.0, 1.0 - 2.0 * variance / np.maximum(ratio**2, 1e-300))
        for k in range(outputs):
            values[i, :, k] = np.interp(at, level.log_alpha, ratio[:, k])
            variances[i, :, k] = np.interp(at, level.log_alpha, variance[:, k])
    sizes = np.log([*(level.size for level in calibration.levels), calibration.n_rows])
    position = np.interp(np.log(n_samples.ravel()), sizes, np.arange(sizes.size))
    below = np.minimum(position.astype(int), sizes.size - 2)
    part = (position - below)[:, None]
    cells = np.arange(at.size)
    mixed = [
        ((1.0 - part) * table[below, cells] + part * table[below + 1, cells]).reshape(shape)
        for table in (values, variances)
    ]
    return mixed[0], mixed[1]
