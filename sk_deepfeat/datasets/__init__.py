"""Data sets of the published experiments, and generators of teacher–student problems."""

from sk_deepfeat.datasets.mnist import load_mnist_parity
from sk_deepfeat.datasets.teacher_student import make_rainbow_regression, make_teacher_student

__all__ = ["load_mnist_parity", "make_rainbow_regression", "make_teacher_student"]
