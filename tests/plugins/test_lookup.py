"""Names of plugins: what is listed, found, registered and refused."""

import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sk_deepfeat.activations import relu, tanh
from sk_deepfeat.plugins import available, lookup, register, resolve

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.fixture(autouse=True)
def no_registration_survives(monkeypatch):
    monkeypatch.setattr(lookup, "_registered", {kind: {} for kind in lookup.KINDS})


@pytest.fixture
def install(monkeypatch):
    """Return a function that pretends that packages with entry points are installed."""
    installed = []

    def entry_points(*, group):
        return [entry for entry in installed if entry.group == group]

    def add(name, value, *, package, kind="activations"):
        entry = EntryPoint(name, value, f"sk_deepfeat.{kind}")
        vars(entry)["dist"] = SimpleNamespace(name=package)
        installed.append(entry)

    monkeypatch.setattr(lookup, "entry_points", entry_points)
    return add


@pytest.mark.parametrize("kind", lookup.KINDS)
def test_listing_names_imports_nothing(kind):
    code = (
        "import sys, types\n"
        # a bare package in place of the real one, whose __init__ imports the estimators
        f"package = types.ModuleType('sk_deepfeat'); package.__path__ = [{str(package_dir())!r}]\n"
        "sys.modules['sk_deepfeat'] = package\n"
        "from sk_deepfeat.plugins import available\n"
        f"assert available({kind!r})\n"
        "print(sorted(m for m in sys.modules if m.startswith('sk_deepfeat.')))\n"
        "print('numpy' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules, numpy_loaded = run.stdout.splitlines()
    assert modules == str(
        ["sk_deepfeat.plugins", "sk_deepfeat.plugins.lookup", "sk_deepfeat.plugins.protocols"]
    )
    assert numpy_loaded == "False"


def package_dir():
    return Path(lookup.__file__).parents[1]


def test_built_in_table_equals_the_entry_points_of_the_project():
    groups = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["entry-points"]
    assert groups == {f"sk_deepfeat.{kind}": table for kind, table in lookup.BUILT_IN.items()}


@pytest.mark.parametrize(("kind", "name"), [(k, n) for k in lookup.KINDS for n in available(k)])
def test_every_listed_name_is_found(kind, name):
    assert resolve(kind, name) is not None


def test_names_are_sorted_and_hold_the_built_ins():
    for kind in lookup.KINDS:
        names = available(kind)
        assert list(names) == sorted(names)
        assert set(lookup.BUILT_IN[kind]) <= set(names)


def test_a_class_is_made_anew_each_time_and_an_object_is_shared():
    assert resolve("populations", "gcv") is not resolve("populations", "gcv")
    assert resolve("activations", "relu") is relu


def test_what_is_no_name_is_returned_as_it_is():
    thing = object()
    assert resolve("populations", thing) is thing


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'rleu' is not a known name.*gelu.*relu.*tanh"):
        resolve("activations", "rleu")


@pytest.mark.parametrize("call", [available, lambda kind: resolve(kind, "relu")])
def test_unknown_kind_lists_the_known_ones(call):
    with pytest.raises(ValueError, match=r"'activation' is not a kind.*populations, activations"):
        call("activation")


def test_registered_object_and_string_are_found():
    register("activations", "mine", tanh)
    register("activations", "lazy", "sk_deepfeat.activations:tanh")
    assert {"mine", "lazy"} <= set(available("activations"))
    assert resolve("activations", "mine") is resolve("activations", "lazy") is tanh
    assert "mine" not in available("populations")


def test_registering_the_same_target_again_is_one_plugin():
    register("activations", "mine", tanh)
    register("activations", "mine", tanh)
    register("activations", "relu", "sk_deepfeat.activations:relu")
    assert resolve("activations", "mine") is tanh
    assert resolve("activations", "relu") is relu


@pytest.mark.parametrize("target", [tanh, np.zeros((2, 2))], ids=["object", "array"])
@pytest.mark.parametrize(("name", "owner"), [("relu", "sk_deepfeat"), ("mine", r"register\(\)")])
def test_registering_another_target_is_refused_naming_the_owner(name, owner, target):
    register("activations", "mine", relu)
    with pytest.raises(ValueError, match=rf"'{name}'.*already stands.*declared by {owner}"):
        register("activations", name, target)
    assert resolve("activations", "mine") is relu


@pytest.mark.parametrize("name", ["", None, 3])
def test_bad_name_is_refused(name):
    with pytest.raises(ValueError, match="non-empty string"):
        register("activations", name, tanh)


def test_string_without_an_attribute_is_refused():
    with pytest.raises(ValueError, match="'module:attribute'"):
        register("activations", "mine", "package.module")


def test_installed_plugin_is_found(install):
    install("swish", "sk_deepfeat.activations:gelu", package="swishes")
    assert "swish" in available("activations")
    assert resolve("activations", "swish").torch_name == "GELU"


def test_attribute_may_be_nested(install):
    install("swish", "sk_deepfeat.activations.smooth_relu:GELU.__call__", package="swishes")
    assert callable(resolve("activations", "swish"))


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("no_such_package_of_ours.module:thing", ModuleNotFoundError),
        ("sk_deepfeat.activations:no_such_thing", AttributeError),
    ],
)
def test_broken_plugin_fails_only_when_asked_for(install, value, error):
    install("broken", value, package="broken-one")
    assert "broken" in available("activations")
    assert resolve("activations", "relu") is relu
    with pytest.raises(error, match="no_such"):
        resolve("activations", "broken")


def test_same_name_same_target_from_two_packages_is_one_plugin(install):
    install("relu", "sk_deepfeat.activations:relu", package="echo")
    assert available("activations").count("relu") == 1
    assert resolve("activations", "relu") is relu


def test_same_name_with_other_targets_is_an_error_naming_both_owners(install):
    install("relu", "other.module:relu", package="rival")
    with pytest.raises(ValueError, match=r"by sk_deepfeat; .* by rival"):
        resolve("activations", "relu")
    assert resolve("activations", "tanh") is tanh


def test_registering_over_an_installed_plugin_names_its_package(install):
    install("swish", "other.module:swish", package="rival")
    with pytest.raises(ValueError, match="declared by rival"):
        register("activations", "swish", tanh)
