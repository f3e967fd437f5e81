import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

import networks  # noqa: E402
from trained_cases import fit_and_transform, images, inputs, small  # noqa: E402


@pytest.mark.parametrize(
    ("estimator", "data"),
    [
        (small(activation="gelu"), inputs(300)),
        (small(module=networks.Convolutional, layer="relu_1", batch_size=20), images(41)),
    ],
    ids=["perceptron", "convolutional"],
)
def test_parent_and_workers_agree_to_the_bit(estimator, data):
    X, y = data
    if y.dtype.kind == "i":
        estimator = clone(estimator).set_params(module_params={"out_features": 3})
    here, history = fit_and_transform(estimator, X, y)
    fitted = clone(estimator).fit(X, y)
    with Parallel(n_jobs=2, backend="loky") as parallel:
        there = parallel(delayed(fit_and_transform)(estimator, X, y) for _ in range(2))
        carried = parallel(delayed(fitted.transform)(X) for _ in range(2))
    for features, other_history in there:
        np.testing.assert_array_equal(features, here)
        assert other_history == history
    for features in carried:
        np.testing.assert_array_equal(features, here)
    with Parallel(n_jobs=2, backend="threading") as parallel:
        there = parallel(delayed(fit_and_transform)(estimator, X, y) for _ in range(3))
    for features, _ in there:
        np.testing.assert_array_equal(features, here)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_global_state_of_torch_is_neither_used_nor_changed(n_threads):
    X, y = inputs()
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        torch.manual_seed(n_threads)
        state = torch.get_rng_state()
        features, _ = fit_and_transform(small(), X, y)
        assert torch.equal(torch.get_rng_state(), state)
        assert torch.get_num_threads() == n_threads
        with pytest.raises(ValueError, match="layer='nothing'"):
            small(layer="nothing").fit(X, y)
        assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(features, fit_and_transform(small(), X, y)[0])


def test_seeds():
    X, y = inputs()
    same = fit_and_transform(small(random_state=1), X, y)[0]
    np.testing.assert_array_equal(same, fit_and_transform(small(random_state=1), X, y)[0])
    assert not np.allclose(same, fit_and_transform(small(random_state=2), X, y)[0])
    rng = np.random.RandomState(0)
    first, second = (small(random_state=rng).fit(X, y).transform(X) for _ in range(2))
    assert not np.allclose(first, second)
