"""From the columns of a table to numbers: parts of scikit-learn, and what they do in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sk_deepfeat.command_line.column_kinds import (
    CATEGORY,
    MOST_LEVELS,
    NUMBER,
    Column,
    rare_share,
)
from sk_deepfeat.command_line.names import listed

_RARE = "infrequent_sklearn"  # what OneHotEncoder calls the levels that share a column
# In names of made columns; a table that has them in its own could get one name twice.
_MARKS = ("missingindicator_", "=", ": ")


def column_transformer(columns: Sequence[Column], n_rows: int) -> ColumnTransformer:
    """Return what turns a data frame into numbers, unfitted.

    Parameters
    ----------
    columns : sequence of Column
        Of the data frame.
    n_rows : int
        Of the whole table, of which the levels of categories are rare or not.

    Returns
    -------
    ColumnTransformer
        To a data frame, so that what is said later of its columns names them; to an array where
        names of columns could not be told from those of their levels.
    """
    numbers = [column.name for column in columns if column.kind == NUMBER]
    categories = [column.name for column in columns if column.kind == CATEGORY]
    parts = []
    if numbers:
        filler = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        parts.append(("numbers", make_pipeline(filler, StandardScaler()), numbers))
    if categories:
        one_hot = OneHotEncoder(
            min_frequency=rare_share(n_rows),
            max_categories=MOST_LEVELS + 1,
            handle_unknown="infrequent_if_exist",
            sparse_output=False,
            dtype=np.float64,
            feature_name_combiner=_level_named,
        )
        parts.append(("categories", one_hot, categories))
    transformer = ColumnTransformer(parts, verbose_feature_names_out=False)
    if any(mark in name for name in [*numbers, *categories] for mark in _MARKS):
        return transformer
    return transformer.set_output(transform="pandas")


def _level_named(column: str, level: object) -> str:
    """Return what the column of one level is called."""
    if level == _RARE:
        return f"{column}: rare levels"
    return f"{column} = {level}" if isinstance(level, str) else f"{column}: missing"


def in_words(columns: Sequence[Column]) -> list[str]:
    """Return a line for each treatment, with the columns that it is given to."""
    found: dict[str, list[str]] = {}
    for column in columns:
        found.setdefault(column.treatment, []).append(column.name)
    return [f"{listed(names)}: {treatment}" for treatment, names in found.items()]
