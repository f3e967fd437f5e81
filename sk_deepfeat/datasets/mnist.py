"""MNIST with even digits against odd ones."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from sklearn.datasets import get_data_home
from sklearn.utils import Bunch

_KINDS = "images-idx3-ubyte", "labels-idx1-ubyte"


def load_mnist_parity(
    *, data_home: Any = None, download: bool = False, return_X_y: bool = False
) -> Any:
    """Load all 70,000 MNIST images, labelled +1 for even and -1 for odd digits.

    Pixels are centred one by one and divided by one global scale, so that their mean variance is
    one; this is the normalisation of the published experiments.

    Parameters
    ----------
    data_home : path-like, optional
        Folder that holds ``MNIST/raw``, as torchvision lays it out. None: the environment variable
        ``SK_DEEPFEAT_DATA``, else `sklearn.datasets.get_data_home`.
    download : bool, default=False
        Whether torchvision may fetch the files when they are not there.
    return_X_y : bool, default=False
        Whether to return (X, y) in place of a Bunch.

    Returns
    -------
    Bunch
        ``data`` of shape (70000, 784), float32; ``target`` of shape (70000,), float64, ±1;
        ``digit`` of shape (70000,), the digits; ``DESCR``. The first 60,000 rows are the official
        training set.

    Raises
    ------
    FileNotFoundError
        If the files are not in `data_home`.
    ValueError
        If one of them is cut short, as by a download that was ended.
    ImportError
        If torchvision is not installed.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition",
    Proceedings of the IEEE 86 (1998).

    Examples
    --------
    >>> from sk_deepfeat.datasets import load_mnist_parity
    >>> X, y = load_mnist_parity(return_X_y=True)  # doctest: +SKIP
    """
    try:
        from torchvision.datasets import MNIST
    except ImportError as error:
        raise ImportError(
            'load_mnist_parity needs torchvision: pip install "sk-deepfeat[torch]".'
        ) from error
    root = data_home if data_home is not None else os.environ.get("SK_DEEPFEAT_DATA")
    root = get_data_home() if root is None else root
    folder = os.path.join(os.fspath(root), "MNIST", "raw")
    try:
        parts = [MNIST(root, train=train, download=download) for train in (True, False)]
    except (RuntimeError, ValueError, AssertionError, EOFError) as error:
        if _are_there(folder):
            raise ValueError(
                f"A file of {folder} is cut short or damaged. Delete the folder, and call with "
                "download=True or bring the files anew."
            ) from error
        raise FileNotFoundError(
            f"The MNIST files are not in {folder}. Pass the folder that holds MNIST/raw as "
            "data_home, set SK_DEEPFEAT_DATA to it, or call with download=True."
        ) from error
    digit = np.concatenate([part.targets.numpy() for part in parts])
    images = np.concatenate([part.data.numpy() for part in parts]).reshape(digit.size, -1)
    X = images.astype(np.float32)
    X -= images.mean(axis=0, dtype=np.float64).astype(np.float32)
    X /= np.float32(np.sqrt(np.mean(np.square(X, dtype=np.float64))))
    y = np.where(digit % 2 == 0, 1.0, -1.0)
    if return_X_y:
        return X, y
    return Bunch(data=X, target=y, digit=digit, DESCR=load_mnist_parity.__doc__)


def _are_there(folder: str) -> bool:
    names = (f"{part}-{kind}" for part in ("train", "t10k") for kind in _KINDS)
    return all(os.path.exists(os.path.join(folder, name)) for name in names)
