"""Every statistical constant stands once, is used, has its reason, and is what the docs say."""

import ast
import importlib.util
from pathlib import Path

import numpy as np
import pytest

import sk_deepfeat
from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.classes import tuning as of_classes
from sk_deepfeat.theory.one_sample.matrix_free import tuning as of_products

PACKAGE = Path(sk_deepfeat.__file__).parent
ROOT = PACKAGE.parent
ROOM = PACKAGE / "theory" / "one_sample"
NAMES = sorted(name for name in vars(tuning) if name.isupper())
CLASSES = ROOM / "classes"
CLASS_NAMES = sorted(name for name in vars(of_classes) if name.isupper())
PRODUCTS, STREAMED = ROOM / "matrix_free", ROOM / "streamed"
PRODUCT_NAMES = sorted(name for name in vars(of_products) if name.isupper())

# Numbers that are no choice: counts, halves and powers of formulas, tolerances of rounding.
FREE = {0, 0.5, 1, 2, 3, 4, 10, 300}
# Sizes of grids, blocks and bins, and operations of matrix products: numerical, named or explained
# where they stand.
NUMERICAL = {
    "blocks.py": {0.1, 5},
    "centred_rows.py": {16, 64},
    "factorization.py": {8},
    "ridge_coefs.py": {100.0},
    "factorize.py": {16},
    "half_grams.py": {256},
    "kappa_curve.py": {5, 8, 120, 600},
    "ridge_grid.py": {0.001, 0.1, 50, 100},
    "leave_group_out.py": {0.1, 32},
    "few_ridges.py": {120},
    "leave_one_out.py": {64, 0.05, 100.0},
    "residuals.py": {5, 8, 50.0},
    "leverage_bins.py": {11.0, 0.25, 40.0, 2048},
    "leverage_classes.py": {512, 0.04, 64, 0.32, 16_000, 6, 12, 4000},
    "leverage_scale.py": {200},
    "ridgeless_end.py": {0.25, 60, 120},
    "evaluation.py": {64},
    "curve_stack.py": {0.75},
    "curve_tables.py": {8, 64, 30_000},
    "bias_and_noise.py": set(),
    "power_law.py": {0.05, 40, 2.0, 16_000},
    "functional_tail.py": {120, 80, 50, 0.05},
    "least_error.py": {40},
    "growth_misses.py": {40},
    "shifted_systems.py": {6},
    "sparse_rows.py": {150.0, 10_000},
    "subset_costs.py": {8, 30.0},
    "subset_plan.py": {100.0, 6.0, 25.0, 0.25, 1.01, 1.05, 1.5, 2.1, 0.0001, 12},
    "subsets.py": set(),
    "surface.py": {64},
    "dependence.py": {16, 40, 63, 100},
    "left_out_sets.py": {32, 40},
    "row_leverages.py": {60, 0.9},
    "rare_columns.py": {25},
    "class_tables.py": {0.99, 0.95, 0.88, 0.8, 0.02, 512, 600, 10_000.0},
    "clouds.py": {12, 0.25},
    "removal.py": {60, 12.0, 1301, 0.05},
    "scores.py": {64},
    "class_surface.py": {0.25, 16, 4096},
    "accumulator.py": {8.0, 16, 64, 128, 10_000},
    "label_hashes.py": {8, 53},
    "reservoir.py": {8.0},
    "sampled_factorization.py": {8.0},
    "assembled_curve.py": {0.25, 8},
    "conjugate_gradients.py": {5, 256, 2000},
    "learned_curves.py": {0.001, 0.15, 16, 32, 60, 120},
    "spectral_sums.py": {5},
}


def reader():
    """Return what the documentation reads a file with."""
    pytest.importorskip("sphinx", reason="the reader of the file is an extension of sphinx")
    path = ROOT / "docs" / "_extensions" / "tuning_constants.py"
    spec = importlib.util.spec_from_file_location("tuning_constants", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.constants


def literals(path):
    """Return the numbers of a file, without those so small or large that they are rounding."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    numbers = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    plain = (n for n in numbers if isinstance(n, (int, float)) and not isinstance(n, bool))
    return {n for n in plain if n == 0 or 1e-5 < abs(n) < 1e5}


@pytest.mark.parametrize(
    "path",
    sorted(path for room in (ROOM, CLASSES, PRODUCTS, STREAMED) for path in room.glob("*.py")),
    ids=lambda path: path.name,
)
def test_no_number_of_choice_stands_elsewhere(path):
    if path.name != "tuning.py":
        assert literals(path) - FREE - NUMERICAL.get(path.name, set()) == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_constant_is_used_where_it_is_read(name):
    readers = [*ROOM.glob("*.py"), *(PACKAGE / "populations").glob("*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in readers)
    assert f"tuning.{name}" in text


@pytest.mark.parametrize("name", CLASS_NAMES)
def test_a_constant_of_classes_is_used(name):
    text = "".join(path.read_text(encoding="utf-8") for path in CLASSES.glob("*.py"))
    assert f"tuning.{name}" in text


@pytest.mark.parametrize("name", PRODUCT_NAMES)
def test_a_constant_of_products_is_used(name):
    readers = [*PRODUCTS.glob("*.py"), PACKAGE / "populations" / "lanczos.py"]
    text = "".join(path.read_text(encoding="utf-8") for path in readers)
    assert f"tuning.{name}" in text


@pytest.mark.parametrize(
    ("room", "names"), [(ROOM, NAMES), (CLASSES, CLASS_NAMES), (PRODUCTS, PRODUCT_NAMES)]
)
def test_every_constant_has_a_meaning_and_a_reason(room, names):
    found = reader()(room / "tuning.py")
    assert sorted(name for constant in found for name in constant.names) == names
    for constant in found:
        assert constant.meaning.endswith(".") and constant.why.endswith(".")


SENTENCES = {
    "docs/user_guide/reach_and_intervals.rst": [
        "nothing at {MOST_GROWTH_NOISE:g}, and a cell is reachable while",
        ":math:`s < {reach:.2f}`",
        "leaves out one of {blocks} blocks of rows",
        "disagrees by more than noise and {percent:.0f} %",
        "over alpha (``optimal_alpha``, ``required_samples``) add {caution} standard errors",
        "up to :math:`{LARGEST_SUBSET_SHARE:g}\\,n_0` rows",
        "of {sizes} sizes, each half of the next",
    ],
    "sk_deepfeat/populations/leave_one_out.py": ["are dealt to at most {blocks} blocks"],
    "sk_deepfeat/populations/calibration_check.py": ["and {percent:.0f} %"],
    "sk_deepfeat/theory/one_sample/surface.py": [
        "the weight 1 - (s/{MOST_GROWTH_NOISE:g})²",
        "which is s < {reach:.2f}",
    ],
    "sk_deepfeat/theory/one_sample/calibration.py": [
        "max(0, 1 - {SHRINKAGE:g}/z²)",
        "passes {percent:.0f} % in size and {at_one} standard errors at one number of rows",
        "or {at_two} at two",
    ],
}


@pytest.mark.parametrize("document", SENTENCES)
def test_sentences_that_quote_a_constant(document):
    words = {2: "two", 3: "three", 4: "four", 6: "six", 20: "twenty"}
    values = {
        **{name: getattr(tuning, name) for name in NAMES},
        "reach": np.sqrt(1.0 - tuning.REACH_WEIGHT) * tuning.MOST_GROWTH_NOISE,
        "blocks": words[tuning.JACKKNIFE_BLOCKS],
        "percent": 100 * tuning.DISAGREEMENT_OF_CONCERN,
        "caution": words[tuning.CAUTION],
        "at_one": words[tuning.ERRORS_AT_ONE_SIZE],
        "at_two": words[tuning.ERRORS_AT_TWO_SIZES],
        "sizes": words[tuning.SUBSET_SIZES_COUNT],
    }
    text = " ".join((ROOT / document).read_text(encoding="utf-8").split())
    for sentence in SENTENCES[document]:
        assert sentence.format(**values) in text, sentence
