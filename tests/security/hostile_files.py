"""Files of arrays as an attacker writes them: headers that lie, and what numpy would unpickle."""

import io
import os
import struct
import zipfile

import numpy as np


def header(descr="'<f8'", shape="(3,)", *, version=1, fortran="False"):
    """Return the first bytes of an .npy file, with a literal that is not looked at."""
    text = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n".encode()
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def write_npz(path, members, *, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def claim_size(path, size):
    """Let the archive itself claim a size of its first member, in both of its records."""
    content = bytearray(path.read_bytes())
    for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.index(signature) + place
        content[at : at + 4] = struct.pack("<I", size)
    path.write_bytes(content)


class Tripwire:
    """Its pickle would make a file where it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


NUMBERS = b"\0" * 24  # what the headers below are followed by

LIES = {
    "1e12 elements": (header(shape="(1000000000000,)"), "claims shape"),
    "product beyond 64 bits": (header(shape=f"({2**40}, {2**40})"), "claims shape"),
    "product that wraps to zero": (header(shape=f"({2**32}, {2**32})"), "claims shape"),
    "length beyond 64 bits": (header(shape=f"({2**70}, 0)"), "which no array has"),
    "negative": (header(shape="(-3,)"), "which no array has"),
    "two negatives": (header(shape="(-3, -1)"), "which no array has"),
    "33 axes": (header(shape=str((1,) * 40)), "which no array has"),
    "strings of 2 GB": (header("'<U500000000'", "(1,)"), "claims shape"),
    "strings of no length": (header("'<U0'", "(1000000000000,)"), "claims shape"),
    "records": (header("[('a', '<f8')]"), "neither numbers nor strings"),
    "void": (header("'|V8'"), "neither numbers nor strings"),
    "objects": (header("'|O'"), "holds Python's objects"),
    "records of objects": (header("[('a', '|O')]"), "holds Python's objects"),
    "no literal": (header("__import__('os').getcwd()"), "is no NumPy header"),
    "no dtype": (header("'what'"), "is no NumPy header"),
    "shape of floats": (header(shape="(3.0,)"), "is no NumPy header"),
    "nested": (header(shape="(" * 4000 + ")" * 4000), "is no NumPy header"),
    "long": (header(shape=f"(3,{' ' * 20_000})"), "is no NumPy header"),
    "header of 4 GB": (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", "is no NumPy header"),
    "unknown version": (b"\x93NUMPY\x09\x00\x10\x00" + b" " * 16, "is no NumPy header"),
    "no magic": (b"not an array at all", "is no NumPy header"),
    "empty": (b"", "is no NumPy header"),
}


def make_pipe(path):
    os.mkfifo(path)
