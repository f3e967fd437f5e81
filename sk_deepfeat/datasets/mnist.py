"""MNIST with even digits against odd ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import get_data_home
from sklearn.utils import Bunch

from sk_deepfeat.datasets.idx_files import read_idx
from sk_deepfeat.theory.validation import check_flag

_PARTS, _KINDS = ("train", "t10k"), ("images-idx3-ubyte", "labels-idx1-ubyte")
_SHAPE = (28, 28)


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
        If the files are not in `data_home`, or could not be fetched.
    ImportError
        If they are to be fetched, and torchvision is not installed.
    TypeError
        If `data_home` is no path.
    ValueError
        If a file is not what MNIST's are.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition",
    Proceedings of the IEEE 86 (1998).

    Examples
    --------
    >>> from sk_deepfeat.datasets import load_mnist_parity
    >>> X, y = load_mnist_parity(return_X_y=True)  # doctest: +SKIP
    """
    if data_home is not None and not isinstance(data_home, (str, os.PathLike)):
        raise TypeError(f"data_home={data_home!r} must be the name of a folder, or None.")
    check_flag(download, "download")
    check_flag(return_X_y, "return_X_y")
    root = data_home if data_home is not None else os.environ.get("SK_DEEPFEAT_DATA")
    folder = Path(get_data_home() if root is None else root).expanduser() / "MNIST" / "raw"
    paths = [folder / f"{part}-{kind}" for kind in _KINDS for part in _PARTS]
    if not all(path.is_file() for path in paths):
        if not download:
            raise FileNotFoundError(
                f"The MNIST files are not in {folder}. Pass the folder that holds MNIST/raw as "
                "data_home, set SK_DEEPFEAT_DATA to it, or call with download=True."
            )
        _download(folder.parents[1])
    images = np.concatenate([_images(path) for path in paths[:2]])
    digit = np.concatenate([read_idx(path, 1) for path in paths[2:]]).astype(np.int64)
    if len(images) != len(digit):
        raise ValueError(f"{folder} holds {len(images):,} images and {len(digit):,} labels.")
    X = images.astype(np.float32)
    X -= images.mean(axis=0, dtype=np.float64).astype(np.float32)
    X /= np.float32(np.sqrt(np.mean(np.square(X, dtype=np.float64))))
    y = np.where(digit % 2 == 0, 1.0, -1.0)
    if return_X_y:
        return X, y
    return Bunch(data=X, target=y, digit=digit, DESCR=load_mnist_parity.__doc__)


def _images(path: Path) -> Any:
    """Return the pixels of a file, one row an image."""
    images = read_idx(path, 3)
    if images.shape[1:] != _SHAPE:
        raise ValueError(f"{path} holds images of {images.shape[1:]} pixels, not of {_SHAPE}.")
    return images.reshape(len(images), -1)


def _download(root: Path) -> None:
    try:
        from torchvision.datasets import MNIST
    except ImportError as error:
        raise ImportError(
            'load_mnist_parity(download=True) needs torchvision: pip install "sk-deepfeat[torch]".'
        ) from error
    try:
        MNIST(root, download=True)
    except RuntimeError as error:
        raise FileNotFoundError(
            f"The MNIST files could not be fetched into data_home={str(root)!r}: {error}"
        ) from error
