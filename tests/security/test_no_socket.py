"""Nothing is asked of a network, and nothing listens to one: at import, at fit, in the commands."""

import subprocess
import sys
from pathlib import Path

import pytest

# In a process of its own, where every way to a network raises before anything is imported. An audit
# hook sees them all, also those of C extensions that call Python's own functions, and cannot be
# taken off again.
BLOCKED = """
import sys

NETWORK = ("socket.", "urllib.", "http.", "ftplib.", "smtplib.", "webbrowser.", "ssl.")

def refuse(event, arguments):
    if event.startswith(NETWORK):
        raise RuntimeError(f"a way to a network: {event}{arguments}")

sys.addaudithook(refuse)
import socket

try:
    socket.socket()
except RuntimeError:
    pass
else:
    raise AssertionError("sockets are not blocked")

def everything_imported():
    import importlib, pkgutil
    import sk_deepfeat

    absent = []
    for module in pkgutil.walk_packages(sk_deepfeat.__path__, "sk_deepfeat."):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            if error.name.split(".")[0] not in ("torch", "torchvision", "skorch"):
                raise
            absent.append(module.name)
    assert all("._torch" in name for name in absent), absent
"""

FITS = """
import warnings
import numpy as np
from sklearn.datasets import load_diabetes, load_wine
from sk_deepfeat import *
from sk_deepfeat.model_selection import ridge_learning_curve

warnings.simplefilter("ignore")
everything_imported()
X, y = load_diabetes(return_X_y=True)
X, y = X[:200], y[:200]
for population in ("leave-one-out", "gcv", "plug-in", "lanczos"):
    ridge = DeterministicEquivalentRidge(1.0, population=population).fit(X, y)
    ridge.predict_test_error(1000)
ridge = DeterministicEquivalentRidge("optimal").fit(X, y, groups=np.arange(200) // 4)
ridge.predict_test_error(1000, return_interval=True)
ridge.calibration_check()
DeterministicEquivalentRidge(1.0).partial_fit(X, y).predict_test_error()
classifier = DeterministicEquivalentRidgeClassifier().fit(*load_wine(return_X_y=True))
classifier.predict_test_error(metric="error_rate")
TwoStageRegressor(RandomDeepFeatures((20,)), DeterministicEquivalentRidge()).fit(X, y)
curve = ridge_learning_curve(
    DeterministicEquivalentRidge(), X, y, train_sizes=[30, 90], alphas=[1.0], n_repeats=2
)
assert np.all(np.isfinite(curve.measured))
"""

WITH_EXTRAS = """
import sys, tempfile
from pathlib import Path
from sk_deepfeat.__main__ import main
from sk_deepfeat.notebook import show
from sk_deepfeat import DeterministicEquivalentRidge, TrainedDeepFeatures
from sk_deepfeat.feature_maps import load_features
import numpy as np

everything_imported()
X = np.random.default_rng(0).normal(size=(60, 5))
folder = Path(tempfile.mkdtemp())
TrainedDeepFeatures((5,), max_epochs=1).fit(X, X[:, 0]).save(folder / "map.npz")
load_features(folder / "map.npz").transform(X)
np.savez(folder / "data.npz", X=X, y=X[:, 0] + 1.0)
show(DeterministicEquivalentRidge().fit(X, X[:, 0]))._repr_html_()
for words in (["report", "--output", str(folder / "page.html")], ["curve", "--repeats", "1",
              "--train-sizes", "30", "--alphas", "1", "--output", str(folder / "curve")]):
    assert main([words[0], str(folder / "data.npz"), *words[1:], "--features", "random"]) == 0
"""


def run(code):
    done = subprocess.run([sys.executable, "-c", BLOCKED + code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_importing_and_fitting_open_no_socket():
    run(FITS)


def test_report_curve_and_trained_features_open_no_socket():
    for name in ("torch", "skorch", "matplotlib", "pandas"):
        pytest.importorskip(name, reason="the report draws, and the features are trained")
    run(WITH_EXTRAS)


def test_no_module_imports_what_opens_one():
    """But for torchvision, which fetches MNIST where a user asks for it."""
    import sk_deepfeat

    folder = Path(sk_deepfeat.__file__).parent
    sources = {path: path.read_text(encoding="utf-8") for path in folder.rglob("*.py")}
    assert len(sources) > 200
    for word in ("import socket", "urllib", "http.client", "requests", "import ssl", "ftplib"):
        assert not [path for path, source in sources.items() if word in source], word
    fetching = [path.name for path, source in sources.items() if "download=True)\n" in source]
    assert fetching == ["mnist.py"]
