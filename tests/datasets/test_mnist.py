import sys

import numpy as np
import pytest

from sk_deepfeat.datasets import load_mnist_parity


def test_the_same_as_torchvision(mnist_data_home):
    datasets = pytest.importorskip("torchvision.datasets", reason="an independent reader")
    data = load_mnist_parity(data_home=mnist_data_home)
    for train, rows in ((True, slice(60_000)), (False, slice(60_000, None))):
        theirs = datasets.MNIST(mnist_data_home, train=train)
        np.testing.assert_array_equal(data.digit[rows], theirs.targets.numpy())
        pixels = theirs.data.numpy().reshape(len(theirs), -1)
        shades = np.unique(pixels[:, 350])
        ours = [data.data[rows][pixels[:, 350] == shade, 350] for shade in shades]
        assert all(len(np.unique(values)) == 1 for values in ours), "one shade, one number"


def test_normalised_and_labelled(mnist_data_home):
    data = load_mnist_parity(data_home=mnist_data_home)
    assert data.data.shape == (70_000, 784) and data.data.dtype == np.float32
    np.testing.assert_allclose(data.data.mean(axis=0, dtype=np.float64), 0.0, atol=1e-5)
    np.testing.assert_allclose(np.mean(data.data**2, dtype=np.float64), 1.0, rtol=1e-5)
    assert set(np.unique(data.target)) == {-1.0, 1.0}
    np.testing.assert_array_equal(data.target > 0, data.digit % 2 == 0)
    np.testing.assert_array_equal(data.digit[:5], [5, 0, 4, 1, 9])  # the first training labels
    assert np.bincount(data.digit).tolist()[:2] == [6903, 7877]


def test_environment_variable(mnist_data_home, monkeypatch):
    monkeypatch.setenv("SK_DEEPFEAT_DATA", str(mnist_data_home))
    X, y = load_mnist_parity(return_X_y=True)
    assert len(X) == len(y) == 70_000


def test_missing_files_name_the_remedy(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"MNIST.raw.*SK_DEEPFEAT_DATA.*download=True"):
        load_mnist_parity(data_home=tmp_path)


FILES = {"train": 5, "t10k": 2}


def idx(shape, content, kind=8):
    head = bytes([0, 0, kind, len(shape)])
    return head + np.array(shape, dtype=">u4").tobytes() + content


@pytest.fixture
def folder(tmp_path):
    """A tiny data set in the format of MNIST."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, n in FILES.items():
        pixels = np.random.default_rng(n).integers(0, 256, (n, 28, 28), dtype=np.uint8)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(idx((n, 28, 28), pixels.tobytes()))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx((n,), bytes(range(n))))
    return tmp_path


def test_read_without_torchvision(folder, monkeypatch):
    for name in ("torchvision", "torchvision.datasets"):
        monkeypatch.setitem(sys.modules, name, None)
    data = load_mnist_parity(data_home=folder)
    assert data.data.shape == (7, 784) and data.digit.tolist() == [0, 1, 2, 3, 4, 0, 1]
    (folder / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(ImportError, match=r"download=True\) needs torchvision.*\[torch\]"):
        load_mnist_parity(data_home=folder, download=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (idx((2**32 - 1,) * 3, b"\0" * 784), "claims shape .4294967295.* 784 bytes are there"),
        (idx((2**31, 2**31, 4), b""), "claims shape"),
        (idx((5, 28, 27), b"\0" * 5 * 28 * 27), "images of .28, 27. pixels"),
        (idx((4, 28, 28), b"\0" * 4 * 784), "holds 6 images and 7 labels"),
        (idx((5, 28, 28), b"\0" * 5 * 784, kind=13), "no idx file of bytes with 3 axes"),
        (idx((5,), b"\0" * 5), "no idx file of bytes with 3 axes"),
        (b"\x00\x00\x08\x03\x00", "no idx file of bytes"),
        (b"", "no idx file of bytes"),
    ],
)
def test_what_a_file_claims_is_compared_with_its_size(folder, content, message):
    (folder / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_mnist_parity(data_home=folder)
