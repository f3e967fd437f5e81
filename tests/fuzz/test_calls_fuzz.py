"""Strange calls, rows, questions and command lines: an answer, or a refusal that names why."""

from collections import Counter

import hypothesis
import pytest
from every_value import every_example
from fuzzed_calls import documented
from judgement import Finding, judged
from public_calls import NOT_CALLED, functions, good_value, public_names, required_values
from targets import TARGETS

from sk_deepfeat.theory import validation

# A few seconds of each by default, the same examples every time; .ci/nightly draws new ones.
EXAMPLES = {"command lines": 5, "fits": 40, "public calls": 30, "questions": 60}
NIGHTLY = {"command lines": 60, "fits": 500, "public calls": 300, "questions": 1000}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def fuzz(target, max_examples, derandomize):
    @hypothesis.settings(
        max_examples=max_examples,
        deadline=None,
        derandomize=derandomize,
        database=None,
        print_blob=True,
        phases=[hypothesis.Phase.generate],  # to shrink a failing command takes minutes
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(example=TARGETS[target]())
    def test(example):
        example.run()

    test()


@pytest.mark.parametrize("target", TARGETS)
def test_a_few_examples(target):
    fuzz(target, EXAMPLES[target], derandomize=True)


@pytest.mark.statistical
@pytest.mark.parametrize("target", TARGETS)
def test_many_examples(target):
    fuzz(target, NIGHTLY[target], derandomize=False)


def findings(examples):
    found = {}
    for example in examples:
        try:
            example.run()
        except Finding as finding:
            found.setdefault(finding.key, f"{example!r}: {finding}")
    return list(found.values())


def test_some_arguments_with_odd_values():
    assert findings(every_example(step=97)) == []


@pytest.mark.statistical
def test_every_argument_with_every_odd_value():
    assert findings(every_example()) == []


def test_every_public_name_is_fuzzed():
    """A name of the reference is called, or has a reason why not."""
    names = Counter(public_names())
    assert set(NOT_CALLED) <= set(names)
    called = {name.split(".")[0] for name in functions()}
    assert {name.rsplit(".", 1)[-1] for name in names if name not in NOT_CALLED} == called
    for owner, name in required_values():
        good_value(owner, name)  # each parameter has one


def documents():
    """Raise.

    Raises
    ------
    KeyError
        If it is called.
    """
    raise KeyError("x")


def test_the_judge():
    """What is no finding, and what is."""
    assert documented(documents) == ("KeyError",)
    leak = {}
    exec(compile("def leak(): int('a')", validation.__file__, "exec"), leak)
    for call, key in [
        (documents, "KeyError in no line of the package"),
        (leak["leak"], "leaked ValueError in theory/validation.py:1"),
        (lambda: {}[1], "KeyError"),
    ]:
        with pytest.raises(Finding, match=key):
            judged(call, names={"alpha"})
