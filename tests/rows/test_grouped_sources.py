"""Labels of groups beside rows that come in blocks."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sk_deepfeat.rows import RowBlock, RowSource, row_source, sum_on_workers
from sk_deepfeat.rows.on_workers import _add_part

X = np.arange(600.0).reshape(300, 2)
Y = X[:, 0]
LABELS = np.arange(300) // 7


def unknown_length(n_rows=300):
    return RowSource(lambda: (RowBlock(X[i : i + 50], Y[i : i + 50]) for i in range(0, n_rows, 50)))


def test_labels_go_with_their_rows(tmp_path):
    np.save(tmp_path / "a.npy", X[:120])
    np.save(tmp_path / "b.npy", X[120:])
    paths = [tmp_path / "a.npy", tmp_path / "b.npy"]
    for source in (
        row_source(X, Y, groups=list(LABELS)),
        row_source(paths, [Y[:120], Y[120:]], groups=LABELS[:, None]),
        unknown_length().with_groups(LABELS),
        row_source(X, Y, groups=LABELS).map(partial(np.repeat, repeats=3, axis=1)),
    ):
        assert source.has_groups
        found = [(block.y, np.asarray(block.groups)) for block in source]
        y, labels = map(np.concatenate, zip(*found, strict=True))
        assert_array_equal(y, Y)
        assert_array_equal(labels, LABELS)


def test_labels_of_dask_rows():
    array = pytest.importorskip("dask.array")
    source = row_source(array.from_array(X, chunks=(40, 1)), Y, groups=LABELS)
    assert_array_equal(np.concatenate([block.groups for block in source]), LABELS)


@pytest.mark.parametrize(("n_rows", "found"), [(250, "250"), (300, "more")])
def test_labels_are_as_many_as_rows(n_rows, found):
    labels = LABELS if n_rows < 300 else LABELS[:270]
    with pytest.raises(ValueError, match=f"there are {found} rows"):
        list(unknown_length(n_rows).with_groups(labels))
    with pytest.raises(ValueError, match="299 labels for 300 rows"):
        row_source(X, Y, groups=LABELS[1:])
    with pytest.raises(ValueError, match="names of columns are for tables"):
        row_source(X, Y, groups="site")
    with pytest.raises(ValueError, match="one label per row"):
        row_source(X, Y, groups=3)


def test_workers_take_no_groups(tmp_path):
    pytest.importorskip("distributed", reason="workers are those of dask")
    np.save(tmp_path / "a.npy", X)
    source = row_source(tmp_path / "a.npy", Y, groups=LABELS)
    assert source.parts is not None
    with pytest.raises(ValueError, match="without groups"):
        sum_on_workers(None, source, dict)
    with pytest.raises(ValueError, match="Partition 3: Workers of a cluster"):
        _add_part(None, (X, Y, None, LABELS), 3, lambda number, n: None, None, None, None)
