"""Arrays from .npy and .npz files that anyone may have written: no code, and no more than is there.

A header is a claim. What it claims is compared with the size of the file before memory is taken.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.whole_files import check_destination, replace_files

# A compressed file may claim this many bytes whatever its own size, and as many times its size.
# Arrays of zeros and ones come to some tens, and DEFLATE ends at 1032.
FREE_BYTES, MOST_RATIO = 2**28, 200
# Magic string, version and length, and the most characters that numpy itself takes for a header.
_PREFIX, _MOST_HEADER = 12, 10_000
_READERS: dict[tuple[int, int], Any] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_KINDS = "biufcSUmM"
_MOST_AXES = 32
_LARGEST = 2**62
# Zip archives of the kinds that NumPy writes.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


def most_bytes(path: Path) -> int:
    """Return how many bytes a compressed file may unpack to."""
    return max(FREE_BYTES, MOST_RATIO * os.path.getsize(path))


class ArrayFileError(ValueError):
    """A file of arrays that is not read: what is wrong with it, and where."""


def check_npy(path: Path) -> None:
    """Compare the header of an .npy file with its size, and read nothing else.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    ArrayFileError
        If it is no array of numbers or strings, or claims another size than the file has.
    """
    with open(path, "rb") as stream:
        _check_claim(stream, os.path.getsize(path), "the file")


class NpzFile:
    """The arrays of an .npz file, by name, each read when it is asked for.

    Unlike `numpy.load`, it bounds what a file may claim: an array has the size that its header and
    the archive say, arrays of Python objects and of records are refused, and all arrays together
    are at most 200 times the size of the file, or 256 MiB.

    Parameters
    ----------
    path : Path
        The file. Used in ``with``.

    Attributes
    ----------
    names : list of str
        Of its arrays.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
            raise ArrayFileError(f"it is no .npz archive: {error}") from error
        self._left = most_bytes(path)
        members = [item for item in self._archive.infolist() if item.filename.endswith(".npy")]
        self._members = {item.filename.removesuffix(".npy"): item for item in members}
        self.names = list(self._members)
        if len(self.names) < len(members):
            self._archive.close()
            raise ArrayFileError("it holds two arrays of the same name")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self._archive.close()

    def read(self, name: str) -> NDArray[Any]:
        """Return an array.

        Parameters
        ----------
        name : str
            One of `names`.

        Raises
        ------
        ArrayFileError
            If it is refused, or damaged.
        """
        member, where = self._members[name], f"{name}: the array"
        if member.compress_type not in _METHODS or member.flag_bits & _ENCRYPTED:
            raise ArrayFileError(f"{where} is encrypted, or compressed in another way than NumPy's")
        try:
            with self._archive.open(member) as stream:
                needed = _check_claim(stream, member.file_size, where)
            if needed > self._left:
                raise ArrayFileError(
                    f"{where} claims {needed:,} bytes, too many for a file of this size; save it "
                    "with numpy.savez, uncompressed, if it is meant"
                )
            self._left -= needed
            with self._archive.open(member) as stream:
                return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
        except ArrayFileError:
            raise
        except Exception as error:  # of zlib, zipfile and numpy, on bytes that may be anything
            raise ArrayFileError(f"{where} cannot be read: {error}") from error


def _check_claim(stream: Any, size: int, where: str) -> int:
    """Return the bytes of the array, after a look at its header alone."""
    head = BytesIO(stream.read(_PREFIX + _MOST_HEADER))
    try:
        version = np.lib.format.read_magic(head)
        if version not in _READERS:
            raise ValueError(f"format version {version} is unknown")
        shape, _, dtype = _READERS[version](head, max_header_size=_MOST_HEADER)
    except Exception as error:  # of numpy, its tokenizer and parser: another one by version
        raise ArrayFileError(f"{where} is no NumPy header: {error}") from error
    if dtype.hasobject:
        raise ArrayFileError(
            f"{where} holds Python's objects; save it as numbers or strings, for example "
            "array.astype(str)"
        )
    if dtype.kind not in _KINDS:
        raise ArrayFileError(f"{where} holds {dtype}, neither numbers nor strings")
    _check_shape(shape, where)
    needed = math.prod(shape) * dtype.itemsize
    if head.tell() + needed > size or (math.prod(shape) and not dtype.itemsize):
        raise ArrayFileError(
            f"{where} claims shape {shape} of {dtype}, {needed:,} bytes, and "
            f"{size - head.tell():,} are there"
        )
    return needed


def _check_shape(shape: Sequence[int], where: str) -> None:
    if len(shape) > _MOST_AXES or any(length < 0 or length > _LARGEST for length in shape):
        raise ArrayFileError(f"{where} claims shape {shape}, which no array has")


def save_npz(path: Any, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an .npz file: whole, or not at all.

    Parameters
    ----------
    path : str or path-like
        A regular file there is replaced, and links are followed.
    arrays : dict of str to ndarray
        Of numbers or strings; names may hold slashes.

    Raises
    ------
    OSError
        If the file cannot be written.
    """

    def pack(stream: IO[bytes]) -> None:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)

    replace_files({check_destination(path, "features.npz"): pack})
