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
