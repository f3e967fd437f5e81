"""Data sets of the published experiments."""

from sk_deepfeat.datasets.mnist import load_mnist_parity

__all__ = ["load_mnist_parity"]
