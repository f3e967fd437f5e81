import numpy as np
import pytest

from sk_deepfeat.datasets import load_mnist_parity

torchvision = pytest.importorskip("torchvision", reason="MNIST is read through torchvision")


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


@pytest.fixture
def few_images(tmp_path):
    """Ten images, twice; return the folder of the files."""
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    heads = {"images-idx3-ubyte": (2051, 10, 28, 28), "labels-idx1-ubyte": (2049, 10)}
    for part in ("train", "t10k"):
        for kind, head in heads.items():
            values = np.arange(np.prod(head[1:])) % 10
            content = np.array(head, dtype=">i4").tobytes() + values.astype(np.uint8).tobytes()
            (folder / f"{part}-{kind}").write_bytes(content)
    return folder


@pytest.mark.parametrize("left", [0, 3, 16, 5000])
def test_a_file_that_is_cut_short_is_named(few_images, tmp_path, left):
    assert load_mnist_parity(data_home=tmp_path).data.shape == (20, 784)
    file = few_images / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(ValueError, match=r"MNIST.raw is cut short or damaged. Delete the folder"):
        load_mnist_parity(data_home=tmp_path)
