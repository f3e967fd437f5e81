"""How many rows have come, and how long the others will take."""

from __future__ import annotations

from collections.abc import Iterator

from tqdm import tqdm

from sk_deepfeat.rows.blocks import RowBlock, RowSource, n_rows_of


def shown(source: RowSource, name: str) -> Iterator[RowBlock]:
    """Yield the blocks of a source behind a bar of progress.

    Parameters
    ----------
    source : RowSource
        Where it knows how many rows it has, the bar tells how much time is left.
    name : str
        Before the bar.
    """
    with tqdm(total=source.n_rows, unit=" rows", desc=name, unit_scale=True) as bar:
        for block in source:
            yield block
            bar.update(n_rows_of(block))
