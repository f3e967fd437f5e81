r"""The noise that the other rows put into the score of an unseen one, by resampled residuals.

With the left-out residuals e at a ridge, the left-out predictor applied to labels δ_j = ξ_j e_j,
ξ_j independent and standard normal, one for each row or group, gives noise ν_i of covariance
Σ_j K_ij² e_j e_jᵀ: what the errors of the rows near to row i scatter into its score. The variance
of the theory, in proportion to the leverage of the row alone, has the right sum, but where classes
are confused it is two times too small. Only the shape is taken from here: how large the noise of n
rows is, the squared error at the same κ says,

    f² mean|ν|² = R(n, κ) - R(n₀, κ).

The draws of one ξ are the scatter of one training set and move all rows together. Each row gets its
own normal combinations Σ_r g_isr ν_ir/√R of them, the same at every ridge.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sk_deepfeat.progress import stage
from sk_deepfeat.theory.one_sample.classes import tuning
from sk_deepfeat.theory.one_sample.classes.clouds import CloudsAlongKappa, Floats, margins_of
from sk_deepfeat.theory.one_sample.classes.row_classes import RowClasses
from sk_deepfeat.theory.one_sample.classes.scores import LeftOutPredictor
from sk_deepfeat.theory.validation import FloatArray

_MOST_ENTRIES = 50_000_000
# Scores are of the size of one: noise beyond this makes a class a toss, and its square still is a
# number in single precision.
_A_TOSS = 1e12


def clouds_along_kappa(
    predictor: LeftOutPredictor, kappa: FloatArray, *, within_classes: bool = False, seed: int = 0
) -> CloudsAlongKappa:
    """Return scores of unseen rows with their noise along κ.

    Parameters
    ----------
    predictor : LeftOutPredictor
        Of a factorisation with classes, along ridges.
    kappa : ndarray of shape (G,)
        What the ridges show, ascending.
    within_classes : bool, default=False
        Whether the noise is that of training sets in which each class has its share of the weight,
        as where weights are balanced anew for each: residuals less their means over classes make
        it. The scale stays that of draws in which shares vary, as the squared errors are.
    seed : int, default=0
        Of ξ and g.

    Returns
    -------
    CloudsAlongKappa
    """
    factorization = predictor.factorization
    classes = factorization.classes
    if classes is None:
        raise ValueError("clouds_along_kappa needs a factorisation of codes: with_classes(...).")
    n_rows, outputs = factorization.targets.shape
    rng = np.random.default_rng(seed)
    least, most = tuning.WILD_DRAWS
    n_draws = int(np.clip(tuning.WILD_COLUMNS // outputs, least, most))
    groups = factorization.groups
    size = n_rows if groups is None else groups.n_groups
    signs = rng.normal(size=(size, n_draws))
    signs = signs if groups is None else signs[groups.number]
    root = np.sqrt(factorization.weights)[:, None]

    def labels() -> Iterator[FloatArray]:
        for residuals in predictor.residuals:
            parts = [(signs, residuals)]
            if within_classes:
                means = _class_means(residuals, root, classes)
                parts = [(signs, residuals - root * means), (signs[:, :least], residuals)]
            yield np.hstack([(s[:, :, None] * e[:, None]).reshape(n_rows, -1) for s, e in parts])

    others = max(classes.n_classes - 1, 1)
    n_mixed = -(-tuning.CLOUD_POINTS // n_rows)
    n_mixed = min(n_mixed, _MOST_ENTRIES // (kappa.size * others * n_rows))
    n_mixed = 1 if outputs == 1 else max(n_mixed, 1)
    mixing = rng.normal(size=(n_rows, n_mixed, n_draws)).astype(np.float32)
    mixing /= np.float32(np.sqrt(n_draws))
    shape = (kappa.size, n_mixed, others, n_rows)
    noise, scale = np.empty(shape, np.float32), np.empty(kappa.size)
    columns = n_draws * outputs
    with stage("noise of scores", kappa.size) as told:
        for k, found in enumerate(predictor.predictions(labels())):
            of_scale = found[:, columns:] if within_classes else found
            scale[k] = np.square(of_scale).sum() / (n_rows * of_scale.shape[1] / outputs)
            draws = (found[:, :columns] / root).reshape(n_rows, n_draws, outputs)
            draws = np.clip(draws, -_A_TOSS, _A_TOSS).astype(np.float32)
            noise[k] = _mixed(draws, mixing, classes)
            told.advance()
    margins = np.stack([margins_of(scores, classes) for scores in predictor.scores])
    return CloudsAlongKappa(kappa, predictor.ridges, margins, noise, scale, classes)


def _class_means(residuals: FloatArray, root: FloatArray, classes: RowClasses) -> FloatArray:
    """Return for each row the weighted mean of the residuals of its class, (rows, t)."""
    weights = classes.sums(np.square(root[:, 0]))
    sums = np.stack([classes.sums(column) for column in (root * residuals).T], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((sums / weights[:, None])[classes.number])


def _mixed(draws: Floats, mixing: Floats, classes: RowClasses) -> Floats:
    """Return draws of the noise of margins, (S, m, rows), or of two classes the variance."""
    if classes.n_outputs == 1:
        return 4.0 * np.square(draws[:, :, 0]).mean(axis=1)[None, None]
    margins = margins_of(draws, classes).transpose(2, 0, 1)
    return np.ascontiguousarray(np.matmul(mixing, margins).transpose(1, 2, 0))
