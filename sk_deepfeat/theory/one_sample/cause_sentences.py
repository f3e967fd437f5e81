"""What to tell a user about a cause: what was found, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.column_scales import ColumnScales
from sk_deepfeat.theory.one_sample.dependence import RowDependence, finding_and_remedy
from sk_deepfeat.theory.one_sample.rare_columns import RareColumns
from sk_deepfeat.theory.one_sample.row_sizes import Sizes

_LISTED = 4


class Cause(NamedTuple):
    """Why measured errors may be off the theory's."""

    kind: str
    """"copies", "order", "groups", "near copies", "rare columns", "outsize rows", "heavy-tailed
    rows", "column scales", "outsize residuals" or "heavy-tailed residuals"."""
    sentence: str
    """What was found."""
    remedy: str
    """What to do about it."""


def copies_cause(n_copies: int, n_rows: int) -> Cause:
    """Return what to say of exact copies that are taken together already."""
    return Cause(
        "copies",
        f"{n_copies} of {n_rows} rows are exact copies of others, and are taken for one draw with "
        "them.",
        "Drop the copies, or pass groups= if more rows than these belong together.",
    )


def dependence_cause(dependence: RowDependence) -> Cause | None:
    """Return what to say of dependent rows."""
    if not dependence.dependent:
        return None
    kinds = {"order": "order", "neighbours": "groups", "duplicates": "near copies"}
    return Cause(kinds[dependence.by], *finding_and_remedy(dependence))


def rare_columns_cause(rare: RareColumns, n_rows: int, names: NDArray[np.object_] | None) -> Cause:
    """Return what to say of columns that few rows carry."""
    few, many = int(rare.n_rows.min()), int(rare.n_rows.max())
    carried = f"{few}" if few == many else f"{few} to {many}"
    one = rare.columns.size == 1
    return Cause(
        "rare columns",
        f"{rare.columns.size} {'column differs from its' if one else 'columns differ from their'} "
        f"most common value in {carried} of {n_rows} rows "
        f"({_columns(rare.columns, names)}): subsets with few of these rows, or none, "
        "learn little of what such a column does, and the rows that carry it have large leverages.",
        "Merge rare levels (OneHotEncoder(min_frequency=...)), or drop columns that so few rows "
        "carry (VarianceThreshold).",
    )


def rows_cause(sizes: Sizes, row_numbers: NDArray[np.intp] | None) -> Cause | None:
    """Return what to say of outsize rows or heavy-tailed ones."""
    if sizes.outsize.size:
        return Cause(
            "outsize rows",
            f"{_rows(sizes, row_numbers)} about {sizes.times:.2g} times as large as a typical row, "
            "with nothing in between: subsets with them and without them are unlike.",
            "Look at these rows: correct or drop them if they are errors, else transform the "
            "columns (PowerTransformer, QuantileTransformer).",
        )
    if sizes.tail is None:
        return None
    return Cause(
        "heavy-tailed rows",
        f"Sizes of rows have a heavy tail, with index {sizes.tail.exponent:.2g} ± "
        f"{sizes.tail.exponent_error:.1g} (Hill): in every sample a few rows count for many.",
        "Bring rows to one size (Normalizer) if their size means nothing, else transform the "
        "columns (PowerTransformer, QuantileTransformer).",
    )


def residuals_cause(sizes: Sizes, row_numbers: NDArray[np.intp] | None) -> Cause | None:
    """Return what to say of outliers among the targets, or of heavy-tailed noise."""
    if sizes.outsize.size:
        return Cause(
            "outsize residuals",
            f"When left out, {_rows(sizes, row_numbers).replace('Row', 'row', 1)} missed by "
            f"{sizes.times:.2g} times as much as a typical row, with nothing in between.",
            "Look at the targets of these rows: correct or drop them if they are errors.",
        )
    if sizes.tail is None:
        return None
    return Cause(
        "heavy-tailed residuals",
        f"Residuals have a heavy tail, with index {sizes.tail.exponent:.2g} ± "
        f"{sizes.tail.exponent_error:.1g} (Hill): mean squared errors rest on a few rows.",
        "Transform the target (TransformedTargetRegressor).",
    )


def scales_cause(scales: ColumnScales, names: NDArray[np.object_] | None) -> Cause | None:
    """Return what to say of columns in unlike units."""
    if not scales.apart:
        return None
    return Cause(
        "column scales",
        f"Scales of columns are apart by up to {scales.ratio:.1g}, from "
        f"{_columns(scales.largest, names)} down to "
        f"{_columns(np.array([scales.smallest]), names)}: an alpha that shrinks the small ones to "
        "nothing leaves the large ones as they are.",
        "Bring columns to one scale (StandardScaler before the ridge).",
    )


def _columns(columns: NDArray[np.intp], names: NDArray[np.object_] | None) -> str:
    """Return "columns 2, 5 and 7", or their names."""
    if names is None:
        return f"column{'' if columns.size == 1 else 's'} {_listed(columns)}"
    return _listed(repr(str(names[j])) for j in columns)


def _rows(sizes: Sizes, row_numbers: NDArray[np.intp] | None) -> str:
    """Return "Rows 3, 7 and 9 are"."""
    rows = sizes.outsize if row_numbers is None else row_numbers[sizes.outsize]
    several = rows.size > 1
    return f"Row{'s' if several else ''} {_listed(rows)} {'are' if several else 'is'}"


def _listed(items: Iterable[Any]) -> str:
    """Return the first few, and how many more there are."""
    words = [str(item) for item in items]
    if len(words) > _LISTED:
        return f"{', '.join(words[:_LISTED])} and {len(words) - _LISTED} more"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
