"""The format of the files of MNIST: a header of sizes, and bytes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_BYTES = 8  # the format's number for unsigned bytes


def read_idx(path: Path, n_axes: int) -> NDArray[np.uint8]:
    """Return the bytes of an idx file.

    Parameters
    ----------
    path : Path
        Uncompressed.
    n_axes : int
        How many axes the array must have.

    Raises
    ------
    ValueError
        If the header is another, or claims another size than the file has; nothing of what it
        claims is allocated before.
    """
    content = np.fromfile(path, dtype=np.uint8)
    start = 4 * (1 + n_axes)
    if content.size < start or content[:4].tolist() != [0, 0, _BYTES, n_axes]:
        raise ValueError(f"{path} is no idx file of bytes with {n_axes} axes; fetch it again.")
    shape = [int(length) for length in content[4:start].view(">u4")]
    if math.prod(shape) != content.size - start:
        raise ValueError(
            f"{path} claims shape {tuple(shape)}, and {content.size - start:,} bytes are there; "
            "fetch it again."
        )
    return content[start:].reshape(shape)
