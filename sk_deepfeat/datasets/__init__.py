"""Data sets of the published experiments, and generators of problems with their population."""

from sk_deepfeat.datasets.gaussian_mixtures import GaussianClasses, make_gaussian_classes
from sk_deepfeat.datasets.mnist import load_mnist_parity
from sk_deepfeat.datasets.teacher_student import make_rainbow_regression, make_teacher_student

__all__ = [
    "GaussianClasses",
    "load_mnist_parity",
    "make_gaussian_classes",
    "make_rainbow_regression",
    "make_teacher_student",
]
