"""CSV and TSV files: what separates their fields and decimals, and what their header says."""

from __future__ import annotations

import codecs
import csv
import gzip
import re
import warnings
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

from sk_deepfeat.array_files import most_bytes
from sk_deepfeat.command_line.names import listed

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_LOOKED_AT = 50  # lines
_PART = 2**20  # bytes
_ENCODINGS = {
    "utf-8-sig": "",
    "cp1252": "the text is not UTF-8 and was read as Windows-1252",
    "utf-16": "the text is UTF-16",
}
_UTF_16 = codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE
_MISSING = ("?",)  # beside what pandas takes for missing: "", NA, NaN, null and the like
_DECIMAL_COMMA = re.compile(r"[-+]?(\d+|\d{1,3}(\.\d{3})+),\d+\Z")
_POINT_OF_THOUSANDS = re.compile(r"[-+]?\d{1,3}(\.\d{3})+(,\d+)?\Z")


def read_text(path: Path) -> tuple[Any, list[str]]:
    """Read a CSV or TSV file.

    Parameters
    ----------
    path : Path
        Its fields are separated by commas, semicolons, tabs or bars; where it is not by commas,
        decimals may have one.

    Returns
    -------
    frame : pandas.DataFrame
    notes : list of str
        What is not as in most files.

    Raises
    ------
    ValueError
        If it cannot be read, or its header names columns twice or none.
    """
    _check_unpacked(path)
    encoding, lines = _first_lines(path)
    separator = _separator(lines, path)
    header = next(csv.reader(lines, delimiter=separator))
    _check_header([name.strip() for name in header], path)
    options: dict[str, Any] = {"sep": separator, "encoding": encoding}
    frame = _read_frame(path, options)
    notes = []
    if separator not in (",", "\t") or (separator == "\t" and ".tsv" not in path.name.lower()):
        notes.append(f"fields are separated by {_SEPARATORS[separator]}")
    if note := _ENCODINGS[encoding]:
        notes.append(note)
    if separator != "," and (found := _with_decimal_commas(frame)):
        thousands = any(
            _POINT_OF_THOUSANDS.match(value) for name in found for value in _texts(frame[name])
        )
        options |= {"decimal": ",", "thousands": "." if thousands else None}
        with_points = _numbers(frame)
        frame = _read_frame(path, options)
        if lost := with_points - _numbers(frame):
            raise ValueError(
                f"{path} writes decimals with a comma in {found[0]!r} and with a point in "
                f"{min(lost)!r}; use one of both."
            )
        notes.append("decimals are written with a comma")
    return frame, notes


def _check_unpacked(path: Path) -> None:
    """Refuse a packed file that unpacks to more than tables do, before any of it is kept."""
    if path.suffix != ".gz":
        return
    left = most_bytes(path)
    try:
        with gzip.open(path, "rb") as stream:
            while left >= 0 and (part := stream.read(_PART)):
                left -= len(part)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if left < 0:
        raise ValueError(
            f"{path} unpacks to more than {most_bytes(path):,} bytes, too many for a file of its "
            "size; unpack it yourself if it is meant."
        )


def _first_lines(path: Path) -> tuple[str, list[str]]:
    """Return the encoding of the file and its first lines."""
    opened: Any = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as stream:
            of_16_bits = stream.read(2) in _UTF_16
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    for encoding in ["utf-16"] if of_16_bits else ["utf-8-sig", "cp1252"]:
        try:
            with opened(path, "rt", encoding=encoding, newline="") as stream:
                lines = [line for _, line in zip(range(_LOOKED_AT), stream, strict=False)]
                for _ in stream:  # a letter outside of UTF-8 may come late
                    pass
        except UnicodeDecodeError:
            continue
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} cannot be read: {error}") from error
        if not any(line.strip() for line in lines):
            raise ValueError(f"{path} is empty.")
        if any("\0" in line for line in lines):
            break
        return encoding, lines
    raise ValueError(f"{path} cannot be read as a table: it holds no text.")


def _separator(lines: list[str], path: Path) -> str:
    """Return what separates the fields of the header as those of most lines."""
    best, separator = (0.0, 0), ""
    for candidate in _SEPARATORS:
        counts = [len(row) for row in csv.reader(lines, delimiter=candidate) if row]
        width = counts[0]
        if width > 1:
            best, separator = max(
                (best, separator), ((Counter(counts)[width] / len(counts), width), candidate)
            )
    if not separator:
        raise ValueError(
            f"{path} has one column alone, {lines[0].strip()!r:.60}; fields are separated by "
            "commas, semicolons, tabs or bars (|)."
        )
    return separator


def _check_header(names: list[str], path: Path) -> None:
    twice = [name for name, count in Counter(filter(None, names)).items() if count > 1]
    if twice:
        raise ValueError(
            f"{path} gives more than one column the same name: {listed(twice)}; give each its own."
        )
    if all(_is_number(name) for name in names):
        raise ValueError(
            f"{path} has no header: its first line holds numbers, {', '.join(names[:3])} …; the "
            "first line must name the columns."
        )


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _read_frame(path: Path, options: dict[str, Any]) -> Any:
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path,
                **options,
                na_values=_MISSING,
                skipinitialspace=True,
                index_col=False,
                low_memory=False,
            )
    except (ValueError, pd.errors.ParserWarning) as error:
        why = " ".join(str(error).split())
        raise ValueError(f"{path} cannot be read as a table: {why}") from error
    return frame.rename(columns=lambda name: str(name).strip())


def _with_decimal_commas(frame: Any) -> list[str]:
    """Return the columns of text that are numbers with a comma."""
    found = []
    for name in frame.columns:
        if frame[name].dtype.kind in "biuf":
            continue
        texts = _texts(frame[name])
        fits = [bool(_DECIMAL_COMMA.match(text)) for text in texts]
        whole = all(
            fit or text.lstrip("+-").isdigit() or _POINT_OF_THOUSANDS.match(text)
            for fit, text in zip(fits, texts, strict=True)
        )
        if any(fits) and whole:
            found.append(name)
    return found


def _numbers(frame: Any) -> set[str]:
    return set(frame.select_dtypes("number").columns)


def _texts(series: Any) -> list[str]:
    return [str(value).strip() for value in series.dropna().drop_duplicates()]
