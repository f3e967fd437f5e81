"""What the columns of a table are: numbers, categories, or neither."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

NUMBER, CATEGORY, LEFT_OUT = "number", "category", "left out"
MOST_LEVELS = 100
_RARE_ROWS, _RARE_SHARE = 10, 0.001
_MIXED_SHARE = 0.5  # numbers among text from which on a column was meant to be numbers
_DISTINCT_SHARE = 0.5  # of values of text that are numbers, from which on they are no codes
_MANY_LEVELS = 20  # of text that looks like numbers with units
_LIKE_IDENTIFIERS = re.compile(
    r"(unnamed: \d+|index|key|uuid|row.?(number|id)?|(.*[\W_])?id)\Z", re.I
)
_DATE = re.compile(
    r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})|"
    r"\d{1,2}[- ][A-Za-z]{3,9}[- ,]+\d{2,4}|[A-Za-z]{3,9} \d{1,2}, ?\d{4}|\d{1,2}:\d{2}(:\d{2})?)"
    r"([T ]+\d{1,2}:\d{2}.*)?\s*\Z"
)
_WITH_UNIT = re.compile(r"\s*([^\w\s.,+-]?)\s*([-+]?\d[\d.,' ]*?)\s*([^\d.,' ]{0,4})\s*\Z")


class Column(NamedTuple):
    """A column, and what is done to it."""

    name: str
    kind: str
    """NUMBER, CATEGORY or LEFT_OUT."""
    treatment: str
    """In words."""


def rare_share(n_rows: int) -> float:
    """Return the share of rows below which the levels of a category are pooled."""
    return max(_RARE_SHARE, _RARE_ROWS / n_rows)


def column_of(series: Any) -> Column:
    """Say what a column of inputs is and what will be done to it.

    Parameters
    ----------
    series : pandas.Series
        Named; strings of categories and numbers as they were read.

    Raises
    ------
    ValueError
        If the column holds dates, mixes numbers and text, or holds infinite values; the message
        names it, shows what was found and the remedy.
    """
    name, missing = str(series.name), int(series.isna().sum())
    if missing == len(series):
        return Column(name, LEFT_OUT, "left out: every value is missing")
    refuse_dates(series, name)
    if is_numeric(series):
        return _number(series, name, missing)
    texts = as_text(series)
    refuse_mixed(texts, name)
    return _category(texts, name, missing)


def is_numeric(series: Any) -> bool:
    """Say whether a column holds numbers, and no booleans."""
    from pandas.api import types

    if types.is_complex_dtype(series) or types.is_bool_dtype(series):
        return False
    return bool(types.is_numeric_dtype(series))


def as_text(series: Any) -> Any:
    """Return values as stripped strings in an object column; missing ones stay missing."""
    present = series.notna()
    texts = series.astype(object).where(present, None)
    texts[present] = [str(value).strip() for value in texts[present]]
    return texts


def refuse_dates(series: Any, name: str, role: str = "column", remedy: str = "") -> None:
    """Raise ValueError if values are dates, times, or anything else than numbers and text."""
    from pandas.api import types

    kind = ""
    if types.is_datetime64_any_dtype(series) or isinstance(series.dtype, _period()):
        kind = "dates"
    elif types.is_timedelta64_dtype(series):
        kind = "durations"
    present = series.dropna()
    if not kind and not is_numeric(series) and len(present):
        levels = present.astype(object).drop_duplicates()
        if all(_DATE.match(str(value)) for value in levels):
            kind = "dates or times"
        elif isinstance(present.iloc[0], (list, dict, tuple, np.ndarray, bytes, complex)):
            kind = f"values of type {type(present.iloc[0]).__name__}"
    if not kind:
        return
    remedy = remedy or (
        f"make numbers of them (days since a day, month, weekday), or leave the {role} out: "
        f'--drop "{name}"'
    )
    example = on_one_line(present.iloc[0])
    raise ValueError(f"{role} {name!r} holds {kind}, such as {example}; {remedy}.")


def refuse_mixed(texts: Any, name: str, role: str = "column") -> None:
    """Raise ValueError if text was meant to be numbers: some are none, or all have units."""
    import pandas as pd

    present = texts.dropna()
    levels = present.drop_duplicates()
    numbers = pd.to_numeric(levels, errors="coerce").notna()
    wrong = present.isin(levels[~numbers])
    if 0 < wrong.sum() <= _MIXED_SHARE * len(present):
        of_text = present[wrong]
        number = present[~wrong]
        raise ValueError(
            f"{role} {name!r} mixes numbers and text: {number.iloc[0]} in row "
            f"{number.index[0] + 1}, {of_text.iloc[0]!r:.40} in row {of_text.index[0] + 1} "
            f"({len(of_text):,} of {len(present):,} are text). Leave what is missing empty, or "
            "make all of them text."
        )
    if len(levels) <= _MANY_LEVELS:
        return
    parts = [_WITH_UNIT.match(value) for value in levels]
    alike = all(parts) and len({(part[1], part[3]) for part in parts if part}) == 1
    if numbers.all():  # codes, such as those of towns, come again
        alike = len(levels) > _DISTINCT_SHARE * len(present)
    if alike:
        raise ValueError(
            f"{role} {name!r} holds numbers written as text, such as {present.iloc[0]!r:.40}; "
            "store them as plain numbers, without units and without marks between thousands."
        )


def _number(series: Any, name: str, missing: int) -> Column:
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        raise ValueError(
            f"column {name!r} holds {infinite.size:,} infinite values, the first in row "
            f"{infinite[0] + 1}; leave them empty, or replace them."
        )
    if missing == 0:
        if np.all(values == values[0]):
            return Column(name, LEFT_OUT, f"left out: always {values[0]:g}")
        distinct = np.all(values == np.round(values)) and np.unique(values).size == values.size
        if distinct and _LIKE_IDENTIFIERS.match(name):
            return Column(name, LEFT_OUT, "left out: numbers the rows, and says nothing else")
        return Column(name, NUMBER, "number: scaled")
    return Column(
        name,
        NUMBER,
        f"number: {missing:,} missing values filled with the median and marked by a column of "
        "their own; scaled",
    )


def on_one_line(value: Any) -> str:
    """Return the beginning of a value's text, with spaces for line ends."""
    return " ".join(str(value)[:40].split())


def _category(texts: Any, name: str, missing: int) -> Column:
    counts = texts.value_counts()
    least = rare_share(len(texts)) * len(texts)
    if len(counts) == 1 and missing == 0:
        return Column(name, LEFT_OUT, f"left out: always {on_one_line(counts.index[0])}")
    if len(counts) == len(texts) - missing and len(counts) > 1:
        return Column(name, LEFT_OUT, "left out: every value occurs once, as in identifiers")
    frequent = int((counts >= least).sum())
    if frequent == 0 and missing < least:
        return Column(
            name,
            LEFT_OUT,
            f"left out: {len(counts):,} levels of text, none in {np.ceil(least):.0f} rows or more",
        )
    said = f"category of {len(counts):,} levels"
    if len(counts) == 1:
        said = f"category: {on_one_line(counts.index[0])} or missing"
    pooled = len(counts) - min(frequent, MOST_LEVELS)
    said += ": one column each"
    if pooled:
        rare = f"in fewer than {np.ceil(least):.0f} rows"
        rare += f", or not among the {MOST_LEVELS} most frequent," if frequent > MOST_LEVELS else ""
        said += f", {pooled:,} {rare} share one"
    if missing:
        said += f"; missing ({missing:,}) is a level, too"
    return Column(name, CATEGORY, said)


def _period() -> Any:
    import pandas as pd

    return pd.PeriodDtype
