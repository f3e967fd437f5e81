"""Concrete ways to know the population that ridge regression will meet."""

from sk_deepfeat.populations.exact import ExactPopulation
from sk_deepfeat.populations.linearized import LinearizedPopulation
from sk_deepfeat.populations.one_sample import GCVPopulation, LeaveOneOutPopulation
from sk_deepfeat.populations.sample_moments import PlugInPopulation

__all__ = [
    "ExactPopulation",
    "GCVPopulation",
    "LeaveOneOutPopulation",
    "LinearizedPopulation",
    "PlugInPopulation",
]
