"""Refits of a learning curve that are kept on the disk, so that a run that was ended continues.

Each is a small text of its errors and of a digest of them. None is executed when it is read, as a
pickle is; and `joblib.Memory` itself returns wrong numbers where a bit of its file has flipped.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.exceptions import warn_caller
from sk_deepfeat.theory.validation import FloatArray
from sk_deepfeat.whole_files import replace_files

_FOLDER = "ridge_learning_curve"
# The last bits of a refit depend on these.
_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "skorch")
_TEXT_OF_NUMBER, _OTHER_TEXT = 30, 300  # bytes, at most


def kept_in(memory: Any) -> Path | None:
    """Return the folder of kept cells, made if it was not there, or None.

    Parameters
    ----------
    memory : None, str, path-like or joblib.Memory
        As of `ridge_learning_curve`.

    Returns
    -------
    pathlib.Path or None

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If there can be no such folder.
    """
    if isinstance(memory, joblib.Memory):
        memory = None if memory.store_backend is None else memory.store_backend.location
    if memory is None:
        return None
    if not isinstance(memory, (str, os.PathLike)):
        raise TypeError(
            f"memory={memory!r} must be None, the path of a folder or a joblib.Memory on a disk."
        )
    folder = Path(memory) / _FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"memory={os.fspath(memory)!r} can be no folder to keep refits in: {error}. Name "
            "another one, or None."
        ) from error
    return folder


class KeptCells:
    """The cells of one table of rows, by their training and test rows.

    Parameters
    ----------
    folder : pathlib.Path
        From `kept_in`.
    features : estimator or None
        Refitted in each cell.
    *given : object
        Whatever else the errors of a cell depend on.
    n_errors : int
        Of a cell.

    Attributes
    ----------
    failed : bool
        Whether some could not be written.

    Raises
    ------
    TypeError
        If the features, or what is given, cannot be told apart from others.
    """

    def __init__(self, folder: Path, features: Any, *given: Any, n_errors: int) -> None:
        self.folder, self._n_errors = folder, n_errors
        self.failed = False
        parts = [*_versions(), _own_source(), *_sources(features)]
        parts += [_digest(part) for part in (features, *given)]
        self._common = "\n".join(parts)

    def path(self, train: NDArray[np.intp], test: NDArray[np.intp]) -> Path:
        """Return the file of a cell."""
        parts = (self._common, _digest(train), _digest(test))
        return self.folder / f"{_sha256('|'.join(parts))}.json"

    def read(self, path: Path) -> FloatArray | None:
        """Return the errors of a cell; None if they are not kept, or with a warning not whole."""
        most = _OTHER_TEXT + _TEXT_OF_NUMBER * self._n_errors
        try:
            with open(path, "rb") as stream:
                errors = self._checked(stream.read(most + 1), path.stem)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            warn_caller(
                f"{path} holds no whole refit and is computed again ({error or type(error)}).",
                RuntimeWarning,
            )
            return None
        return errors

    def _checked(self, text: bytes, name: str) -> FloatArray:
        held = json.loads(text)
        if held["digest"] != _seal(name, held["errors"]) or len(held["errors"]) != self._n_errors:
            raise ValueError("its digest is another one")
        return np.array(held["errors"], dtype=np.float64)

    def write(self, path: Path, errors: FloatArray) -> None:
        """Keep the errors of a cell; where that fails, warn once, since they are not lost."""
        numbers = errors.tolist()
        text = json.dumps({"errors": numbers, "digest": _seal(path.stem, numbers)})
        try:
            replace_files({path: text.encode()})
        except OSError as error:
            if not self.failed:
                self.failed = True
                warn_caller(
                    f"Refits are not kept in {self.folder}: {error.strerror}. This run goes on; if "
                    "it is ended early, they are computed again.",
                    RuntimeWarning,
                )


def _seal(name: str, numbers: Any) -> str:
    return _sha256(f"{name} {json.dumps(numbers)}")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(part: Any) -> str:
    try:
        return str(joblib.hash(part, hash_name="sha1", coerce_mmap=True))
    except Exception as error:  # whatever the parts of a user's object raise
        kind, why = type(part).__name__, error.args[0] if error.args else error
        raise TypeError(
            f"memory cannot tell a {kind} from others ({why}): use functions and classes from the "
            "top of a file, or memory=None."
        ) from error


def _versions() -> Iterator[str]:
    for name in _PACKAGES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} is absent"


@cache
def _own_source() -> str:
    """Return a digest of this package: a version alone does not change while it is worked on."""
    found = hashlib.sha256()
    for name, source in sorted(_modules(files("sk_deepfeat"), "")):
        found.update(f"{name} {len(source)} ".encode() + source)
    return found.hexdigest()


def _modules(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _modules(item, f"{prefix}{item.name}.")
        elif item.name.endswith(".py"):
            yield f"{prefix}{item.name}", item.read_bytes()


def _sources(features: Any) -> Iterator[str]:
    """Yield the code of the steps, and of functions and classes that they are given."""
    params = features.get_params(deep=True) if hasattr(features, "get_params") else {}
    for _, value in sorted(params.items()):
        named = value if inspect.isroutine(value) or isinstance(value, type) else type(value)
        module = getattr(named, "__module__", None) or ""
        if module == "builtins" or module.split(".")[0] == "sk_deepfeat":
            continue
        try:
            yield _sha256(inspect.getsource(named))
        except (OSError, TypeError) as error:
            if module == "__main__":
                raise TypeError(
                    f"memory cannot see the code of {named!r}, and so not whether it changes: "
                    "define it at the top of a file, or use memory=None."
                ) from error
            yield f"{module}.{getattr(named, '__qualname__', named)}"
