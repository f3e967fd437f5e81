"""Error rate and squared error of ridge on class codes, for rows of a known Gaussian mixture."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import eigh_tridiagonal

from sk_deepfeat.theory.equivalents.mixture_scores import (
    MixtureBasis,
    mixture_basis,
    mixture_scores,
)
from sk_deepfeat.theory.equivalents.nearest_code import wrong_code_probability
from sk_deepfeat.theory.matrices import check_definite, check_symmetric
from sk_deepfeat.theory.validation import FloatArray, check_cells, check_flag, real_array

# Of the Gauss rules: with few rows of a class expected, of two classes and of more, and with many.
_NODES_OF_TWO, _NODES_OF_MANY, _NODES_ENOUGH, _MANY_ROWS = 9, 5, 3, 50.0


class GaussianMixtureRisk(NamedTuple):
    """What `gaussian_mixture_risk` returns.

    Arrays of shape broadcast(n_samples, alpha), those of classes with one more axis (K,). Squared
    errors are averaged over the columns of the codes, in their squared units.
    """

    error_rate: FloatArray
    """Expected share of new rows that are given to a wrong class."""
    class_errors: FloatArray
    """The same among the rows of each class."""
    squared_error: FloatArray
    """Expected squared difference of scores and codes on a new row."""
    class_squared_errors: FloatArray
    """The same among the rows of each class."""
    score_mean: FloatArray
    """Mean score of the rows of each class; with one more axis (t,) for codes of t columns."""
    score_variance: FloatArray
    """Variance of these scores over rows and training sets; with (t, t) for codes of t columns."""


def gaussian_mixture_risk(
    means: ArrayLike,
    covariances: ArrayLike,
    priors: ArrayLike | None,
    n_samples: ArrayLike,
    alpha: ArrayLike,
    *,
    codes: ArrayLike | None = None,
    fit_intercept: bool = True,
    stratified: bool = False,
) -> GaussianMixtureRisk:
    """Compute what ridge on class codes reaches on rows of class c distributed as N(μ_c, S_c).

    The scores of a new row of class c are normal up to 1/n; their mean and covariance follow from
    one fixed point τ_c = (n_c - 1)/(1 + tr S_c M) with M = (Σ τ_c S_c + alpha)⁻¹, and from what the
    estimated class means and the intercept add. A row belongs to the class whose code is nearest
    to its scores. All of it is averaged over the numbers n_c of rows that a training set of n
    independent rows has of each class.

    Parameters
    ----------
    means : array-like of shape (K, n_features)
        μ_c, of at least two classes.
    covariances : float or array-like of shape (n_features,), (n_features, n_features) or \
            (K, n_features, n_features)
        S_c. Of one class each only in the last form; else all classes have c I, a diagonal or a
        matrix in common.
    priors : array-like of shape (K,) or None
        Shares of the classes among rows, positive, of sum 1; None: equal.
    n_samples, alpha : array-like
        Numbers of samples (at least 1) and regularisations as in
        `sklearn.linear_model.RidgeClassifier` (not negative); they broadcast. ``alpha=0`` is
        taken as 1e-10 of the smallest eigenvalue of the mean covariance.
    codes : array-like of shape (K,) or (K, t), default=None
        Targets of ridge for a row of each class. None: -1 and 1 for two classes, with the sign of
        the score as decision; one column of 0 and 1 a class for more, with its argmax.
    fit_intercept : bool, default=True
        Whether ridge fits one.
    stratified : bool, default=False
        True: every training set has n π_c rows of class c, as stratified splits make them, rather
        than rows that are drawn independently.

    Returns
    -------
    GaussianMixtureRisk
        Named tuple of arrays.

    Raises
    ------
    ValueError
        If shapes do not fit or an argument is outside its range.
    RuntimeError
        If Newton's method does not converge in 200 steps.

    See Also
    --------
    sk_deepfeat.datasets.make_gaussian_classes : Rows of a mixture, and these answers about them.
    ridge_risk : Squared errors from second moments alone.

    Notes
    -----
    The spread of scores within a class is taken for the same in all training sets. Error rates of a
    tenth and more are mostly within 2 % of refits, from few rows on; smaller ones are up to 5 % too
    high, and more with few features where n is about their number and alpha near 0. The error
    rate of one class that is small beside the others, some rows in a thousand, can come out half of
    what it is.
    For more than two classes, an average over 4096 points stands for the probability of a wrong
    argmax (0.5 % of it), and numbers of rows are averaged over to second order.
    The cost of a cell is that of some inverses of the size of the features for each of the numbers
    of rows that are averaged over, and next to nothing if the classes' covariances are diagonal in
    one basis.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import gaussian_mixture_risk
    >>> means = np.array([np.full(50, 0.2), np.full(50, -0.2)])
    >>> gaussian_mixture_risk(means, 1.0, None, [20, 100, 1000], 10.0).error_rate.round(3)
    array([0.224, 0.16 , 0.087])
    """
    mixture = check_mixture(means, covariances, priors)
    targets = check_codes(codes, len(mixture.priors))
    n, a = check_cells(n_samples, alpha)
    basis = mixture_basis(*mixture)
    return basis_risk(
        basis,
        mixture.priors,
        targets,
        n,
        a,
        fit_intercept=check_flag(fit_intercept, "fit_intercept"),
        stratified=check_flag(stratified, "stratified"),
    )


class Mixture(NamedTuple):
    """Checked parameters."""

    means: FloatArray
    covariances: FloatArray
    priors: FloatArray


def basis_risk(
    basis: MixtureBasis,
    priors: FloatArray,
    codes: FloatArray,
    n_samples: FloatArray,
    alpha: FloatArray,
    *,
    fit_intercept: bool,
    stratified: bool,
) -> GaussianMixtureRisk:
    """Return what `gaussian_mixture_risk` does, from checked arguments."""
    targets = codes.reshape(len(codes), -1)
    cells = [
        _average(basis, priors, targets, float(n), float(a), fit_intercept, stratified)
        for n, a in zip(n_samples.ravel(), alpha.ravel(), strict=True)
    ]
    shape, kinds = n_samples.shape, len(priors)
    outputs = codes.shape[1:]

    def gathered(part: int, trailing: tuple[int, ...]) -> FloatArray:
        return np.array([cell[part] for cell in cells]).reshape((*shape, kinds, *trailing))

    wrong, mean, second = gathered(0, ()), gathered(1, outputs), gathered(2, outputs * 2)
    columns = mean.reshape(shape + targets.shape)
    variances = np.diagonal(second.reshape(shape + targets.shape + targets.shape[1:]), 0, -2, -1)
    squared = np.mean((columns - targets) ** 2 + variances, axis=-1)
    return GaussianMixtureRisk(wrong @ priors, wrong, squared @ priors, squared, mean, second)


def _average(
    basis: MixtureBasis,
    priors: FloatArray,
    codes: FloatArray,
    n: float,
    alpha: float,
    fit_intercept: bool,
    stratified: bool,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return error rates, means and covariances of the scores of each class at one cell."""
    weights, counts = (np.ones(1), n * priors[None]) if stratified else class_counts(n, priors)
    wrong, mean, covariance = [], [], []
    for rows in counts:
        scores = mixture_scores(basis, codes, rows, alpha, fit_intercept)
        wrong.append(wrong_code_probability(scores.mean, scores.covariance, codes))
        mean.append(scores.mean)
        covariance.append(scores.covariance)
    average = np.tensordot(weights, mean, 1)
    apart = np.array(mean) - average
    spread = np.array(covariance) + apart[..., :, None] * apart[..., None, :]
    error = np.clip(np.tensordot(weights, wrong, 1), 0.0, 1.0)
    return error, average, np.tensordot(weights, spread, 1)


def class_counts(n: float, priors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return weights and numbers of rows that average over multinomial numbers of rows.

    Of one class after the other, the Gauss rule of its binomial number, the other rows divided by
    the priors; with weights 1 - π_c, and K - 2 times the expected numbers less, functions of the
    second degree are averaged exactly. For two classes both rules are the same one.
    """
    kinds = len(priors)
    nodes = _NODES_OF_TWO if kinds == 2 else _NODES_OF_MANY
    if n * priors.min() > _MANY_ROWS:
        nodes = _NODES_ENOUGH
    weights, counts = [], []
    for c, prior in enumerate(priors[:1] if kinds == 2 else priors):
        shares, own = binomial_rule(n, float(prior), nodes)
        rows = np.multiply.outer(n - own, priors / (1.0 - prior))
        rows[:, c] = own
        weights.append(shares * (1.0 if kinds == 2 else 1.0 - prior))
        counts.append(rows)
    if kinds > 2:
        weights.append(np.array([2.0 - kinds]))
        counts.append(n * priors[None])
    return np.concatenate(weights), np.concatenate(counts)


def binomial_rule(n: float, share: float, nodes: int) -> tuple[FloatArray, FloatArray]:
    """Return weights and nodes of the Gauss rule of the binomial distribution B(n, share).

    From the recurrence of Krawtchouk's polynomials; with n + 1 nodes it is the distribution itself.
    """
    k = np.arange(min(nodes, int(n) + 1))
    off = np.sqrt(k[1:] * share * (1.0 - share) * (n + 1.0 - k[1:]))
    values, vectors = eigh_tridiagonal(share * (n - k) + k * (1.0 - share), off)
    return vectors[0] ** 2, np.clip(values, 0.0, n)


def check_mixture(means: ArrayLike, covariances: ArrayLike, priors: ArrayLike | None) -> Mixture:
    """Return float64 parameters or raise ValueError naming the argument."""
    centres = real_array(means, "means")
    if centres.ndim != 2 or len(centres) < 2 or centres.shape[1] == 0:
        raise ValueError(
            "means must have shape (n_classes, n_features) with at least two classes; got shape "
            f"{centres.shape}."
        )
    if not np.all(np.isfinite(centres)):
        raise ValueError("means must be finite; got NaN or infinity.")
    kinds, width = centres.shape
    shares = np.full(kinds, 1.0 / kinds) if priors is None else real_array(priors, "priors")
    if shares.shape != (kinds,):
        raise ValueError(f"priors must hold one share for each of {kinds} classes; got {priors!r}.")
    if not np.all(shares > 0) or abs(shares.sum() - 1.0) > 1e-8:
        raise ValueError(f"priors must be positive and of sum 1; got {priors!r}.")
    return Mixture(centres, _check_covariances(covariances, kinds, width), shares / shares.sum())


def _check_covariances(covariances: ArrayLike, kinds: int, width: int) -> FloatArray:
    values = real_array(covariances, "covariances")
    if values.ndim == 0:
        values = np.full(width, float(values))
    if values.shape not in ((width,), (width, width), (kinds, width, width)):
        raise ValueError(
            f"covariances must be a number or have shape {(width,)}, {(width, width)} or "
            f"{(kinds, width, width)} for means of shape {(kinds, width)}; got {values.shape}."
        )
    if values.ndim == 1:
        if not np.all(np.isfinite(values)) or values.min() < 0:
            raise ValueError(
                "covariances, given as a diagonal, must be finite and not negative; the lowest "
                f"entry is {values.min():.6g}."
            )
        return values
    for c, matrix in enumerate(values[None] if values.ndim == 2 else values):
        name = "covariances" if values.ndim == 2 else f"covariances[{c}]"
        check_definite(check_symmetric(matrix, name), 1e-10 * np.abs(matrix).max(), name)
    return values


def check_codes(codes: ArrayLike | None, kinds: int) -> FloatArray:
    """Return codes (K,) or (K, t), or raise ValueError."""
    if codes is None:
        return np.array([-1.0, 1.0]) if kinds == 2 else np.eye(kinds)
    values = real_array(codes, "codes")
    if values.ndim not in (1, 2) or len(values) != kinds or values.size == 0:
        raise ValueError(
            f"codes must have shape ({kinds},) or ({kinds}, n_outputs), one row a class; got shape "
            f"{values.shape}."
        )
    if not np.all(np.isfinite(values)):
        raise ValueError("codes must be finite; got NaN or infinity.")
    if len(np.unique(values.reshape(kinds, -1), axis=0)) < kinds:
        raise ValueError("codes must differ from class to class; two of them are equal.")
    return values
