"""The plugin package of the examples, installed as a user's would be."""

import os
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from sk_deepfeat.plugins import available

PACKAGE = Path(__file__).parents[2] / "examples" / "plugin_package"
SOURCES = Path(__file__).parents[2]

SEARCH = """
from sklearn.datasets import make_friedman1
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures, TwoStageRegressor
from sk_deepfeat.plugins import available

X, y = make_friedman1(200, noise=0.1, random_state=0)
two_stages = TwoStageRegressor("random", DeterministicEquivalentRidge("optimal"), random_state=0)
maps = GridSearchCV(two_stages, {"feature_map": ["random", "fourier"]}, cv=2).fit(X, y)
pipeline = Pipeline([("feat", RandomDeepFeatures((30,), random_state=0)), ("ridge", Ridge())])
activations = GridSearchCV(pipeline, {"feat__activation": ["relu", "gaussian", "silu"]}, cv=2)
activations.fit(X, y)
print(*available("feature_maps"), *available("activations"))
print(*maps.cv_results_["mean_test_score"], *activations.cv_results_["mean_test_score"])
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of a fresh environment that has the plugin package of its own.

    Everything else it shares with the environment of the tests.
    """
    pytest.importorskip("hatchling", reason="the build backend of the plugin package")
    home = tmp_path_factory.mktemp("environment")
    venv.create(home)
    folder = "Scripts" if os.name == "nt" else "bin"
    python = str(home / folder / "python")
    (packages,) = home.glob("**/site-packages")
    shared = [str(SOURCES), *site.getsitepackages()]
    lines = [f"import site; site.addsitedir({path!r})" for path in shared]
    (packages / "shared.pth").write_text("\n".join(lines), encoding="utf-8")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--no-index"]
    options = ["--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    run([*install, *options, str(PACKAGE)], cwd=home)
    return python


def run(command, *, cwd):
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    done = subprocess.run(command, cwd=cwd, env=kept, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.installation
def test_its_own_tests_pass(python, tmp_path):
    run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(PACKAGE)], cwd=tmp_path)


@pytest.mark.installation
def test_names_are_found_and_searched_over(python, tmp_path):
    names, scores = run([python, "-c", SEARCH], cwd=tmp_path).splitlines()
    assert {"fourier", "silu", "gaussian"} <= set(names.split())
    assert not {"fourier", "silu", "gaussian"} & {
        *available("feature_maps"),
        *available("activations"),
    }
    found = [float(score) for score in scores.split()]
    assert len(found) == len(set(found)) == 5, "five plugins, five different scores"
