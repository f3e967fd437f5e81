"""How many rows have come, told to whoever listens."""

from __future__ import annotations

from collections.abc import Iterator

from sk_deepfeat.progress import stage
from sk_deepfeat.rows.blocks import RowBlock, RowSource, n_rows_of


def told_rows(source: RowSource, name: str) -> Iterator[RowBlock]:
    """Yield the blocks of a source as a stage whose steps are rows.

    Parameters
    ----------
    source : RowSource
        Where it knows how many rows it has, a bar tells how much time is left.
    name : str
        Of the stage.
    """
    with stage(name, source.n_rows, " rows") as told:
        for block in source:
            yield block
            told.advance(n_rows_of(block))
