"""Names that users give, wherever they are shown: text, and neither tags nor commands."""

import json
import warnings
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from sk_deepfeat import DeterministicEquivalentRidge, DeterministicEquivalentRidgeClassifier
from sk_deepfeat.__main__ import main
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.notebook import show
from sk_deepfeat.populations import LeaveOneOutPopulation
from sk_deepfeat.report import write_report
from sk_deepfeat.report.visible_text import visible

TURNED = "\N{RIGHT-TO-LEFT OVERRIDE}\N{LEFT-TO-RIGHT ISOLATE}"
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "style": "</style></title></b><img src=x onerror=alert(1)>",
    "quotes": '" onmouseover="alert(1)" x=\'',
    "entities": "&lt;b&gt; &amp; &#60;",
    "comment": "<!-- ]]> --!> <?php $title ${page} %s {0}",
    "turned": f"price{TURNED}.txt",
    "terminal": "\x1b]0;owned\x07\x1b[2J\r\x9b1m",
    "halves": "\ud800\udfff",
}
TAME = {kind: f"plain{k}" for k, kind in enumerate(HOSTILE)}


class Structure(HTMLParser):
    """Tags with the names of their attributes, in their order, and the text between."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.text = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, *(name for name, _ in attrs)))
        self.text += [value for name, value in attrs if name in ("alt", "content")]

    def handle_endtag(self, tag):
        self.tags.append(f"/{tag}")

    def handle_comment(self, data):
        self.tags.append("comment")

    def handle_pi(self, data):
        self.tags.append("instruction")

    def handle_data(self, data):
        self.text.append(data)


def structure_of(source):
    found = Structure()
    found.feed(source)
    found.close()
    return found.tags, " ".join(" ".join(found.text).split())


def flat(text):
    return " ".join(visible(text).split())


def step_named(name):
    """Return a step that learns from targets, of a class of this name."""

    def fit(self, X, y):
        self.n_features_in_ = X.shape[1]
        return self

    def tags(self):
        found = TransformerMixin.__sklearn_tags__(self)
        found.target_tags.required = True
        return found

    body = {"fit": fit, "transform": lambda self, X: X, "__sklearn_tags__": tags}
    return type(name, (TransformerMixin, BaseEstimator), body)()


def function_named(name):
    def function(X):
        return X

    function.__name__ = name
    return function


class Warning_(LeaveOneOutPopulation):
    """A population that says something about the best alpha."""

    def __init__(self, said="", calibrate=False):
        super().__init__(calibrate=calibrate)
        self.said = said

    def test_error(self, *args, **kwargs):
        warnings.warn(self.said, PopulationWarning, stacklevel=2)
        return super().test_error(*args, **kwargs)


def page_of_numbers(names, folder):
    """Write a page with names of columns, target, steps, functions, classes of Python, warnings."""
    pandas = pytest.importorskip("pandas", reason="names come from a data frame")
    rng = np.random.default_rng(0)
    columns = list(names.values())
    values = rng.normal(size=(150, len(columns)))
    values[:, 0] = np.arange(150) < 4  # a rare column, which a cause names
    frame = pandas.DataFrame(values, columns=pandas.Index(columns, dtype=object))
    y = pandas.Series(frame.iloc[:, 1] + rng.normal(size=150), name=columns[0])
    steps = [
        (columns[2].replace("__", ""), step_named(columns[1])),
        ("named", FunctionTransformer(function_named(columns[3]))),
        ("held", FunctionTransformer(kw_args={columns[0]: columns[1]}, func=held)),
        ("ridge", DeterministicEquivalentRidge(population=Warning_(columns[2]))),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Pipeline(steps).fit(frame, y)
        done = [(name, f"{name}: scaled") for name in columns]
        title = " ".join(columns)
        page = write_report(model, folder / "page.html", y=y, title=title, columns=done)
        return page.read_text(encoding="utf-8")


def held(X, **names):
    return X


def page_of_classes(names, folder):
    """Write a page whose classes have these names, one of them rare."""
    rng = np.random.default_rng(0)
    labels = np.array(list(names.values())[:7], dtype=object)
    y = np.r_[np.repeat(labels, 30), labels[:1]][:-35]
    X = rng.normal(size=(y.size, 6))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ridge = DeterministicEquivalentRidgeClassifier().fit(X, y)
        page = write_report(ridge, folder / "page.html", target_name=labels[1])
        return page.read_text(encoding="utf-8")


def card_in_a_notebook(names, folder):
    """Return what a notebook shows of a pipeline whose parts have these names."""
    first, second, third, *_ = names.values()
    learned = step_named("Named")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ridge = DeterministicEquivalentRidge(population=Warning_(second))
        steps = [(first.replace("__", ""), learned), (third.replace("__", ""), ridge)]
        model = Pipeline(steps).fit(np.random.default_rng(0).normal(size=(60, 3)), np.arange(60.0))
        return show(model)._repr_html_()


@pytest.mark.parametrize("made", [page_of_numbers, page_of_classes])
def test_a_page_has_no_tag_more(tmp_path, made):
    pytest.importorskip("matplotlib", reason="a report holds pictures")
    tags, _ = structure_of(made(TAME, tmp_path))
    source = made(HOSTILE, tmp_path)
    found, text = structure_of(source)
    assert found == tags
    assert not set(TURNED + "\x1b\x07\x9b") & set(source)
    shown = list(HOSTILE)[:6] if made is page_of_classes else HOSTILE
    for kind in shown:
        assert flat(HOSTILE[kind]) in text, f"{kind} is shown as it is"


def without_styles(source):
    """Leave out what scikit-learn numbers: its own styles and identifiers."""
    return source.partition("</style>")[2]


def test_a_notebook_has_no_tag_more(tmp_path):
    tags, _ = structure_of(without_styles(card_in_a_notebook(TAME, tmp_path)))
    found, text = structure_of(without_styles(card_in_a_notebook(HOSTILE, tmp_path)))
    assert found == tags
    assert "Predicted test error" in text


@pytest.fixture
def table(tmp_path):
    pandas = pytest.importorskip("pandas", reason="tables are read through pandas")

    def write(names, *, name="data.csv"):
        rng = np.random.default_rng(0)
        columns = [" ".join(value.split()) for kind, value in names.items() if kind != "halves"]
        frame = pandas.DataFrame(rng.normal(size=(60, len(columns))), columns=columns)
        frame[columns[0]] = rng.permuted(np.repeat(np.arange(15), 4))
        path = tmp_path / name
        frame.to_csv(path, index=False)
        return path, columns

    return write


@pytest.mark.filterwarnings("ignore")
def test_the_command_line(table, tmp_path, capsys):
    """A page of a table from the command line, its messages, and its JSON."""
    pytest.importorskip("matplotlib", reason="a report holds pictures")
    pages, found = [], []
    for names, name in ((TAME, "plain.csv"), (HOSTILE, "<b>&'\"\x1b[2J\udcff.csv")):
        path, columns = table(names, name=name)
        page = tmp_path / "page.html"
        words = ["--target", columns[1], "--groups", columns[0], "--output", str(page), "--json"]
        assert main(["report", str(path), *words]) == 0
        pages.append(structure_of(page.read_text(encoding="utf-8")))
        captured = capsys.readouterr()
        found.append(json.loads(captured.out))
        assert not set(TURNED + "\x1b\x07\x9b\udcff") & set(captured.out + captured.err)
    assert pages[0][0] == pages[1][0]
    assert list(found[0]) == list(found[1])
    assert flat("<b>&'\"\x1b[2J\udcff.csv") in pages[1][1]
    assert found[1]["target"] == columns[1]
    assert json.dumps(found[1], allow_nan=False)


def test_messages_of_errors_are_one_line_without_commands(table, capsys):
    path, _ = table(HOSTILE)
    assert main(["curve", str(path), "--target", HOSTILE["terminal"] + TURNED]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "\\u001b" in said
    assert not set(TURNED + "\x1b\x07\x9b\r") & set(said)


def test_letters_of_all_scripts_stay(tmp_path):
    for text in ("naïve", "цена", "価格", "ثمن", "מחיר", "a\u200db", "😀", "tab\tand\nline"):
        assert visible(text) == text
