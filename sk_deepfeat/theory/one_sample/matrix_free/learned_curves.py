"""The κ-curve of a training set and its jackknife replicates, from products with its rows.

Steps go on until the errors of left-out folds are settled at ridges well below the best one; ridges
at which they are not are left out of the curve, and nothing is known there.

A replicate leaves a block of rows out of the means, one probe out of the traces and a block of the
sample out of its shape: three independent causes of noise, which the jackknife sees together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sk_deepfeat.progress import Stage, stage
from sk_deepfeat.theory.interpolation import log_spline
from sk_deepfeat.theory.one_sample import tuning as one_sample_tuning
from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve, leave_one_out_curves
from sk_deepfeat.theory.one_sample.matrix_free import tuning
from sk_deepfeat.theory.one_sample.matrix_free.assembled_curve import (
    FoldFits,
    Measured,
    assembled_curve,
)
from sk_deepfeat.theory.one_sample.matrix_free.fold_errors import FoldErrors
from sk_deepfeat.theory.one_sample.matrix_free.folded_products import FoldedProducts
from sk_deepfeat.theory.one_sample.matrix_free.sample_shape import SampleShape
from sk_deepfeat.theory.one_sample.matrix_free.spectral_sums import ProbedSpectrum
from sk_deepfeat.theory.one_sample.matrix_free.unfactorized_rows import UnfactorizedRows
from sk_deepfeat.theory.validation import FloatArray

_FIRST_STEPS, _NEXT_STEPS = 32, 16
# Ridges over the largest eigenvalue between which errors are looked for, and how many.
_LOW, _HIGH, _LOOKED_AT = 1e-10, 10.0, 60
# The curve goes on to where next to nothing is learned.
_TOP, _TOP_SHARE = 1e6, 0.15

_NOTHING = (
    "max_iter={} Lanczos steps settle no error at any alpha; raise it, or scale the columns of X "
    "to more equal variances."
)


class MatrixFreeOptions(NamedTuple):
    """What a matrix-free fit may cost."""

    n_folds: int = tuning.N_FOLDS
    n_probes: int = tuning.N_PROBES
    most_steps: int = tuning.MOST_STEPS
    n_grid: int = 120
    seed: int = 0


class MatrixFreeCurves(NamedTuple):
    """What `matrix_free_curves` returns."""

    curve: KappaCurve
    replicates: list[KappaCurve]
    n_steps: int
    """Lanczos steps that were taken."""
    lowest_ridge: float
    """Below it nothing is known of fits without a fold; infinite if nothing is known at all."""


def matrix_free_curves(rows: UnfactorizedRows, options: MatrixFreeOptions) -> MatrixFreeCurves:
    """Return the curve, its replicates, and how far they go.

    Parameters
    ----------
    rows : UnfactorizedRows
        More rows than folds.
    options : MatrixFreeOptions
        What it may cost.

    Raises
    ------
    ValueError
        If no error settles at any ridge.
    """
    if rows.sample.eigenvalues.size == 0:
        raise ValueError(
            f"X: all features are constant over {rows.n_sampled} sampled rows; without a "
            "factorisation nothing can be learned from the others."
        )
    rng = np.random.default_rng(options.seed)
    fold = rng.permutation(rows.n_rows) % options.n_folds
    products = FoldedProducts(
        rows.features, np.sqrt(rows.weights), fold, fit_intercept=rows.fit_intercept
    )
    n_blocks = one_sample_tuning.JACKKNIFE_BLOCKS
    none = np.empty((min(rows.features.shape), 0))
    probes = products.probes(options.n_probes, rng)
    found, lowest = [], 0.0
    for k in range(rows.targets.shape[1]):
        errors = FoldErrors(
            products,
            rows.targets[:, k],
            probes if k == 0 else none,
            options.most_steps,
            n_blocks,
        )
        with stage("Lanczos steps", options.most_steps) as told:
            lowest = max(lowest, _settle(errors, rows.exact_at, options.most_steps, told))
        found.append(errors)
    if not np.isfinite(lowest):
        raise ValueError(_NOTHING.format(options.most_steps))
    first = options.n_folds + 1
    columns = range(first, first + probes.shape[1])
    spectrum = ProbedSpectrum(found[0].run, columns, products.dimension, rows.n_effective)
    ridges = _grid(lowest, spectrum, rows.exact_at, options.n_grid)
    with stage("errors of folds"):
        return _curves(rows, options, found, spectrum, ridges, lowest)


def _along_logs(spline: Callable[[FloatArray], FloatArray]) -> Measured:
    """Return a function of log alpha as one of alpha."""

    def of_alpha(alpha: FloatArray) -> FloatArray:
        return spline(np.log(alpha))

    return of_alpha


def _settle(errors: FoldErrors, exact_at: FloatArray, most_steps: int, told: Stage) -> float:
    """Take steps until enough is settled, and return the smallest ridge that is."""
    run = errors.run
    steps = min(_FIRST_STEPS, most_steps)
    while True:
        for _ in range(steps):
            run.advance(1)
            told.advance()
        largest = run.largest
        if largest <= 0:  # a target that is constant
            return 0.0
        looked_at = largest * np.geomspace(_LOW, _HIGH, _LOOKED_AT)
        found = errors.settled(looked_at)
        unknown = np.flatnonzero(~found.known)
        first = int(unknown[-1]) + 1 if unknown.size else 0
        lowest = float(looked_at[first]) if first < looked_at.size else np.inf
        if first < looked_at.size:
            best = float(looked_at[first + int(np.argmin(found.error[first:]))])
            wanted = tuning.RIDGES_BELOW_BEST * best
            if exact_at.size:
                wanted = min(wanted, 0.5 * float(exact_at.min()))
            if lowest <= max(wanted, float(looked_at[0])):
                return lowest
        steps = min(_NEXT_STEPS, most_steps - run.n_steps)
        if steps == 0:
            return lowest


def _grid(lowest: float, spectrum: ProbedSpectrum, exact_at: FloatArray, n_grid: int) -> FloatArray:
    """Return ridges of the curve, most of them about the spectrum."""
    middle = max(_HIGH * spectrum.largest, _HIGH * lowest)
    top = max(_TOP * spectrum.trace, _HIGH * middle)
    beyond = max(int(_TOP_SHARE * n_grid), 2)
    grid = np.r_[
        np.geomspace(lowest, middle, n_grid - beyond, endpoint=False),
        np.geomspace(middle, top, beyond),
    ]
    exact = exact_at[(exact_at > lowest) & (exact_at < top)]
    if exact.size:  # no point of the grid too near one of them for a spline through both
        grid = grid[np.abs(np.log(grid[:, None] / exact)).min(axis=1) > 1e-3]
    return np.unique(np.r_[grid, exact])


def _curves(
    rows: UnfactorizedRows,
    options: MatrixFreeOptions,
    found: list[FoldErrors],
    spectrum: ProbedSpectrum,
    ridges: FloatArray,
    lowest: float,
) -> MatrixFreeCurves:
    n_blocks = found[0].n_blocks
    of_sample = leave_one_out_curves(rows.sample, n_blocks=n_blocks)
    shapes = [SampleShape(curve, rows.n_effective) for curve in (of_sample[0], *of_sample[1])]
    means = [errors.means(ridges) for errors in found]
    without = np.stack([part for _, part in means], axis=2)
    training = np.stack([errors.training_error(ridges) for errors in found], axis=1)
    common = {
        "n_effective": rows.n_effective,
        "rank": min(rows.n_effective, rows.n_features),
        "fit_intercept": rows.fit_intercept,
    }
    n_fitted = rows.n_rows * (1.0 - 1.0 / options.n_folds)

    def measured(alpha: FloatArray) -> FloatArray:
        return np.stack([errors.means(alpha)[0] for errors in found], axis=1)

    def sample_factor(alpha: FloatArray) -> FloatArray:
        factors = [errors.sample_factor(alpha, rows.sampled_rows) for errors in found]
        return np.stack(factors, axis=1)

    fits = FoldFits(n_fitted, measured, lowest, sample_factor)
    sums = spectrum.sums(ridges)
    curve = assembled_curve(ridges, sums, shapes[0], fits, training, **common)
    if curve.kappa.size < 2:
        raise ValueError(_NOTHING.format(options.most_steps))
    replicates = []
    for b, shape in enumerate(shapes[1:]):
        spline = log_spline(np.log(ridges), without[b])
        of_block = FoldFits(fits.n_rows, _along_logs(spline), lowest)
        sums = spectrum.sums(ridges, spectrum.all_but(b))
        replicate = assembled_curve(ridges, sums, shape, of_block, training, **common)
        if replicate.kappa.size >= 2:
            replicates.append(replicate)
    return MatrixFreeCurves(curve, replicates, max(e.run.n_steps for e in found), lowest)
