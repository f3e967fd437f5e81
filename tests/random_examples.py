"""How many cases hypothesis draws for tests marked `random_examples`, and how many it drew.

By default each test gets a few, and with ``--statistical`` many, the same ones in every run.
``--hypothesis-profile=fresh`` draws new ones, and looks for smaller ones that fail. What was drawn
is told at the end.
"""

import re

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase

FEW, MANY = 2, 40

_common = {
    "deadline": None,
    "database": None,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
# A failure is told as it was found: to look for a smaller one takes minutes.
_same = {"derandomize": True, "phases": [Phase.explicit, Phase.generate]}
hypothesis.settings.register_profile("few", max_examples=FEW, **_same, **_common)
hypothesis.settings.register_profile("many", max_examples=MANY, **_same, **_common)
hypothesis.settings.register_profile("fresh", max_examples=MANY, derandomize=False, **_common)


def examples_times(factor):
    """Return settings of a test so cheap, or so dear, that it gets so many times as many."""
    most = hypothesis.settings.default.max_examples
    return hypothesis.settings(max_examples=max(1, round(factor * most)))


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--hypothesis-profile", None):
        many = config.getoption("--statistical", False)
        hypothesis.settings.load_profile("many" if many else "few")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--statistical", False):  # of these there are longer runs of every test
        for item in items:
            if item.get_closest_marker("random_examples"):
                item.add_marker("statistical")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call):
    report = yield
    if call.when == "call" and item.get_closest_marker("random_examples"):
        told = getattr(item, "hypothesis_statistics", "")
        passing = sum(map(int, re.findall(r"(\d+) passing", told)))
        item.user_properties.append(("examples", passing))
        report.user_properties.append(("examples", passing))
    return report


def pytest_terminal_summary(terminalreporter) -> None:
    passed = terminalreporter.stats.get("passed", [])
    counts = [dict(report.user_properties).get("examples") for report in passed]
    known = [count for count in counts if count is not None]
    if known:
        terminalreporter.write_line(
            f"properties: {len(known)} hold, tried on {sum(known)} random examples"
        )
