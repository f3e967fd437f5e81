"""The resolvent theorems on features of random networks: errors fall like 1/n.

With ⟨·⟩ the trace over p and ⟨|A|²⟩ = 1, the theorems bound ⟨A (G - M)⟩ and ⟨B (G A G - …)⟩ by
1/n up to constants: for A = I the trace, for A = √p u vᵀ a bilinear form.
"""

import numpy as np
import pytest

from sk_deepfeat.plugins import resolve
from sk_deepfeat.theory import (
    rainbow_covariances,
    resolvent_equivalent,
    resolvent_product_equivalent,
)

SIZES = np.array([48, 96, 192, 384])  # three doublings
REPEATS = 100


def second_moment(weights, name):
    found = rainbow_covariances(
        weights, name, np.ones(weights[0].shape[1]), method="hermite", order=20
    )
    return found.feature_covariance + np.outer(found.feature_mean, found.feature_mean)


def deterministic_matrices(p):
    """Deterministic matrices of unit normalised norm: a trace, an alternating one, a rank one."""
    rng = np.random.default_rng(p)
    u, v = (vector / np.linalg.norm(vector) for vector in rng.normal(size=(2, p)))
    rank_one = np.outer(u, v) + np.outer(v, u)
    alternating = np.diag(np.where(np.arange(p) % 2, 1.0, -1.0))
    return [np.eye(p), alternating, np.sqrt(p / 2) * rank_one]


def errors_at(n, name, ridge):
    """Root mean squares over draws of ⟨A(G-M)⟩ and ⟨B(GAG - its equivalent)⟩, alpha as unit."""
    p, d = 3 * n // 4, n
    weights = [np.random.default_rng(1).normal(size=(p, d)) / np.sqrt(d)]
    f, alpha = resolve("activations", name), ridge * n
    omega, matrices = second_moment(weights, name), deterministic_matrices(p)
    between = np.diag(np.linspace(0.0, np.sqrt(3.0), p))
    equivalents = (
        alpha * resolvent_equivalent(omega, n, alpha),
        alpha**2 * resolvent_product_equivalent(omega, between, n, alpha),
    )
    rng = np.random.default_rng([2, n])
    squares = np.zeros((2, len(matrices)))
    for _ in range(REPEATS):
        F = f(rng.normal(size=(n, d)) @ weights[0].T)
        G = alpha * np.linalg.inv(F.T @ F + alpha * np.eye(p))
        for k, matrix in enumerate((G, G @ between @ G)):
            difference = matrix - equivalents[k]
            squares[k] += [np.sum(A * difference) ** 2 / p**2 for A in matrices]
    return np.sqrt(squares / REPEATS)


@pytest.mark.parametrize(("name", "ridge"), [("tanh", 0.05), ("relu", 0.05), ("erf", 0.3)])
def test_errors_fall_like_one_over_n(name, ridge):
    errors = np.array([errors_at(n, name, ridge) for n in SIZES])
    slopes = np.polyfit(np.log(SIZES), np.log(errors.reshape(SIZES.size, -1)), 1)[0]
    # sampling error of a slope: 0.06
    assert np.all(np.abs(slopes + 1.0) < 0.2), slopes
    assert np.all(errors[-1] < 0.003)
