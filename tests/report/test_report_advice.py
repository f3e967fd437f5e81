"""What a report advises: what fits the cause, and nothing general beside it."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.populations.calibration_check import CalibrationCheck, Diagnosis
from sk_deepfeat.report.answers import ask
from sk_deepfeat.report.remarks import remarks
from sk_deepfeat.theory.one_sample.cause_sentences import Cause

RIDGE = DeterministicEquivalentRidge(1.0).fit(*load_diabetes(return_X_y=True))
ANSWERS = ask(RIDGE, [1e-9])


def told(causes, passed, **changed):
    """Return what a report says where rows have these causes."""
    cells = np.array([1.0, 2.0, 3.0])
    check = CalibrationCheck(
        *(cells, cells, cells, cells, 0.9 * cells, 1.1 * cells),
        0.0 if passed else 1.0,
        Diagnosis(tuple(Cause(kind, "This is so.", f"Cure {kind}.") for kind in causes), 442),
    )
    return " ".join(remarks(replace(ANSWERS, **{"check": check, **changed}), RIDGE))


@pytest.mark.parametrize("kind", ["order", "groups", "near copies"])
def test_dependent_rows_are_not_told_to_chase_a_smaller_error(kind):
    said = told([kind], passed=False)
    assert f"Cure {kind}." in said and "is not the best one" not in said
    assert "is not the best one" in told(["heavy-tailed rows"], passed=False)


def test_general_advice_gives_way_to_that_about_the_cause():
    useless = {"baseline": 1.0}
    assert "These features tell little" in told([], passed=True, **useless)
    for kind in ("column scales", "outsize residuals"):
        said = told([kind], passed=kind == "column scales", **useless)
        assert "hardly better than always predicting the mean" in said
        assert f"Cure {kind}." in said and "These features tell little" not in said


def test_few_rows_whose_error_will_fall_are_told_to_wait_for_more():
    useless = {"baseline": ANSWERS.best_error}
    assert "These features tell little" in told([], passed=True, **useless)
    curves = {key: values.copy() for key, values in ANSWERS.curves.items()}
    curves["predicted"][-1, 1] = 1000.0
    said = told([], passed=True, curves=curves, **useless)
    assert "With 4,420 rows 1,000 is predicted: collect more." in said
    assert "These features tell little" not in said


def test_a_passed_check_tells_of_copies_and_scales():
    assert "This is so. Cure column scales." in told(["column scales"], passed=True)


def test_a_model_without_its_rows_is_told_to_be_fitted_again():
    said = told([], passed=True, check=None)
    assert "as after unpickling. Fit again" in said and "population=" not in said
    said = told([], passed=True, check=None, could_check=False)
    assert "population='leave-one-out' does" in said and "unpickling" not in said
