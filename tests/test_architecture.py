"""The import table of the package: which room may import what, held by `ast` alone."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import sk_deepfeat
from sk_deepfeat.populations import LeaveOneOutPopulation

PACKAGE = Path(sk_deepfeat.__file__).parent
EXTRAS = {"torch", "torchvision", "skorch", "matplotlib", "pandas", "dask", "distributed"}
EXTRAS |= {"pyarrow", "h5py", "zarr"}
ROOMS = {
    "plugins",
    "activations",
    "theory",
    "rows",
    "populations",
    "feature_maps",
    "linear_model",
    "compose",
    "model_selection",
    "datasets",
    "report",
    "command_line",
    "testing",
    "exceptions",
    "array_files",
    "progress",
    "whole_files",
    "notebook",
    "__init__",
    "__main__",
}


class Rule(NamedTuple):
    ours: set[str]
    outside: set[str]
    in_functions: frozenset[str] | set[str] = frozenset()
    for_typing: frozenset[str] | set[str] = frozenset()


# Every room may also import itself, what is open to all, and the standard library.
OPEN_TO_ALL = {"exceptions", "progress", "array_files", "whole_files"}
TABLE = {
    "exceptions": Rule(set(), set()),
    "progress": Rule(set(), set(), in_functions={"tqdm"}),
    "array_files": Rule(set(), {"numpy"}),
    "whole_files": Rule(set(), set()),
    "notebook": Rule({"linear_model"}, {"sklearn"}),
    "plugins": Rule(set(), set(), for_typing={"numpy"}),
    "activations": Rule({"plugins"}, {"numpy", "scipy"}),
    # Directly in theory: the shared ground of its three rooms, which never import each other.
    "theory": Rule(set(), {"numpy", "scipy", "threadpoolctl"}),
    "theory.equivalents": Rule({"theory"}, {"numpy", "scipy"}),
    "theory.one_sample": Rule({"theory"}, {"numpy", "scipy"}),
    "theory.networks": Rule({"theory", "plugins"}, {"numpy", "scipy"}),
    "theory.__init__": Rule(
        {"theory", "theory.equivalents", "theory.one_sample", "theory.networks"}, set()
    ),
    "rows": Rule(
        {"theory"},
        {"numpy", "sklearn"},
        in_functions={"dask", "h5py", "zarr", "pyarrow", "distributed"},
    ),
    "populations": Rule({"theory", "plugins", "rows"}, {"numpy", "sklearn"}),
    "feature_maps": Rule(
        {"theory", "plugins", "activations"}, {"numpy", "sklearn", "joblib", "tqdm"}
    ),
    "feature_maps._torch": Rule(
        {"feature_maps", "theory", "plugins", "activations"},
        {"numpy", "sklearn", "torch", "torchvision", "skorch", "tqdm"},
    ),
    "linear_model": Rule({"theory", "plugins", "rows"}, {"numpy", "sklearn"}),
    "compose": Rule({"plugins", "linear_model", "rows"}, {"numpy", "sklearn"}),
    "model_selection": Rule(
        {"theory", "plugins", "linear_model", "rows"},
        {"numpy", "sklearn", "joblib", "threadpoolctl"},
        in_functions={"matplotlib", "pandas"},
    ),
    "datasets": Rule(
        {"theory", "plugins", "populations"}, {"numpy", "sklearn"}, in_functions={"torchvision"}
    ),
    "report": Rule(
        {"model_selection", "theory", "plugins"}, {"numpy", "sklearn"}, in_functions={"matplotlib"}
    ),
    "testing": Rule(ROOMS, {"numpy", "scipy", "sklearn"}),
    "command_line": Rule(
        ROOMS - {"testing", "__init__", "__main__"},
        {"numpy", "sklearn"},
        in_functions={"matplotlib", "pandas", "pyarrow"},
    ),
    "__main__": Rule({"command_line"}, set()),
    "__init__": Rule(
        ROOMS - {"testing", "command_line", "__main__", "model_selection", "datasets", "report"},
        set(),
    ),
}


class Import(NamedTuple):
    name: str
    line: int
    in_function: bool
    for_typing: bool


def room_of(module: str) -> str:
    """Return the row of the table for a dotted module name below the package."""
    parts = module.split(".")
    below = ".".join(parts[:2])
    return below if below in TABLE else parts[0]


def imports(tree, in_function=False, for_typing=False):
    """Yield every import below a node; ``from a import b`` gives a.b."""
    for node in ast.iter_child_nodes(tree):
        place = (getattr(node, "lineno", 0), in_function, for_typing)
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, *place)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield Import("." * node.level + f"{node.module or ''}.{alias.name}", *place)
        elif isinstance(node, ast.Call) and _is_dynamic_import(node):
            yield Import(node.args[0].value, *place)
        yield from imports(
            node,
            in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda),
            for_typing or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)),
        )


def _is_dynamic_import(call: ast.Call) -> bool:
    called = ast.unparse(call.func).split(".")[-1]
    named = call.args and isinstance(call.args[0], ast.Constant)
    return called in ("import_module", "__import__") and bool(named)


def offences(source: str, module: str) -> list[str]:
    """Return a sentence for each import of `module` that the table does not allow."""
    found = []
    room = "theory.__init__" if module == "theory" else room_of(module)
    if room not in TABLE:
        return [f"{module} belongs to no room of the table"]
    rule = TABLE[room]
    for item in imports(ast.parse(source)):
        top, _, rest = item.name.partition(".")
        where = f"{module}:{item.line} imports {item.name}"
        if top == "":
            found.append(f"{where}: imports must be absolute")
        elif top == "sk_deepfeat":
            found += [f"{where}: {reason}" for reason in _our_offences(room, rule, rest, item)]
        elif top in EXTRAS and not item.in_function and top not in rule.outside:
            found.append(f"{where}: {top} is an extra and may not be imported at module level")
        elif not (
            top in sys.stdlib_module_names
            or top in rule.outside
            or (top in rule.in_functions and item.in_function)
            or (top in rule.for_typing and item.for_typing)
        ):
            found.append(f"{where}: {top} is not an outside package of {room}")
    return found


def _our_offences(room, rule, rest, item):
    other = room_of(rest)
    if other not in TABLE:
        yield "rooms do not import from the top of the package"
    elif other == "feature_maps._torch" and room != other:
        if room != "feature_maps":
            yield "only feature_maps may use its _torch"
        elif not item.in_function:
            yield "_torch is imported inside functions"
    elif room.startswith("theory") and other == "theory" and not _is_shared_ground(rest):
        yield "theory's rooms do not import from its door"
    elif other not in {room, *OPEN_TO_ALL} and not _may_import(room, rule, other):
        yield f"{room} may not import {other}"


def _is_shared_ground(module):
    return (PACKAGE / "theory" / f"{module.split('.')[1]}.py").exists()


def _may_import(room, rule, other):
    """Rooms that may import theory may import its rooms; theory itself is held to the table."""
    if other.startswith("theory.") and not room.startswith("theory"):
        return "theory" in rule.ours
    return other in rule.ours


def public_names(source: str) -> list[str]:
    """Return the strings of ``__all__``."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def named_like_an_object(folder: Path) -> list[str]:
    """Return the modules of a package that bear the name of one of its public objects."""
    names = set(public_names((folder / "__init__.py").read_text(encoding="utf-8")))
    modules = {path.stem for path in folder.glob("*.py")}
    modules |= {path.parent.name for path in folder.glob("*/__init__.py")}
    return sorted(names & modules)


def modules():
    return sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


@pytest.mark.parametrize("path", modules(), ids=str)
def test_imports_keep_the_table(path):
    source = (PACKAGE / path).read_text(encoding="utf-8")
    assert offences(source, dotted(path)) == []


@pytest.mark.parametrize(
    "folder", sorted({(PACKAGE / path).parent for path in modules()}), ids=lambda path: path.name
)
def test_no_module_is_named_like_a_public_object(folder):
    assert (folder / "__init__.py").exists(), "every folder of the package is a package"
    assert named_like_an_object(folder) == []


@pytest.mark.parametrize("folder", sorted({(PACKAGE / path).parent for path in modules()}))
def test_public_names_are_sorted_and_exist(folder):
    names = public_names((folder / "__init__.py").read_text(encoding="utf-8"))
    assert len(names) == len(set(names))
    if folder == PACKAGE:
        assert all(hasattr(sk_deepfeat, name) for name in names)


@pytest.mark.parametrize(
    ("module", "source", "reason"),
    [
        ("plugins.lookup", "import numpy", "not an outside package"),
        ("plugins.lookup", "from sk_deepfeat.theory import ridge_risk", "may not import theory"),
        ("theory.risk", "import sklearn", "not an outside package"),
        ("theory.search", "import sk_deepfeat.theory.one_sample.x", "may not import theory.one_s"),
        ("theory.one_sample.x", "import sk_deepfeat.theory.equivalents.y", "may not import theory"),
        ("theory.networks.x", "from sk_deepfeat.theory import ridge_risk", "from its door"),
        ("theory.equivalents.x", "import sk_deepfeat.plugins", "may not import plugins"),
        ("activations.x", "import sk_deepfeat.theory.search", "may not import theory"),
        ("theory.risk", "from sk_deepfeat.populations import x", "may not import populations"),
        ("theory.risk", "from .fixed_point import x", "must be absolute"),
        ("theory.risk", "from . import fixed_point", "must be absolute"),
        ("theory.risk", "from sk_deepfeat import ridge", "top of the package"),
        ("theory.risk", "import sk_deepfeat", "top of the package"),
        ("populations.gcv", "from sk_deepfeat import feature_maps", "may not import feature_maps"),
        ("feature_maps.trained", "def f():\n    import torch", "not an outside package"),
        ("feature_maps.trained", "import torch", "is an extra"),
        ("feature_maps.trained", "from sk_deepfeat.feature_maps import _torch", "inside functions"),
        ("compose", "def f():\n    import sk_deepfeat.feature_maps._torch", "only feature_maps"),
        ("linear_model.ridge", "import sk_deepfeat.populations", "may not import populations"),
        ("model_selection.curve", "import pandas", "is an extra"),
        ("model_selection.curve", "import tqdm", "not an outside package"),
        ("model_selection.curve", "import importlib as i\ni.import_module('pandas')", "an extra"),
        ("datasets.mnist", "class A:\n    import torchvision", "is an extra"),
        ("datasets.mnist", "def f():\n    import torch", "not an outside package"),
        ("command_line.curve", "import pandas", "is an extra"),
        ("command_line.curve", "import sk_deepfeat.__main__", "may not import __main__"),
        ("report.writing", "import sk_deepfeat.command_line.data", "may not import command_line"),
        ("__main__", "import sk_deepfeat.linear_model", "may not import linear_model"),
        ("exceptions", "import sk_deepfeat.theory", "may not import theory"),
        ("progress", "import sk_deepfeat.theory", "may not import theory"),
        ("array_files", "import sk_deepfeat.rows", "may not import rows"),
        ("progress", "import tqdm", "not an outside package"),
        ("theory.search", "def f():\n    import tqdm", "not an outside package"),
        ("cellar.wine", "", "belongs to no room"),
    ],
)
def test_an_offence_is_seen(module, source, reason):
    (found,) = offences(source, module)
    assert reason in found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("plugins.protocols", "if TYPE_CHECKING:\n    from numpy.typing import ArrayLike"),
        ("theory.risk", "import numpy as np\nfrom scipy import special"),
        ("theory", "from sk_deepfeat.theory.one_sample import calibrate"),
        ("theory.one_sample.x", "from sk_deepfeat.theory.search import smallest_sufficient"),
        ("populations.gcv", "from sk_deepfeat.theory.one_sample.x import y"),
        ("feature_maps._torch.mlp", "import torch\nfrom skorch import NeuralNet"),
        ("feature_maps.trained", "def f():\n    from sk_deepfeat.feature_maps._torch import mlp"),
        ("model_selection.curve", "def f():\n    import matplotlib.pyplot as plt"),
        ("datasets.mnist", "def f():\n    from torchvision.datasets import MNIST"),
        ("compose", "from sk_deepfeat.exceptions import PopulationWarning"),
        ("theory.search", "from sk_deepfeat.progress import stage"),
        ("progress", "def f():\n    from tqdm import tqdm"),
    ],
)
def test_what_the_table_allows_is_not_flagged(module, source):
    assert offences(source, module) == []


def test_a_module_named_like_an_object_is_seen(tmp_path):
    (tmp_path / "__init__.py").write_text('__all__ = ["ridge", "risk"]', encoding="utf-8")
    (tmp_path / "ridge.py").write_text("", encoding="utf-8")
    assert named_like_an_object(tmp_path) == ["ridge"]


@pytest.mark.parametrize(
    "statement",
    [
        "from sk_deepfeat import *",
        "import sk_deepfeat.model_selection, sk_deepfeat.datasets, sk_deepfeat.populations",
        "from sk_deepfeat import TrainedDeepFeatures as T; T(); T().get_params()",
    ],
)
def test_using_names_is_light(statement):
    # Since 1.9 scikit-learn itself imports pandas where it is installed; that is not ours to mend.
    assert loaded_extras(f"import sklearn.linear_model\n{statement}") <= loaded_extras(
        "import sklearn.linear_model"
    )


def test_importing_the_package_loads_no_extra():
    assert loaded_extras("import sk_deepfeat") == set()


def loaded_extras(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sorted({EXTRAS!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_a_heavy_import_is_seen():
    pytest.importorskip("matplotlib", reason="needs an extra to import")
    assert "matplotlib" in loaded_extras("import matplotlib")


def test_importing_works_without_any_extra():
    code = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in {EXTRAS!r}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
from sk_deepfeat import *
import sk_deepfeat.model_selection, sk_deepfeat.datasets, sk_deepfeat.testing
from sklearn.base import clone

clone(TrainedDeepFeatures()).get_params()
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def literal_block(name: str) -> list[str]:
    """Return the lines of a named block of the page about the inside."""
    text = (Path(__file__).parents[1] / "docs" / "how_it_works.rst").read_text(encoding="utf-8")
    _, _, after = text.partition(f"   :name: {name}\n\n")
    block = after.split("\n\n")[0]
    return [line.strip() for line in block.splitlines()]


def test_the_picture_of_the_rooms_is_the_table():
    drawn = {}
    for line in literal_block("rooms"):
        room, _, behind = line.partition(" -> ")
        drawn[room.strip()] = set(behind.split(", "))
    assert drawn.pop("command_line") == {"everything below"}
    assert len(drawn) >= 9
    for room, behind in drawn.items():
        assert behind == TABLE[room].ours, room
    left_out = {room for room in TABLE if "." not in room and not room.startswith("_")}
    left_out -= {"command_line", *drawn}
    assert left_out == {"theory", "plugins", "testing", *OPEN_TO_ALL}


# What the modules on the way call for help, and the classes they are methods of.
HELPERS = {
    "progress",
    "linear_model.fit_stages",
    "linear_model._arguments",
    "linear_model._fitting",
    "linear_model._streaming",
    "theory.answer",
    "theory.validation",
    "theory.interpolation",
    "theory.spline_rows",
    "theory.one_sample.calibration",
    "theory.one_sample.growth_misses",
    "theory.one_sample.subset_plan",
    "theory.one_sample.least_error",
    "theory.one_sample.kappa_curve",
    "theory.one_sample.leverage_scale",
    "theory.one_sample.cells",
    "theory.one_sample.curve_points",
    "theory.one_sample.curve_stack",
    "theory.one_sample.curve_tables",
    "theory.one_sample.ridgeless_end",
    "theory.one_sample.bias_and_noise",
    "theory.one_sample.power_law",
    "theory.one_sample.functional_tail",
    "populations.left_out_errors",
    "populations.one_sample",
}


def modules_entered(question):
    """Return our modules in the order in which a question enters them for the first time."""
    entered = []

    def look(frame, event, _):
        name = frame.f_globals.get("__name__", "")
        if event == "call" and name.startswith("sk_deepfeat."):
            entered.append(name.removeprefix("sk_deepfeat."))

    sys.setprofile(look)
    try:
        question()
    finally:
        sys.setprofile(None)
    return list(dict.fromkeys(entered))


def test_the_way_of_a_question_is_the_one_it_goes():
    """Every module of the page is entered, in that order, and no other but their helpers."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(240, 30))
    population = LeaveOneOutPopulation(calibrate=True)
    ridge = sk_deepfeat.DeterministicEquivalentRidge(population=population)
    ridge.fit(X, X[:, 0] + rng.normal(size=240))
    cells = np.array([30, 240, 700])[:, None], [1.0, 30.0]
    entered = modules_entered(lambda: ridge.predict_test_error(*cells, return_interval=True))
    steps = [line.split()[0].removesuffix(".py") for line in literal_block("way")]
    drawn = [step.replace("/", ".") for step in steps]
    assert len(drawn) == 10 and set(drawn) <= set(entered)
    assert set(entered) <= set(drawn) | HELPERS
    down = [name for name in entered if name in drawn[:5]]
    assert down == drawn[:5], "from the method to the surface, one after the other"
