r"""Scores of ridge on class codes for rows of a Gaussian mixture, given the rows of each class.

With n_c rows of class c, N(μ_c, S_c), the class means μ̂_c = μ_c + ζ_c, ζ_c ~ N(0, S_c/n_c), and
the scatter about them are independent, so that the features' (centred) second moment is a sum of
Wishart matrices W_c of n_c - 1 degrees of freedom and a matrix of rank K:

    XᵀX = Σ W_c + U C Uᵀ,    XᵀY = U C Y,    Ŵ = G U B,    G = (Σ W_c + α)⁻¹,
    B = (I + C A)⁻¹ C Y,    A = Uᵀ G U,    C = diag(n_c) - (with an intercept) n nᵀ/Σn,

U the columns μ̂_c and Y the codes. The rest are deterministic equivalents of G: its first two
moments for the mean and the covariance of a new row's scores, and its fluctuations together with
those of ζ for the scatter of the mean scores over training sets.

    G ≃ M = (Σ τ_c S_c + α)⁻¹,    τ_c = (n_c - 1)/(1 + q_c),    q_c = tr S_c M,
    G S_c G ≃ Σ_c' R_cc' M S_c' M,    R = (I - t D)⁻¹,    t_cc' = tr S_c M S_c' M,
    D = diag(τ_c²/(n_c - 1)),
    Cov(aᵀGv, bᵀGu) ≃ Σ_cc' (D R)_cc' [(aᵀM S_c M b)(vᵀM S_c' M u) + (aᵀM S_c M u)(vᵀM S_c' M b)].
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.matrices import eigh_psd
from sk_deepfeat.theory.validation import MOST_ALPHA, FloatArray

_NEWTON_STEP_TOLERANCE = 1e-8
_MAX_NEWTON_STEPS = 200
_SMALLEST_ALPHA = 1e-10  # of the smallest eigenvalue: alpha = 0 is this limit
_TINIEST_ALPHA = 1e-150  # whose inverse has a square
_SMALLEST_COUNT = 1e-9  # of the rows: a class that is absent
_DIAGONAL = 1e-13


class MixtureBasis(NamedTuple):
    """A mixture in the eigenbasis of its mean covariance, of rank r."""

    means: FloatArray
    """(K, r)."""
    covariances: FloatArray
    """(K, r, r), or (K, r) where all of them are diagonal."""
    outside: FloatArray
    """(K, K), scalar products of what the means have outside the basis."""
    smallest: float
    """What stands for alpha = 0."""
    unit: float
    """Of length; means, covariances and alpha are in units of it, a power of two."""


class ScoreMoments(NamedTuple):
    """Of the scores of a new row, over rows of a class and training sets."""

    mean: FloatArray
    """(K, t)."""
    covariance: FloatArray
    """(K, t, t)."""
    scatter: FloatArray
    """(K, t, t), the part of it by which training sets differ in their mean scores."""


class _Resolvent(NamedTuple):
    traces: FloatArray  # q_c
    products: FloatArray  # t_cc'
    between: FloatArray  # μ_kᵀ M μ_l
    around: FloatArray  # μ_kᵀ M S_c M μ_l, (c, k, l)


def mixture_basis(means: FloatArray, covariances: FloatArray, priors: FloatArray) -> MixtureBasis:
    """Rotate checked means (K, p) and covariances, (p,), (p, p) or (K, p, p)."""
    unit = _unit(means, covariances)
    means, covariances = means / unit, covariances / unit / unit
    if covariances.ndim == 1:
        covariances = np.diag(covariances)
    shared = covariances.ndim == 2
    pooled = covariances if shared else np.tensordot(priors, covariances, 1)
    values, vectors = eigh_psd(pooled, "covariances")
    kept = values > 0
    values, vectors = values[kept], vectors[:, kept]
    rotated = means @ vectors
    rest = means - rotated @ vectors.T
    if shared:
        inside = np.tile(values, (len(means), 1))
    else:
        inside = vectors.T @ covariances @ vectors
        diagonal = np.diagonal(inside, axis1=1, axis2=2)
        off = inside - diagonal[:, None, :] * np.eye(values.size)
        if values.size == 0 or np.abs(off).max() <= _DIAGONAL * values[-1]:
            inside = diagonal
    smallest = values[0] if values.size else np.max(np.sum(means**2, axis=1), initial=0.0) or 1.0
    least = max(_SMALLEST_ALPHA * float(smallest), _TINIEST_ALPHA)
    return MixtureBasis(rotated, inside, rest @ rest.T, least, unit)


def _unit(means: FloatArray, covariances: FloatArray) -> float:
    """Return a power of two by which lengths are divided, so that no product overflows."""
    length = max(np.abs(means).max(), np.sqrt(np.abs(covariances).max()))
    return float(2.0 ** np.floor(np.log2(length))) if length > 0 else 1.0


def mixture_scores(
    basis: MixtureBasis, codes: FloatArray, counts: FloatArray, alpha: float, fit_intercept: bool
) -> ScoreMoments:
    """Return the moments of the scores for a training set of `counts` rows of each class.

    Parameters
    ----------
    basis : MixtureBasis
        Of K classes.
    codes : ndarray of shape (K, t)
        What ridge is fitted to.
    counts : ndarray of shape (K,)
        Rows of each class, not necessarily integers.
    alpha : float
        Regularisation.
    fit_intercept : bool
        Whether ridge fits one.

    Returns
    -------
    ScoreMoments

    Raises
    ------
    RuntimeError
        If the fixed point is not reached in 200 steps of Newton's method.
    """
    alpha = max(min(alpha / basis.unit / basis.unit, MOST_ALPHA), basis.smallest)
    n = np.maximum(counts, _SMALLEST_COUNT * counts.sum())
    identity = np.eye(len(n))
    shares = n / n.sum() if fit_intercept else np.zeros_like(n)
    centring = identity - shares  # rows: e_c - shares
    basis = basis._replace(
        means=centring @ basis.means, outside=centring @ basis.outside @ centring.T
    )
    spread, found = _fixed_point(basis, np.maximum(n - 1.0, 0.0), alpha)
    dressing = np.linalg.inv(identity - found.products * spread)
    around = np.tensordot(dressing, found.around, 1)  # μᵀ G S_c G μ
    traces = dressing @ found.products  # tr S_c G S_c' G

    gram = found.between + np.diag(found.traces / n)
    solve = _fitted_to_means(n, gram, fit_intercept)
    readout = solve @ codes
    offset = shares @ codes - shares @ gram @ readout
    within = around + (traces / n)[:, :, None] * identity
    scatter = _mean_scatter(
        n,
        readout,
        # direction e_c - g_c of the mean score of class c; g_c that of what is fitted to the means
        found.between @ solve + shares @ (identity - gram @ solve),
        around,
        traces,
        spread[:, None] * dressing,
        found.around,
    )
    mean = found.between @ readout + offset
    return ScoreMoments(mean, readout.T @ within @ readout + scatter, scatter)


def _fitted_to_means(n: FloatArray, gram: FloatArray, fit_intercept: bool) -> FloatArray:
    """Return (I + C A)⁻¹ C = F (I + Fᵀ A F)⁻¹ Fᵀ for C = F Fᵀ, also where A is huge."""
    root = np.diag(np.sqrt(n))
    if fit_intercept:
        # The directions orthogonal to √n: a reflection takes that to the first axis.
        axis = np.sqrt(n / n.sum())
        axis[0] += 1.0
        root = root @ (np.eye(n.size) - np.outer(axis, axis) / axis[0])[:, 1:]
    inner = np.eye(root.shape[1]) + root.T @ gram @ root
    return root @ np.linalg.solve(inner, root.T)


def _mean_scatter(
    n: FloatArray,
    readout: FloatArray,
    fitted: FloatArray,
    around: FloatArray,
    traces: FloatArray,
    kernel: FloatArray,
    bare: FloatArray,
) -> FloatArray:
    """Return the covariance over training sets of the mean scores of each class, (K, t, t).

    To first order in the fluctuations of G and ζ, with a = μ_c - μ g_c, v = μ B:
    aᵀ dG v + aᵀG ζB - g_cᵀ ζᵀG v - g_cᵀ(ζᵀGζ - E)B.
    """
    pairs = traces / np.outer(n, n)
    found = []
    for g, a in zip(fitted, np.eye(len(n)) - fitted, strict=True):
        to_means = a @ around @ readout  # (c, t), aᵀ G S_c G v
        own = np.einsum("k,ckl,l,c->c", a, around, a, 1.0 / n) + g**2 @ pairs
        noise = (readout.T * own) @ readout
        crossed = -(readout.T * (g / n)) @ to_means
        noise += crossed + crossed.T + readout.T @ np.tensordot(g**2 / n, around, 1) @ readout
        weighted = g[:, None] * readout
        noise += weighted.T @ pairs @ weighted
        along = np.einsum("k,ckl,l->c", a, bare, a)
        noise += readout.T @ np.tensordot(along @ kernel, bare, 1) @ readout
        bare_to_means = a @ bare @ readout
        found.append(noise + bare_to_means.T @ kernel @ bare_to_means)
    return np.array(found)


def _fixed_point(
    basis: MixtureBasis, freedom: FloatArray, alpha: float
) -> tuple[FloatArray, _Resolvent]:
    """Solve q_c = tr S_c M and return τ_c²/(n_c - 1) and what follows from M.

    The right side is increasing and concave in q (a parallel sum), so that Newton's method
    descends monotonically from any point above the solution, such as tr S_c/alpha.
    """
    S = basis.covariances
    traces = np.einsum("cj->c" if S.ndim == 2 else "cjj->c", S)
    q: FloatArray = traces / alpha
    for _ in range(_MAX_NEWTON_STEPS):
        spread = freedom / (1.0 + q) ** 2
        found = _resolvent(basis, freedom / (1.0 + q), alpha)
        step = np.linalg.solve(np.eye(q.size) - found.products * spread, q - found.traces)
        if np.all(np.abs(step) <= _NEWTON_STEP_TOLERANCE * (1.0 + q)):
            return spread, found
        q = np.maximum(q - step, 0.0)
    raise RuntimeError(
        f"the fixed point of the classes did not converge in {_MAX_NEWTON_STEPS} Newton steps; "
        f"alpha={alpha!r}, degrees of freedom of the classes {freedom}."
    )


def _resolvent(basis: MixtureBasis, tau: FloatArray, alpha: float) -> _Resolvent:
    """Return traces and forms of M = (Σ τ_c S_c + alpha)⁻¹."""
    means, S = basis.means, basis.covariances
    outside = basis.outside / alpha
    if S.ndim == 2:
        inverse = 1.0 / (tau @ S + alpha)
        shrunk = means * inverse
        return _Resolvent(
            S @ inverse,
            (S * inverse**2) @ S.T,
            shrunk @ means.T + outside,
            (shrunk * S[:, None, :]) @ shrunk.T,
        )
    resolvent = np.linalg.inv(np.tensordot(tau, S, 1) + alpha * np.eye(S.shape[1]))
    shrunk = means @ resolvent
    factors = resolvent @ S
    flat = factors.reshape(len(S), -1)
    return _Resolvent(
        np.trace(factors, axis1=1, axis2=2),
        flat @ factors.transpose(0, 2, 1).reshape(len(S), -1).T,
        shrunk @ means.T + outside,
        shrunk @ S @ shrunk.T,
    )
