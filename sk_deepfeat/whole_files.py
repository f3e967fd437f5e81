"""Files that appear whole or not at all.

As `exceptions`, this module imports nothing of ours, so every room may import it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any


def check_destination(path: Any, example: str) -> Path:
    """Return the path of a file that can be written.

    Parameters
    ----------
    path : str or path-like
        Where it shall be.
    example : str
        Name of such a file, for the messages.

    Returns
    -------
    pathlib.Path
        Links are followed.

    Raises
    ------
    OSError
        If its folder does not exist or cannot be written to, or it is a folder itself, or a
        device, a pipe or the like.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"path={path!r} must name a file, such as {example!r}.")
    destination = Path(os.path.realpath(path)) if os.path.islink(path) else Path(path)
    if destination.is_dir():
        raise IsADirectoryError(f"{destination} is a folder; name a file, such as {example}.")
    if destination.exists() and not destination.is_file():
        raise FileExistsError(f"{destination} is no regular file, and is not replaced.")
    if not destination.parent.is_dir():
        raise FileNotFoundError(f"{destination}: there is no folder {destination.parent}.")
    if not os.access(destination.parent, os.W_OK):
        raise PermissionError(f"{destination}: {destination.parent} cannot be written to.")
    return destination


def replace_files(contents: Mapping[Path, bytes | Callable[[IO[bytes]], Any]]) -> None:
    """Write files, or replace them, when all of them are on the disk under other names.

    Parameters
    ----------
    contents : mapping of pathlib.Path to bytes, or to a callable
        What each shall hold, or what writes it to a stream.

    Raises
    ------
    OSError
        If one cannot be written; no file has changed then.
    """
    written: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            written[path] = path.with_name(f".{secrets.token_hex(8)}.part")
            _write(written[path], content)
        for path, scratch in written.items():
            os.replace(scratch, path)
    except OSError as error:
        what = f"{error.strerror}; no file was changed: make room, or name another place"
        raise OSError(error.errno, what, str(path)) from error
    finally:
        for scratch in written.values():
            with suppress(OSError):
                os.unlink(scratch)


def _write(path: Path, content: bytes | Callable[[IO[bytes]], Any]) -> None:
    with open(path, "xb") as stream:
        if isinstance(content, bytes):
            stream.write(content)
        else:
            content(stream)
        stream.flush()
        os.fsync(stream.fileno())
