"""Estimators and values by name."""

import numpy as np
import pytest
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.populations import LeaveOneOutPopulation
from sk_deepfeat.report.names import named


def twice(values):
    return 2 * values


class Odd:
    """A value whose words are an address."""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (FunctionTransformer(np.log1p), "FunctionTransformer(func=log1p)"),
        (FunctionTransformer(twice), "FunctionTransformer(func=twice)"),
        (FunctionTransformer(lambda x: x), "FunctionTransformer(func=a lambda function)"),
        (StandardScaler(), "StandardScaler()"),
        (StandardScaler, "StandardScaler"),
        (
            RandomDeepFeatures((5,), random_state=np.random.RandomState(0)),
            "RandomDeepFeatures(hidden_layer_sizes=(5,), random_state=a RandomState)",
        ),
        (
            DeterministicEquivalentRidge(population=LeaveOneOutPopulation(n_grid=9)),
            "DeterministicEquivalentRidge(population=LeaveOneOutPopulation(n_grid=9))",
        ),
        (np.random.default_rng(0), "a Generator"),
        (np.zeros((2, 3)), "array of shape (2, 3)"),
        ({"a": Odd()}, "{'a': Odd}"),
        (list(range(9)), "[0, 1, 2, 3, 4, 5 and 3 more]"),
    ],
)
def test_things_are_named_without_addresses(value, expected):
    assert named(value) == expected
