"""The report page: what it says, that it needs nothing from elsewhere, and wrong input."""

import html
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures, TwoStageRegressor
from sk_deepfeat.model_selection.fitted_ridge import fitted_ridge
from sk_deepfeat.populations import LeaveOneOutPopulation
from sk_deepfeat.report import write_report
from sk_deepfeat.report.answers import ask
from sk_deepfeat.report.numbers import number, numbers, share
from sk_deepfeat.report.remarks import remarks
from sk_deepfeat.report.sections import sentence_of_outputs

pytest.importorskip("matplotlib", reason="a report holds pictures")

X, Y = load_diabetes(return_X_y=True)
RIDGE = DeterministicEquivalentRidge(1.0).fit(X, Y)
GCV = DeterministicEquivalentRidge(1.0, population="gcv").fit(X, Y)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    assert write_report(RIDGE, path, y=Y, targets=[3500, 3200, 2500]) == path
    return path


def text_of(path):
    """Return what a reader sees, without tags and pictures."""
    body = path.read_text(encoding="utf-8").partition("<body>")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def test_says_what_the_estimator_answers(page):
    said = text_of(page)
    error, low, high = RIDGE.predict_test_error(return_interval=True)
    best = RIDGE.optimal_alpha()
    assert f"{number(error)} predicted test error" in said
    assert f"90 % interval: {number(low)} to {number(high)}" in said
    of_mean = re.search(r"always predicting the mean: ([\d,]+)", said)[1].replace(",", "")
    assert float(of_mean) == pytest.approx(np.var(Y), rel=0.01)
    assert f"{number(best)} best alpha used here: 1" in said
    assert "rows 442 columns 10 target y, from 25 to 346, mean 152, standard deviation 77" in said
    needed = RIDGE.required_samples(3500)
    assert f"3,500 {needed:,.0f} (" in said
    assert "2,500 unknown: beyond what these rows can tell" in said
    error, low, high = RIDGE.predict_test_error(4420, return_interval=True)
    assert f"{number(error)} ({number(low)} to {number(high)})" in said
    assert "Passed." in said
    assert "Your alpha = 1 is not the best one" in said


def test_says_r2_and_the_root_in_the_units_of_the_target(page):
    said = text_of(page)
    r2, low, high = RIDGE.predict_score(return_interval=True)
    assert f"{share(r2)} predicted R² 90 % interval: {share(low)} to {share(high)}" in said
    rooted = RIDGE.predict_score(scoring="neg_root_mean_squared_error", return_interval=True)
    root, high, low = -np.array(rooted)
    assert (
        f"{number(root)} root mean squared error, in units of the target 90 % interval: "
        f"{number(low)} to {number(high)}"
    ) in said
    assert root == pytest.approx(np.sqrt(RIDGE.test_error_))
    assert f"it is off by {number(root)} on new rows" in said
    assert f"where the mean of the target is off by {number(np.std(Y))}" in said
    best = RIDGE.optimal_alpha(4420)
    r2, low, high = RIDGE.predict_score(4420, best, return_interval=True)
    assert f"4,420 {share(r2)} ({share(low)} to {share(high)})" in said
    assert f"{share(1 - 3500 / np.var(Y, ddof=1))} {number(np.sqrt(3500))} 3,500" in said


def test_three_pictures_with_words(page):
    source = page.read_text(encoding="utf-8")
    alts = re.findall(r'<img alt="([^"]+)" src="data:image/png;base64,iVBOR', source)
    assert len(alts) == source.count("<img") == 3
    assert "Predicted test error over the number of training samples" in alts[0]
    assert "Heat map" in alts[1] and "Measured over predicted" in alts[2]


def test_nothing_is_loaded_from_elsewhere(page):
    source = page.read_text(encoding="utf-8")
    assert all(link.startswith("data:") for link in re.findall(r'(?:src|href)="([^"]*)"', source))
    assert not re.search(r"https?://|<script|@import|url\(", source)
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in source


@pytest.mark.parametrize("width", [390, 1280])
def test_in_a_browser(page, tmp_path, width):
    """Pictures are decoded, nothing is asked of a network, and nothing scrolls sideways."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Debian's chromium is not installed: the page is not opened in a browser")
    look = """<script>addEventListener("load", () => {
        const seen = {
            pictures: [...document.images].map(i => i.complete && i.naturalWidth > 0),
            asked: performance.getEntriesByType("resource").map(e => e.name.slice(0, 5)),
            wide: document.documentElement.scrollWidth, window: innerWidth};
        parent.document.body.dataset.seen = JSON.stringify(seen)})</script>"""
    copy = tmp_path / "page.html"
    inside = page.read_text(encoding="utf-8").replace("</head>", look + "</head>")
    # A frame, since Chromium opens no window narrower than 500 pixels.
    frame = f'<iframe style="width: {width}px; height: 3000px; border: 0"'
    copy.write_text(f'<body>{frame} srcdoc="{html.escape(inside)}"></iframe>', encoding="utf-8")
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars"
    flags += " --disable-background-networking --disable-component-update --disable-sync"
    command = [chromium, *flags.split(), f"--user-data-dir={tmp_path / 'profile'}"]
    command += [f"--window-size={width},3000"]

    def run(*arguments):
        return subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=120, check=True
        ).stdout

    dom = run("--dump-dom", copy.as_uri())
    seen = json.loads(html.unescape(re.search(r'data-seen="([^"]*)"', dom)[1]))
    assert seen["pictures"] == [True, True, True]
    assert set(seen["asked"]) <= {"data:"}
    assert seen["window"] == width and seen["wide"] <= width
    picture = tmp_path / "page.png"
    run(f"--screenshot={picture}", page.as_uri())
    pixels = pytest.importorskip("matplotlib.image").imread(picture)
    assert pixels.shape[1] == width and pixels[..., :3].std() > 0.05, "the page is not blank"


def test_names_are_escaped(tmp_path):
    pandas = pytest.importorskip("pandas", reason="names come from a data frame")
    names = ["<script>alert(1)</script>", *"abcdefghi"]
    frame = pandas.DataFrame(X, columns=names)
    target = pandas.Series(Y, name="<i>&price")
    ridge = DeterministicEquivalentRidge("optimal", population="gcv").fit(frame, target)
    path = write_report(ridge, tmp_path / "r.html", y=target, title='<b>"Mine" & yours')
    source = path.read_text(encoding="utf-8")
    assert "<script" not in source and "<i>" not in source and "<b>&quot;" not in source
    assert "&lt;script&gt;alert(1)" in source and "&lt;i&gt;&amp;price" in source
    assert "and 2 more" in source


def test_what_was_done_to_columns(tmp_path):
    done = [("age", "scaled; 3 missing imputed by the median"), ("<b>city", "12 levels, one-hot")]
    written = write_report(GCV, tmp_path / "r.html", columns=done)
    assert (
        "What was done to each column column what was done age scaled; 3 missing imputed by the "
        "median <b>city 12 levels, one-hot"
    ) in text_of(written)
    assert "<b>city" not in written.read_text(encoding="utf-8")
    assert "What was done" not in text_of(write_report(GCV, tmp_path / "r.html"))


class Learned(TransformerMixin, BaseEstimator):
    """A feature map that learns from the targets."""

    def fit(self, X, y):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


@pytest.mark.filterwarnings("ignore::sk_deepfeat.exceptions.PopulationWarning")
def test_warnings_in_words():
    def said(estimator):
        return " ".join(remarks(ask(fitted_ridge(estimator), [1e-9]), estimator))

    ridge = DeterministicEquivalentRidge("optimal")
    assert "learned from the targets" in said(make_pipeline(Learned(), ridge).fit(X, Y))
    frozen = make_pipeline(FrozenEstimator(Learned().fit(X, Y)), ridge).fit(X, Y)
    assert said(frozen) == said(make_pipeline(StandardScaler(), ridge).fit(X, Y)) == ""
    few = said(DeterministicEquivalentRidge().fit(X[:40], Y[:40]))
    assert (
        "The ridge saw 40 rows" in few and "interval of the predicted squared error is wide" in few
    )
    noise = np.random.default_rng(1).normal(size=442)
    useless = "hardly better than always predicting the mean"
    assert useless in said(DeterministicEquivalentRidge(100.0).fit(X, noise))
    assert useless in said(DeterministicEquivalentRidge().fit(np.ones((60, 2)), Y[:60]))
    assert "were not checked" in said(DeterministicEquivalentRidge(population="gcv").fit(X, Y))
    repeated = np.repeat(np.arange(40), 6)
    rows = np.random.default_rng(0).normal(size=(40, 60))[repeated]
    rows += 1e-3 * np.random.default_rng(1).normal(size=rows.shape)
    twins = DeterministicEquivalentRidge().fit(rows, rows[:, 0] + noise[:40][repeated])
    assert "The calibration check failed" in said(twins)


def test_no_page_shows_an_address(tmp_path):
    ridge = DeterministicEquivalentRidge(population=LeaveOneOutPopulation())
    features = RandomDeepFeatures(
        (20,), activation=lambda x: np.maximum(x, 0), random_state=np.random.RandomState(0)
    )
    model = make_pipeline(FunctionTransformer(np.abs), features, ridge).fit(X, Y)
    said = text_of(write_report(model, tmp_path / "r.html"))
    assert "0x" not in said.lower() and "<function" not in said and "<ufunc" not in said
    assert "population LeaveOneOutPopulation()" in said
    assert "population gcv" in text_of(write_report(GCV, tmp_path / "r.html"))


def test_what_is_beyond_reach_is_said():
    answers = ask(GCV, [1e-9])
    assert remarks(answers, GCV)[-1].startswith("Your alpha")
    answers.curves["reachable"][-1] = False
    told = remarks(answers, GCV)[-1]
    assert told.startswith("Your rows do not tell which error 4,420 rows would reach")
    answers.said.append("Something that the population warned of.")
    assert remarks(answers, GCV)[-1] == answers.said[0]


def test_nothing_to_warn_of_and_rows_of_the_features(tmp_path):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(900, 8))
    model = TwoStageRegressor(
        RandomDeepFeatures((30,), random_state=0),
        DeterministicEquivalentRidge("optimal"),
        feature_size=300,
        random_state=0,
    ).fit(rows, rows[:, 0] + rng.normal(size=900))
    said = text_of(write_report(model, tmp_path / "r.html"))
    assert "rows 600 for the ridge, 300 others for the features columns 8 target y" in said
    assert "30: RandomDeepFeatures(" in said
    assert "Nothing here speaks against these numbers." in said


def test_several_outputs_without_intervals(tmp_path):
    ridge = DeterministicEquivalentRidge("optimal", population="gcv").fit(X, np.c_[Y, Y**2])
    said = text_of(write_report(ridge, tmp_path / "r.html", target_name="glucose and more"))
    assert "target glucose and more" in said and "90 % interval" not in said
    assert "Not available for this population" in said


@pytest.mark.parametrize(
    ("estimator", "arguments", "error", "message"),
    [
        (DeterministicEquivalentRidge(), {}, NotFittedError, "not fitted"),
        (Ridge().fit(X, Y), {}, TypeError, "must be a fitted DeterministicEquivalentRidge"),
        (RIDGE, {"targets": [-1.0]}, ValueError, "targets must be finite and above 0"),
        (RIDGE, {"columns": ["age", "city"]}, TypeError, "columns must be pairs of a name"),
        (RIDGE, {"targets": "low"}, ValueError, "targets must be a non-empty 1-d array"),
    ],
)
def test_wrong_arguments(tmp_path, estimator, arguments, error, message):
    with pytest.raises(error, match=message):
        write_report(estimator, tmp_path / "r.html", **arguments)
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_wrong_destinations(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder; name a file"):
        write_report(RIDGE, tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        write_report(RIDGE, tmp_path / "no" / "r.html")


def test_replaces_an_older_page(tmp_path):
    path = tmp_path / "r.html"
    path.write_text("old")
    write_report(GCV, str(path))
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "0"), (3333.0, "3,330"), (0.01234, "0.0123"), (1e-9, "1e-09"), (np.nan, "nan")],
)
def test_numbers(value, expected):
    assert number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.5, "0.50"),
        (0.9617, "0.962"),
        (0.99912, "0.99912"),
        (0.999986, "0.999986"),
        (1.0, "1.00000000"),
        (-0.123, "−0.12"),
        (np.nan, "nan"),
    ],
)
def test_r2_in_figures(value, expected):
    assert share(value) == expected


def test_several_outputs_have_scores_without_a_variance_to_speak_of(tmp_path):
    ridge = DeterministicEquivalentRidge(1.0).fit(X, np.c_[Y, Y**2 / 300])
    said = text_of(write_report(ridge, tmp_path / "r.html", targets=[6000]))
    root = -ridge.predict_score(scoring="neg_root_mean_squared_error")
    assert f"{share(ridge.predict_score())} predicted R²" in said
    assert f"{number(root)} root mean squared error" in said
    assert "R² to reach" not in said and "it explains" not in said
    r2 = ridge.predict_score(multioutput="raw_values")
    low, middle, high = share(r2.min()), share(r2.mean()), share(r2.max())
    told = f"one half has an R² above {middle}, and all of them lie between {low} and {high}."
    assert f"Of the 2 outputs {told}" in said
    r2 = np.linspace(-0.1, 0.9, 41)
    assert sentence_of_outputs(np.r_[r2, np.nan]) == (
        "<p>Of the 41 outputs one half has an R² above 0.40, and 90 % of them lie between "
        f"{share(-0.05)} and 0.85.</p>"
    )


def test_every_output_may_have_an_alpha_of_its_own(tmp_path):
    outputs = np.c_[Y, np.random.default_rng(0).normal(size=442)]
    ridge = DeterministicEquivalentRidge("optimal", alpha_per_target=True).fit(X, outputs)
    said = text_of(write_report(ridge, tmp_path / "r.html", targets=[6000]))
    used = numbers(ridge.alpha_)
    ends = f"({number(ridge.alpha_.min())} to {number(ridge.alpha_.max())})"
    assert used == f"{number(ridge.alpha_.mean())} {ends}", "of two the mean is the median"
    assert f"{used} best alpha, median and range over outputs used here: {used}" in said
    assert f"{number(ridge.test_error_)} predicted test error, squared" in said


def test_units_of_a_transformed_target(tmp_path):
    model = make_pipeline(StandardScaler(), DeterministicEquivalentRidge(1.0))
    logs = TransformedTargetRegressor(model, func=np.log, inverse_func=np.exp).fit(X, Y)
    said = text_of(write_report(logs, tmp_path / "r.html", y=Y))
    assert "in units of the transformed target" in said and "units of the target" not in said
    assert "all errors and scores here are those of the transformed target" in said
    assert "features 10: StandardScaler()" in said
    assert "target transformed by FunctionTransformer(func=log, inverse_func=exp" in said
    scaled = TransformedTargetRegressor(model, transformer=StandardScaler()).fit(X, Y)
    said = text_of(write_report(scaled, tmp_path / "r.html"))
    assert f"{number(np.sqrt(fitted_ridge(model.fit(X, Y)).test_error_))} root mean" in said
    assert "in units of the target" in said and "transformed target," not in said


def test_errors_on_new_groups_are_named_so(tmp_path):
    groups = np.arange(len(Y)) // 40  # 12 groups
    ridge = DeterministicEquivalentRidge(1.0).fit(X, Y, groups=groups)
    written = write_report(ridge, tmp_path / "report.html", y=Y, targets=[3200])
    said = text_of(written)
    assert f"{number(ridge.test_error_)} predicted test error on new groups" in said
    assert "rows 442 in 12 groups columns 10" in said
    needed = ridge.required_samples(3200)
    assert f"3,200 {needed:,.0f} in {needed * 12 / 442:,.0f} groups (" in said
    assert "few tell little about how groups differ" not in said
    few = DeterministicEquivalentRidge(1.0).fit(X, Y, groups=np.arange(len(Y)) // 60)
    (told,) = [text for text in remarks(ask(few), few) if "groups differ" in text]
    assert told.startswith("The training rows are 8 groups.")
