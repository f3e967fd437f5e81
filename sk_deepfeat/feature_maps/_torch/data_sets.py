"""The rows of torch's Dataset and DataLoader, and of skorch's SliceDataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch.helper import SliceDataset
from skorch.utils import to_numpy
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    SequentialSampler,
    Subset,
    TensorDataset,
)

from sk_deepfeat.feature_maps._torch.batches import ShuffledBatches, to_tensor
from sk_deepfeat.feature_maps._torch.progress import shown_rows
from sk_deepfeat.feature_maps.targets import Targets, encode_batch

_SAME_SHAPE = (
    "All rows need the same shape; a transform of the data set can give it, such as "
    "torchvision.transforms.Resize((height, width)) before ToTensor()."
)


def is_data_set(X: Any) -> bool:
    """Say whether X is a data set or a loader."""
    return isinstance(X, Dataset | DataLoader | SliceDataset)


def data_set_rows(X: Any, verbose: int = 0) -> DataSetRows | None:
    """Return the rows of a data set or a loader, None for anything else.

    Parameters
    ----------
    X : object
        What a user gave as X.
    verbose : int, default=0
        Above 0, reading all targets shows a bar.

    Returns
    -------
    DataSetRows or None
    """
    return DataSetRows(X, verbose) if is_data_set(X) else None


class DataSetRows:
    """Rows that are read when they are needed, a batch at a time.

    Parameters
    ----------
    data : Dataset, SliceDataset or DataLoader
        Its items are x, or (x, y).
    verbose : int
        Above 0, reading all targets shows a bar.

    Raises
    ------
    TypeError, ValueError
        If it has no length, or its items are something else.
    """

    def __init__(self, data: Any, verbose: int) -> None:
        self.loader = data if isinstance(data, DataLoader) else None
        self.data_set = data.dataset if self.loader is not None else data
        self.verbose = verbose
        name = type(self.data_set).__name__
        if isinstance(self.data_set, IterableDataset) or not hasattr(self.data_set, "__len__"):
            raise TypeError(
                f"X is a data set, {name}, without a length; give one with __len__ and "
                "__getitem__, or arrays, and transform a stream array by array."
            )
        if not len(self.data_set):
            raise ValueError(f"X is a data set, {name}, without items; at least one is needed.")
        if self.loader is not None and self.loader.batch_sampler is None:
            raise ValueError(
                "X is a DataLoader without batches; give it a batch_size, or pass loader.dataset."
            )
        self.has_targets, first = self._first_item(name)
        self.shape, self.dtype = (len(self.data_set), *first.shape), first.dtype

    def _first_item(self, name: str) -> tuple[bool, NDArray[Any]]:
        item = self.data_set[0]
        several = isinstance(item, tuple | list)
        if isinstance(item, dict) or (several and len(item) not in (1, 2)):
            what = f"a dict of {', '.join(map(str, item))}"
            raise TypeError(
                f"The items of the data set X, {name}, must be x or (x, y), but the first is "
                f"{what if isinstance(item, dict) else f'a {type(item).__name__} of {len(item)}'}. "
                "Wrap it: X=SliceDataset(dataset, idx=0) and y=np.asarray(SliceDataset(dataset, "
                "idx=1)), by skorch.helper.SliceDataset, where idx is the place, or the key."
            )
        return several and len(item) == 2, _array(item[0] if several else item, name)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        """Return the rows of these numbers."""
        name = type(self.data_set).__name__
        items = (self.data_set[int(row)] for row in rows)
        arrays = [_array(x[0] if isinstance(x, tuple | list) else x, name) for x in items]
        shapes = {array.shape for array in arrays}
        if len(shapes) > 1:
            raise ValueError(_of_shapes(shapes))
        return self.checked(np.stack(arrays))

    def head(self, n_rows: int) -> NDArray[Any]:
        """Return the first rows."""
        return self[range(min(n_rows, len(self)))]

    def targets(self, y: Any) -> NDArray[Any]:
        """Return the targets to train on.

        Parameters
        ----------
        y : array-like or None
            None takes the second entries of all items, for which every item is read.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        if y is not None and self.loader is not None:
            raise ValueError(
                "y must be None where X is a DataLoader, whose batches bring targets; or pass "
                "loader.dataset with y."
            )
        if y is not None:
            return np.asarray(y)
        if not self.has_targets:
            raise ValueError(
                "TrainedDeepFeatures requires y to be passed, but y is None and the items of the "
                "data set X bring none; give y, or items (x, y). Only max_epochs=0, an untrained "
                "network, needs no y."
            )
        known = _targets_at_hand(self.data_set)
        if known is not None:
            return known
        items: Iterable[Any] = ([y] for y in SliceDataset(self.data_set, idx=1))
        if self.verbose:
            items = shown_rows(items, len(self.data_set), "targets")
        return np.asarray([to_numpy(y) if isinstance(y, torch.Tensor) else y for (y,) in items])

    def batches(self, n_rows: int) -> Iterator[NDArray[Any]]:
        """Yield all rows in their order, `n_rows` at a time, or as the loader does."""
        if self.loader is None:
            starts = range(0, len(self), n_rows)
            return (self[range(start, min(start + n_rows, len(self)))] for start in starts)
        self._check_order(self.loader)
        return (
            self.checked(batch[0] if isinstance(batch, tuple | list) else batch)
            for batch in _in_words(self.loader)
        )

    def training_batches(self, targets: Targets, batch_size: int | None) -> Any:
        """Return sized batches of tensors of rows and targets, in a new order each time."""
        if self.loader is None:
            return ShuffledBatches(self, targets, batch_size)
        return LoadedBatches(self, self.loader, targets)

    def checked(self, batch: Any) -> NDArray[Any]:
        """Return a batch of rows as an array; ValueError unless it is finite and of their shape."""
        rows = _array(batch, type(self.data_set).__name__)
        if rows.shape[1:] != self.shape[1:]:
            raise ValueError(_of_shapes({self.shape[1:], rows.shape[1:]}))
        if rows.dtype.kind == "f" and not np.all(np.isfinite(rows)):
            raise ValueError("Input X contains NaN or infinity, in the items of the data set.")
        return rows

    def _check_order(self, loader: DataLoader) -> None:
        sampler: Any = loader.sampler
        batches: Any = loader.batch_sampler
        in_order = type(sampler) is SequentialSampler and type(batches) is BatchSampler
        if not in_order or sampler.data_source is not self.data_set:
            how = type(sampler if type(batches) is BatchSampler else batches).__name__
            raise ValueError(
                "Features come in the order of the data set, so that targets fit them, but this "
                f"DataLoader draws rows by a {how}. Pass loader.dataset, or a loader with "
                "shuffle=False. Targets in that order: np.asarray(SliceDataset(dataset, idx=1)), "
                "by skorch.helper.SliceDataset."
            )
        if loader.drop_last and len(self.data_set) % batches.batch_size:
            raise ValueError(
                "This DataLoader leaves out the last rows of its data set; pass loader.dataset, or "
                "a loader with drop_last=False."
            )


class LoadedBatches(Dataset):
    """Mini-batches of a loader, cast, with targets in torch's form.

    Parameters
    ----------
    rows : DataSetRows
        Checks the rows.
    loader : DataLoader
        Of batches (x, y).
    targets : Targets
        How the targets of the whole data set are encoded.
    """

    def __init__(self, rows: DataSetRows, loader: DataLoader, targets: Targets) -> None:
        self.rows, self.loader, self.targets = rows, loader, targets

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for x, y in _in_words(self.loader):
            values = encode_batch(np.asarray(y), self.targets)
            yield to_tensor(self.rows.checked(x), np.float32), to_tensor(values, values.dtype)


def _of_shapes(shapes: set[tuple[int, ...]]) -> str:
    told = " and ".join(map(str, sorted(shapes)))
    return f"Rows of the data set X have shapes {told}. {_SAME_SHAPE}"


def _targets_at_hand(data_set: Any) -> NDArray[Any] | None:
    """Return targets that need no item to be read, where that is certain."""
    if type(data_set) is Subset:
        whole = _targets_at_hand(data_set.dataset)
        return None if whole is None else whole[np.asarray(data_set.indices)]
    return to_numpy(data_set.tensors[1]) if type(data_set) is TensorDataset else None


def _array(x: Any, name: str) -> NDArray[Any]:
    """Return x as an array of numbers."""
    array = to_numpy(x) if isinstance(x, torch.Tensor) else np.asarray(x)
    if array.ndim == 0 or array.dtype.kind not in "biuf" or type(x).__module__.startswith("PIL"):
        raise TypeError(
            f"The items of the data set X, {name}, must begin with an array or a tensor of "
            f"numbers, but that of the first is a {type(x).__name__}. A data set of images takes "
            "transform=torchvision.transforms.ToTensor()."
        )
    return array


def _in_words(loader: Any) -> Iterator[Any]:
    """Yield the batches of a loader; ValueError where rows do not make one."""
    batches = iter(loader)
    while True:
        try:
            batch = next(batches)
        except StopIteration:
            return
        except (RuntimeError, TypeError) as error:
            raise ValueError(
                f"The DataLoader does not make a batch of the items of its data set: "
                f"{str(error).splitlines()[0].rstrip('.')}. {_SAME_SHAPE}"
            ) from error
        yield batch
