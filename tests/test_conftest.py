"""The settings of conftest.py took effect, and its selection of tests works."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from random_examples import FEW, MANY
from scipy import fft

pytest_plugins = ["pytester"]

TESTS = Path(__file__).parent


def test_scipy_runs_in_array_api_mode():
    # Only in this mode does scipy refuse masked arrays here; the environment variable alone would
    # not show that it was set before scipy was imported.
    with pytest.raises(TypeError, match="MaskedArray"):
        fft.fft(np.ma.array([1.0, 2.0]))


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="needs matplotlib")
def test_matplotlib_draws_without_a_screen():
    import matplotlib

    assert matplotlib.get_backend().lower() == "agg"


@pytest.mark.parametrize(
    ("options", "passed", "deselected"), [((), 1, 1), (("--statistical",), 2, 0)]
)
def test_statistical_tests_are_deselected_unless_asked_for(pytester, options, passed, deselected):
    pytester.makeconftest((TESTS / "conftest.py").read_text(encoding="utf-8"))
    pytester.makeini(f"[pytest]\npythonpath = {TESTS}\nmarkers = statistical: long")
    pytester.makepyfile(
        """
        import pytest

        def test_short():
            pass

        @pytest.mark.statistical
        def test_long():
            pass
        """
    )
    result = pytester.runpytest_subprocess(*options)
    result.assert_outcomes(passed=passed, deselected=deselected, skipped=0)


def test_missing_mnist_skips_with_a_reason(pytester, monkeypatch):
    pytester.makeini(f"[pytest]\npythonpath = {TESTS}")
    pytester.makeconftest((TESTS / "conftest.py").read_text(encoding="utf-8"))
    pytester.makepyfile("def test_images(mnist_data_home): pass")
    monkeypatch.setenv("SK_DEEPFEAT_DATA", str(pytester.path))
    result = pytester.runpytest_subprocess("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*MNIST is needed*"])


@pytest.mark.parametrize(
    ("options", "examples"), [((), 2 * FEW), (("--statistical", "-m", "statistical"), 2 * MANY)]
)
def test_random_examples_are_few_or_many_and_counted(pytester, options, examples):
    pytester.makeconftest((TESTS / "conftest.py").read_text(encoding="utf-8"))
    markers = "markers = statistical: long\n    random_examples: hypothesis"
    pytester.makeini(f"[pytest]\npythonpath = {TESTS}\n{markers}")
    pytester.makepyfile(
        """
        import hypothesis
        import pytest
        from hypothesis import strategies as st

        pytestmark = pytest.mark.random_examples

        @hypothesis.given(st.integers())
        def test_one(number):
            pass

        @hypothesis.given(st.integers())
        def test_other(number):
            pass
        """
    )
    result = pytester.runpytest_subprocess(*options)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([f"properties: 2 hold, tried on {examples} random examples"])
