"""Ridge and its equivalents in arithmetic of many digits, straight from the definitions."""

import mpmath
import numpy as np

DIGITS = 260  # so many that nothing cancels, down to the square root of the least float
_HALVINGS = 110


def fixed_point(spectrum, n, alpha):
    """Solve alpha = kappa (n - Σ ω/(ω + kappa)) by bisection of log kappa."""
    positive = [mpmath.mpf(float(w)) for w in spectrum if w > 0]
    n, alpha = mpmath.mpf(float(n)), mpmath.mpf(float(alpha))
    if alpha == 0 and n >= len(positive):
        return mpmath.mpf(0)

    def alpha_at(kappa):
        return kappa * (n - sum(w / (w + kappa) for w in positive))

    return _bisected(alpha_at, alpha, mpmath.mpf("1e-400"), (alpha + sum(positive)) / n * 2)


def _bisected(rising, wanted, low, high):
    low, high = mpmath.log(low), mpmath.log(high)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if rising(mpmath.exp(middle)) < wanted:
            low = middle
        else:
            high = middle
    return mpmath.exp((low + high) / 2)


def population_risk(spectrum, coefs, moment, n, alpha):
    """Return κ, test error, training error and squared bias of one output without intercept."""
    kappa = fixed_point(spectrum, n, alpha)
    pairs = [
        (mpmath.mpf(float(w)), mpmath.mpf(float(c)))
        for w, c in zip(spectrum, coefs, strict=True)
        if w > 0
    ]
    n = mpmath.mpf(float(n))
    noise = mpmath.mpf(float(moment)) - sum(c * c / w for w, c in pairs)
    bias = sum((kappa / (w + kappa)) ** 2 * c * c / w for w, c in pairs)
    df1 = sum(w / (w + kappa) for w, _ in pairs)
    df2 = sum((w / (w + kappa)) ** 2 for w, _ in pairs)
    gap = 1 - df2 / n
    test = (bias + noise) / gap if gap != 0 else mpmath.inf
    residual = mpmath.mpf(float(alpha)) / (n * kappa) if kappa else 1 - df1 / n
    train = test * residual**2 if gap != 0 else mpmath.mpf(0)
    return kappa, test, train, bias


def left_out_error(X, y, alpha, *, fit_intercept, groups=None):
    """Return the mean squared error of rows that are left out, alone or by groups, one refit each.

    A ridge of at least 1e-40 of the squares stands for less: it gives the solution of minimum norm.
    """
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    groups = np.arange(len(X)) if groups is None else groups
    squares = [mpmath.mpf(0)] * len(X)
    for group in np.unique(groups):
        kept, gone = np.flatnonzero(groups != group), np.flatnonzero(groups == group)
        coefs, intercept = ridge(X[kept], y[kept], alpha, fit_intercept=fit_intercept)
        for i in gone:
            told = intercept + sum(
                c * mpmath.mpf(float(x)) for c, x in zip(coefs, X[i], strict=True)
            )
            squares[i] = (mpmath.mpf(float(y[i])) - told) ** 2
    return sum(squares) / len(X)


def ridge(X, y, alpha, *, fit_intercept):
    """Return coefficients, as a list, and the intercept."""
    rows, columns = X.shape
    F = mpmath.matrix(X.tolist())
    t = mpmath.matrix(y.tolist())
    means, offset = [mpmath.mpf(0)] * columns, mpmath.mpf(0)
    if fit_intercept:
        means = [sum(F[i, j] for i in range(rows)) / rows for j in range(columns)]
        offset = sum(t) / rows
        F = mpmath.matrix([[F[i, j] - means[j] for j in range(columns)] for i in range(rows)])
        t = mpmath.matrix([v - offset for v in t])
    scale = sum(F[i, j] ** 2 for i in range(rows) for j in range(columns))
    added = max(mpmath.mpf(float(alpha)), scale * mpmath.mpf("1e-40")) or mpmath.mpf(1)
    if columns <= rows:
        coefs = mpmath.lu_solve(F.T * F + added * mpmath.eye(columns), F.T * t)
    else:
        coefs = F.T * mpmath.lu_solve(F * F.T + added * mpmath.eye(rows), t)
    return list(coefs), offset - sum(c * m for c, m in zip(coefs, means, strict=True))


def gcv_risk(X, y, n, alpha, *, fit_intercept):
    """Return the error by generalised cross-validation at any n and alpha, None out of reach.

    With N training rows, one less with an intercept: κ = α₀/(N - f), B + σ² = GCV (1 - df2/N).
    """
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    F, t = mpmath.matrix(X.tolist()), mpmath.matrix(y.tolist())
    rows, columns = X.shape
    if fit_intercept:
        means = [sum(F[i, j] for i in range(rows)) / rows for j in range(columns)]
        F = mpmath.matrix([[F[i, j] - means[j] for j in range(columns)] for i in range(rows)])
        offset = sum(t) / rows
        t = mpmath.matrix([v - offset for v in t])
    values, vectors = mpmath.eigsy(F * F.T)
    along = vectors.T * t
    squares = [a * a for a in along]
    top = max(values)
    kept = [(v, s) for v, s in zip(values, squares, strict=True) if v > top * mpmath.mpf("1e-25")]
    outside = sum(squares) - sum(s for _, s in kept)
    N, target = (mpmath.mpf(r - bool(fit_intercept)) for r in (rows, float(n)))
    factor = 1 + 1 / mpmath.mpf(float(n)) if fit_intercept else 1

    rank = len(kept)
    if alpha == 0 and target == rank < N:
        return sum(squares) and mpmath.inf

    def at(ridge):
        """Return κ, and N and n less df1 and df2, the error of κ, from sums of positive terms."""
        shrunk = [ridge / (v + ridge) for v, _ in kept]
        beyond, over = sum(shrunk), sum(s * s for s in shrunk)
        decay = sum(s * (1 - s) for s in shrunk)  # -∂f/∂log α₀
        gap = decay * (N - rank + beyond) / (N - rank + over)  # df1 - df2
        residual = sum(s * s * square for s, (_, square) in zip(shrunk, kept, strict=True))
        of_n, of_target = N - rank + beyond, target - rank + beyond
        moment = (of_n + gap) * (residual + outside) / of_n**2
        return ridge / of_n, of_target, of_target + gap, moment

    def alpha_at(ridge):
        kappa, of_target, *_ = at(ridge)
        return kappa * of_target

    least = top * mpmath.mpf("1e-340")
    alpha = mpmath.mpf(float(alpha))
    if target < rank or alpha > alpha_at(least):
        least = _bisected(alpha_at, alpha, least, max(alpha, top) * 1e8)
    elif rank >= N and target > N:
        return None
    *_, gap, moment = at(least)
    return factor * moment * target / gap
