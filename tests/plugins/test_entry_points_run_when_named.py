"""Entry points of an installed package run when they are named, and at no other time."""

import os
import subprocess
import sys

import pytest

METADATA = "Metadata-Version: 2.1\nName: side-effects\nVersion: 1.0\n"
ENTRY_POINTS = """
[sk_deepfeat.activations]
noisy = noisy_plugin:activation
[sk_deepfeat.feature_maps]
noisy = noisy_plugin:FeatureMap
[sk_deepfeat.populations]
noisy = noisy_plugin:Population
"""
MODULE = """
import os, pathlib

pathlib.Path(os.environ["SIDE_EFFECT"]).touch()
from sk_deepfeat.activations import tanh as activation
from sk_deepfeat.feature_maps import RandomDeepFeatures as FeatureMap
from sk_deepfeat.populations import GCVPopulation as Population
"""
UNNAMED = """
import contextlib, io
import numpy as np
from sk_deepfeat import *
from sk_deepfeat.__main__ import main
from sk_deepfeat.feature_maps import load_features
from sk_deepfeat.plugins import available, register, resolve

for kind in ("activations", "feature_maps", "populations"):
    assert "noisy" in available(kind)
for kind, name in (("activations", "nosy"), ("populations", "nosy")):
    try:
        resolve(kind, name)
    except ValueError as error:
        assert "noisy" in str(error)
register("activations", "own", "noisy_plugin:activation")
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()) as said:
    main(["curve", "--help"])
assert "usage" in said.getvalue()
X = np.random.default_rng(0).normal(size=(60, 4))
for population in ("leave-one-out", "gcv"):
    ridge = DeterministicEquivalentRidge(population=population).fit(X, X[:, 0])
    ridge.predict_test_error(100)
TwoStageRegressor("random", DeterministicEquivalentRidge()).fit(X, X[:, 0])
feature_map = RandomDeepFeatures((5,), "noisy")
repr(feature_map), feature_map.get_params()
"""
NAMED = {
    "activation": "RandomDeepFeatures((5,), 'noisy').draw(4)",
    "population": "DeterministicEquivalentRidge(1.0, population='noisy').fit(X, y)",
    "feature map": "resolve('feature_maps', 'noisy')",
}


@pytest.fixture
def process(tmp_path):
    """Run code where a distribution is installed whose import leaves a file behind."""
    info = tmp_path / "side_effects-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA, encoding="utf-8")
    (info / "entry_points.txt").write_text(ENTRY_POINTS, encoding="utf-8")
    (tmp_path / "noisy_plugin.py").write_text(MODULE, encoding="utf-8")
    left = tmp_path / "it ran"
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    changed = {"PYTHONPATH": os.pathsep.join(paths), "SIDE_EFFECT": str(left)}

    def run(code):
        command = [sys.executable, "-W", "ignore", "-c", code]
        done = subprocess.run(command, env=os.environ | changed, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return left.exists()

    return run


def test_unnamed_nothing_runs(process):
    assert not process(UNNAMED)


@pytest.mark.parametrize("kind", NAMED)
def test_named_it_runs(process, kind):
    """Which also shows that the distribution is found, and its trace seen."""
    begin = "from sk_deepfeat import *\nfrom sk_deepfeat.plugins import resolve\n"
    begin += "X, y = [[0], [1], [3]], [1, 2, 4]\n"
    assert process(begin + NAMED[kind])


def test_a_saved_feature_map_names_nothing(process, tmp_path):
    """A name in a file is not a name that the user gave."""
    fit = f"""
from sk_deepfeat import RandomDeepFeatures
RandomDeepFeatures((5,), "noisy", random_state=0).draw(4).save({str(tmp_path / "map.npz")!r})
"""
    assert not process(fit + LOAD.format(str(tmp_path / "map.npz")))


LOAD = """
import pathlib, os
from sk_deepfeat.activations import tanh
from sk_deepfeat.feature_maps import load_features

pathlib.Path(os.environ["SIDE_EFFECT"]).unlink(missing_ok=True)
feature_map = load_features({0!r})
assert feature_map.activation == "noisy"
assert type(feature_map._activation) is type(tanh)
"""
