"""``--help``: what is done to the data, and the default of every option."""

import re

import pytest


def shown(run, capsys, command):
    with pytest.raises(SystemExit) as ended:
        run(command, "--help")
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("command", ["curve", "report"])
def test_help_tells_what_is_done_to_columns(run, capsys, command):
    text = " ".join(shown(run, capsys, command).split())
    assert "The columns of a table (X with two axes)" in text and "are standardised" in text
    assert "less than 0.1 % of them" in text and "%%" not in text
    assert "missing values are filled with the median" in text and "dates are refused" in text


@pytest.mark.parametrize("command", ["curve", "report"])
def test_help_tells_every_default(run, capsys, command):
    text = shown(run, capsys, command)
    described = text[text.index("options:") : text.index("The columns of a table")]
    options = re.split(r"\n  (?=-)", described)[2:]  # after --help
    names = {option.split()[0] for option in options}
    assert {"--target", "--features", "--weights", "--json", "--output", "--seed"} <= names
    for option in options:
        assert "default" in option, option
    words = " ".join(text.split())
    assert "None" not in words and "default: none for tables, trained for images" in words
