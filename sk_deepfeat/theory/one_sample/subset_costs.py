"""What ridge on subsets costs, counted as operations of matrix products, of which others take more.

The ways are those of `subset_fits`: a Gram matrix that is at hand costs nothing.
"""

from __future__ import annotations

from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.shifted_systems import MOST_CHOLESKY

# In units of the side cubed, as long as it takes beside a product of two such matrices, which is 2.
_EIGENVECTORS, _CHOLESKY = 8.0, 0.5
# A singular value decomposition, in units of the smaller side squared times the larger one.
_OF_ROWS = 30.0
_FEW_OUTPUTS = 8
# Products of sparse rows with one another cost no more than those of rows of so many dense columns
# for each row do: as much as the eigenvectors.
_SPARSE_SIDES = 8


def factorization_cost(factorization: RidgeFactorization) -> float:
    """Return the operations of the factorisation itself."""
    small, large = sorted(factorization.features.shape)
    if not (factorization.primal or factorization.features.casts):
        large = min(large, _SPARSE_SIDES * small)
    operations = small**2 * large + _EIGENVECTORS * small**3
    if not factorization.gram_is_enough:
        operations += _OF_ROWS * small**2 * large
    return float(operations)


def subset_cost(factorization: RidgeFactorization, size: int, n_alphas: int) -> float:
    """Return the operations of one subset: of its fits, and of measuring them.

    Parameters
    ----------
    factorization : RidgeFactorization
        The training set.
    size : int
        Rows of the subset.
    n_alphas : int
        Fits.
    """
    n_rows, n_features = factorization.features.shape
    # Up to a few outputs, one by one and together are measured alike.
    outputs = max(factorization.targets.shape[1] - _FEW_OUTPUTS, 1)
    small, large = sorted((size, n_features))
    by_rows = factorization.gram_is_enough and not factorization.primal
    solutions = n_alphas * outputs
    across = min(n_rows, n_features)
    if by_weights(factorization, size, n_alphas):
        measured = 2.0 * n_rows * small * (across + solutions)
    else:
        measured = 2.0 * n_rows * across * solutions
    one = tuning.SUBSET_FIXED_COST + measured
    if not factorization.gram_is_enough:
        return one + _OF_ROWS * small**2 * large
    one += _CHOLESKY * min(n_alphas, MOST_CHOLESKY) * small**3 + 2.0 * small**2 * solutions
    if by_rows or is_half(factorization, size):
        return float(one)
    if size <= n_features:
        gathered, gram = size, size**2 * n_features
    else:
        gathered = min(size, n_rows - size)
        gram = gathered * n_features**2
    return float(one + gram + tuning.SUBSET_ROW_COST * gathered * n_features)


def is_half(factorization: RidgeFactorization, size: int) -> bool:
    """Say whether the Gram matrices of two subsets of that size are at hand."""
    halves = factorization.halves
    return halves is not None and factorization.groups is None and halves.rows[0].size == size


def by_weights(factorization: RidgeFactorization, size: int, n_alphas: int) -> bool:
    """Say whether predictions cost less from weights of the subset's rows than from coefficients.

    They do for many outputs, whose products with all features would be dear.
    """
    across, fits = min(factorization.features.shape), n_alphas * factorization.targets.shape[1]
    fewer = size < across and size * (across + fits) < across * fits
    return fewer and factorization.gram_is_enough
