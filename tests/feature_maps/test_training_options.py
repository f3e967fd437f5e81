import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

import networks  # noqa: E402
from trained_cases import inputs, small  # noqa: E402


def no_torch_name(x):
    return np.sin(x)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"hidden_layer_sizes": 0}, ValueError, "hidden_layer_sizes=0"),
        ({"activation": "rleu"}, ValueError, r"activation='rleu'.*known names"),
        ({"activation": no_torch_name}, TypeError, r"no_torch_name.*has no torch_name"),
        ({"max_epochs": -1}, ValueError, "max_epochs == -1"),
        ({"max_epochs": 1.5}, TypeError, "max_epochs"),
        ({"max_epochs": True}, TypeError, "max_epochs=True"),
        ({"lr": 0.0}, ValueError, r"lr == 0.0"),
        ({"lr": np.inf}, ValueError, "lr=inf"),
        ({"batch_size": 0}, ValueError, "batch_size == 0"),
        ({"batch_size": "all"}, TypeError, "batch_size"),
        ({"weight_decay": -0.1}, ValueError, r"weight_decay == -0.1"),
        ({"loss": "mse"}, ValueError, "loss='mse'"),
        ({"bias": 1}, TypeError, "bias"),
        ({"layer": 3}, TypeError, "layer"),
        ({"device": None}, TypeError, "device"),
        ({"device": "gpu"}, ValueError, "device='gpu'"),
        ({"device": "meta"}, ValueError, "device='meta'"),
        ({"verbose": -1}, ValueError, "verbose"),
        ({"pool": "sum"}, ValueError, r"pool='sum' must be one of 'flatten', 'mean', 'max'"),
        ({"pool": None}, ValueError, "pool=None"),
        ({"checkpoints": (1, 0)}, ValueError, "strictly increasing"),
        ({"checkpoints": (1, 1)}, ValueError, "strictly increasing"),
        ({"checkpoints": (0, 3)}, ValueError, r"checkpoints=\(0, 3\).*3.*max_epochs=2"),
        ({"checkpoints": (-1,)}, ValueError, "checkpoints="),
        ({"checkpoints": (np.nan,)}, ValueError, "checkpoints="),
        ({"checkpoints": 1}, TypeError, "checkpoints=1"),
        ({"checkpoints": "all"}, TypeError, "checkpoints='all'"),
        ({"module": "resnet18"}, TypeError, "module='resnet18'"),
        ({"module_params": {"width": 3}}, ValueError, r"module_params=.*no effect"),
        ({"module": networks.Net, "module_params": [1]}, TypeError, "module_params="),
        ({"lr": 1e30}, ValueError, r"lr=1e\+30.*smaller lr"),
    ],
)
def test_wrong_parameters_are_named(params, error, message):
    with pytest.raises(error, match=message):
        small(**params).fit(*inputs())


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without cuda")
def test_unavailable_cuda_is_named():
    with pytest.raises(ValueError, match="device='cuda'"):
        small(device="cuda").fit(*inputs())


def test_weight_decay_and_batch_size_matter():
    X, y = inputs()
    plain = small().fit(X, y).transform(X)
    assert not np.allclose(plain, small(weight_decay=1.0).fit(X, y).transform(X))
    assert not np.allclose(plain, small(batch_size=None).fit(X, y).transform(X))
    assert small(batch_size=1, max_epochs=1).fit(X, y).n_iter_ == 1
