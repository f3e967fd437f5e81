"""Data sets and loaders of torch as X."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")
pytest.importorskip("torchvision")

import networks  # noqa: E402
from skorch.helper import SliceDataset  # noqa: E402
from torch.utils.data import (  # noqa: E402
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
)
from trained_cases import images, inputs, small  # noqa: E402

from sk_deepfeat import (  # noqa: E402
    DeterministicEquivalentRidgeClassifier,
    TwoStageClassifier,
)

NAMES = np.array(["ant", "bee", "cat"])


class Items(Dataset):
    """Items made by a function, counted."""

    def __init__(self, make, n_items=40):
        self.make, self.n_items, self.n_read = make, n_items, 0

    def __len__(self):
        return self.n_items

    def __getitem__(self, row):
        if not 0 <= row < self.n_items:
            raise IndexError(row)
        self.n_read += 1
        return self.make(row)


def convolutional(**params):
    return small(
        **{"module": networks.Convolutional, "layer": "relu_1", "pool": "mean", "batch_size": 13}
        | params
    )


X, Y = images()
PAIRS = Items(lambda row: (torch.tensor(X[row]), int(Y[row])))
ROWS = Items(lambda row: X[row])
TENSORS = TensorDataset(torch.tensor(X), torch.tensor(Y))


@pytest.mark.parametrize(
    ("data", "y"),
    [
        (PAIRS, None),
        (PAIRS, Y),
        (ROWS, Y),
        (ROWS, list(Y)),
        (SliceDataset(PAIRS), Y),
        (TENSORS, None),
        (TensorDataset(torch.tensor(X)), Y),
        (Subset(TENSORS, range(40)), None),
        (ConcatDataset([Subset(PAIRS, range(7)), Subset(PAIRS, range(7, 40))]), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_data_set_is_as_good_as_its_rows(data, y):
    expected = convolutional(checkpoints=(0, 1.5)).fit(X, Y)
    feature_map = convolutional(checkpoints=(0, 1.5)).fit(data, y)
    assert feature_map.history_ == expected.history_
    assert feature_map.n_features_in_ == expected.n_features_in_ == 3
    assert list(feature_map.classes_) == [0, 1, 2]
    features = expected.transform(X)
    for rows in (data, X, DataLoader(data, batch_size=40)):
        np.testing.assert_array_equal(feature_map.transform(rows), features)
    batches = feature_map.transform(DataLoader(data, batch_size=7))
    np.testing.assert_allclose(batches, features, atol=1e-6)
    for stage, wanted in zip(
        feature_map.staged_transform(data), expected.staged_transform(X), strict=True
    ):
        np.testing.assert_array_equal(stage, wanted)


def test_rows_of_the_default_network_keep_their_precision():
    rows, y = inputs()
    data = TensorDataset(torch.tensor(rows), torch.tensor(y))
    expected = small().fit(rows, y)
    features = small().fit(data).transform(data)
    assert features.dtype == np.float64
    np.testing.assert_array_equal(features, expected.transform(rows))
    whole = Items(lambda row: np.arange(6) + row)
    assert small(max_epochs=0).fit(whole).transform(whole).dtype == np.float64


def test_names_of_classes_and_columns():
    pd = pytest.importorskip("pandas", reason="names columns")
    named = Items(lambda row: (X[row], NAMES[Y[row]]))
    assert list(convolutional().fit(named).classes_) == [*NAMES]
    loader = DataLoader(named, batch_size=8, shuffle=True)
    assert list(convolutional().fit(loader).classes_) == [*NAMES]
    rows, y = inputs()
    feature_map = small().fit(pd.DataFrame(rows, columns=[*"abcdef"]), y)
    assert not hasattr(feature_map.fit(TensorDataset(torch.tensor(rows)), y), "feature_names_in_")


@pytest.mark.parametrize("make", [list, tuple, np.array, torch.tensor])
def test_several_targets_an_item(make):
    rows, y = inputs()
    data = Items(lambda row: (rows[row], make([y[row], 2 * y[row]])), 60)
    np.testing.assert_allclose(
        small().fit(data).transform(rows), small().fit(rows, np.c_[y, 2 * y]).transform(rows)
    )


def test_items_are_read_a_batch_at_a_time(monkeypatch):
    from sk_deepfeat.feature_maps._torch import features

    monkeypatch.setattr(features, "_MOST_ROWS", 8)
    feature_map = convolutional(max_epochs=0).fit(PAIRS)
    data = Items(PAIRS.make)
    read = []
    out = np.empty((40, 4), dtype=np.float32)

    class Watched:
        shape, dtype = out.shape, out.dtype

        def __setitem__(self, rows, values):
            read.append((data.n_read, rows.stop))
            out[rows] = values

    watched = Watched()
    assert feature_map.transform(data, out=watched) is watched
    assert read == [(1 + stop, stop) for stop in (8, 16, 24, 32, 40)]
    np.testing.assert_array_equal(out, feature_map.transform(PAIRS))
    with pytest.raises(ValueError, match=r"out has shape \(40, 3\); these rows need \(40, 4\)"):
        feature_map.transform(data, out=np.empty((40, 3)))


def test_a_loader_trains_in_its_own_batches_and_order():
    loader = DataLoader(PAIRS, batch_size=8, shuffle=True)
    first, second = (convolutional().fit(loader) for _ in range(2))
    assert first._state["norm.num_batches_tracked"] == 10
    np.testing.assert_array_equal(first.transform(X), second.transform(X))
    other = convolutional(random_state=1).fit(loader)
    assert not np.allclose(first.transform(X), other.transform(X))
    # Without dropout, one batch in order is one batch in any order.
    whole = DataLoader(PAIRS, batch_size=40)
    np.testing.assert_allclose(
        small().fit(whole).transform(X), small(batch_size=None).fit(X, Y).transform(X), atol=1e-5
    )
    numbers = Items(lambda row: (X[row], float(Y[row])))
    assert not hasattr(convolutional().fit(DataLoader(numbers, batch_size=8)), "classes_")


def test_global_state_of_torch_is_neither_used_nor_changed():
    loader = DataLoader(PAIRS, batch_size=8, shuffle=True)
    torch.manual_seed(5)
    state = torch.get_rng_state()
    feature_map = convolutional().fit(loader)
    feature_map.transform(DataLoader(PAIRS, batch_size=8))
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(6)
    np.testing.assert_array_equal(
        convolutional().fit(loader).transform(X), feature_map.transform(X)
    )


@pytest.mark.parametrize(
    ("loader", "message"),
    [
        (DataLoader(PAIRS, batch_size=8, shuffle=True), "RandomSampler.*shuffle=False.*SliceData"),
        (DataLoader(PAIRS, sampler=WeightedRandomSampler([1] * 40, 40)), "WeightedRandomSampler"),
        (DataLoader(PAIRS, batch_sampler=[range(20), range(20, 40)]), "by a list"),
        (DataLoader(PAIRS, batch_size=7, drop_last=True), "leaves out the last rows"),
        (DataLoader(PAIRS, batch_size=None), "without batches"),
    ],
)
def test_loaders_out_of_order_are_not_transformed(loader, message):
    with pytest.raises(ValueError, match=message):
        convolutional(max_epochs=0).fit(X).transform(loader)


def test_whole_last_batches_may_be_dropped():
    loader = DataLoader(PAIRS, batch_size=8, drop_last=True)
    assert convolutional(max_epochs=0).fit(X).transform(loader).shape == (40, 4)


class Stream(IterableDataset):
    def __iter__(self):
        yield from X


def picture(row):
    image = pytest.importorskip("PIL.Image", reason="makes an image")
    return image.fromarray(np.zeros((8, 8, 3), dtype=np.uint8)), 0


@pytest.mark.parametrize(
    ("data", "y", "error", "message"),
    [
        (Stream(), None, TypeError, "Stream, without a length"),
        (Items(PAIRS.make, 0), None, ValueError, "without items"),
        (Items(lambda row: {"x": X[row], "y": 0}), None, TypeError, r"dict of x, y\. Wrap it"),
        (Items(lambda row: (X[row], 0, row)), None, TypeError, r"tuple of 3\. Wrap it.*idx=0"),
        (Items(picture), None, TypeError, r"is a Image\. .*ToTensor\(\)"),
        (Items(lambda row: ("a.png", 0)), None, TypeError, r"is a str\."),
        (Items(lambda row: (1.0, 0)), None, TypeError, r"is a float\."),
        (ROWS, None, ValueError, "y is None and the items of the data set X bring none"),
        (SliceDataset(PAIRS), None, ValueError, "y is None and the items"),
        (PAIRS, Y[:9], ValueError, r"inconsistent numbers of samples: \[40, 9\]"),
        (DataLoader(PAIRS), Y, ValueError, "y must be None where X is a DataLoader"),
        (Items(lambda row: (X[row, :, : 8 - row % 2], 0)), Y, ValueError, r"\(3, 8, 8\).*Resize"),
        (
            Items(lambda row: (X[row] * (np.nan if row == 30 else 1), int(Y[row]))),
            None,
            ValueError,
            "NaN or infinity",
        ),
        (
            DataLoader(Items(lambda row: (X[row, :, : 8 - row // 30], row % 2)), 20),
            None,
            ValueError,
            r"does not make a batch.*\(height, width\)",
        ),
        (Items(lambda row: (X[row], None)), None, ValueError, "Input y contains NaN"),
    ],
)
def test_what_is_no_data_set(data, y, error, message):
    with pytest.raises(error, match=message):
        convolutional().fit(data, y)


def test_other_rows_than_in_fit():
    feature_map = convolutional(max_epochs=0).fit(PAIRS)
    with pytest.raises(ValueError, match=r"rows of shape \(3, 9, 8\).*\(3, 8, 8\)"):
        feature_map.transform(Items(lambda row: np.zeros((3, 9, 8), dtype=np.float32)))


def test_targets_of_a_batch_that_the_data_set_does_not_have():
    def collate(items):
        return torch.stack([x for x, _ in items]), torch.tensor([7 for _ in items])

    with pytest.raises(ValueError, match="target 7, which is none of the 3 classes"):
        convolutional().fit(DataLoader(PAIRS, batch_size=8, collate_fn=collate))

    def soft(items):
        return torch.stack([x for x, _ in items]), torch.ones((len(items), 3)) / 3

    with pytest.raises(ValueError, match=r"targets of shape \(8, 3\).*have labels"):
        convolutional().fit(DataLoader(PAIRS, batch_size=8, collate_fn=soft))


def test_targets_are_read_behind_a_bar(capsys):
    convolutional(verbose=1, max_epochs=1).fit(PAIRS)
    assert "targets" in capsys.readouterr().err
    convolutional(verbose=1, max_epochs=1).fit(TENSORS)
    assert "targets" not in capsys.readouterr().err


def test_wrapped_for_scikit_learn():
    rows, y = SliceDataset(PAIRS), np.asarray(SliceDataset(PAIRS, idx=1))
    np.testing.assert_array_equal(y, Y)
    pipeline = make_pipeline(convolutional(), Ridge())
    grid = {"traineddeepfeatures__pool": ["mean", "max"]}
    by_rows, by_items = (
        GridSearchCV(pipeline, grid, cv=2).fit(data, y.astype(float)) for data in (X, rows)
    )
    np.testing.assert_allclose(
        by_rows.cv_results_["mean_test_score"], by_items.cv_results_["mean_test_score"]
    )
    stages = TwoStageClassifier(
        convolutional(), DeterministicEquivalentRidgeClassifier(1.0), random_state=0
    )
    np.testing.assert_array_equal(stages.fit(rows, y).predict(X), stages.fit(X, y).predict(X))
