"""The report of a classifier: error rates, accuracies, classes."""

import html
import re

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import scale

from sk_deepfeat import (
    DeterministicEquivalentRidgeClassifier,
    RandomDeepFeatures,
    TwoStageClassifier,
)
from sk_deepfeat.report import write_report
from sk_deepfeat.report.answers import ClassRow, ask
from sk_deepfeat.report.remarks import remarks
from sk_deepfeat.report.sections import class_section
from sk_deepfeat.report.words import accuracy, percent

pytest.importorskip("matplotlib", reason="a report holds pictures")

X, NUMBER = load_breast_cancer(return_X_y=True)
X = scale(X)
Y = np.array(["malignant", "<b>benign</b>"])[NUMBER]
RIDGE = DeterministicEquivalentRidgeClassifier(300.0).fit(X, Y)


def text_of(path):
    """Return what a reader sees, without tags and pictures, and with plain spaces."""
    body = path.read_text(encoding="utf-8").partition("<body>")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def words(text):
    return " ".join(text.split())


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    return write_report(RIDGE, path, y=Y, targets=[0.06, 0.01], target_name="tumour")


def test_says_what_the_classifier_answers(page):
    said = text_of(page)
    error, low, high = RIDGE.predict_test_error(return_interval=True)
    assert said.startswith("Predicted error rate What share of new rows a ridge classifier")
    assert words(f"{percent(error)} predicted error rate") in said
    assert words(f"90 % interval: {percent(low)} to {percent(high)}") in said
    assert (
        words(f"{accuracy(error)} accuracy always predicting the most frequent class: 62.7 %")
        in said
    )
    assert (
        words(
            f"Fitted on 569 rows, it misclassifies {percent(error)} of new rows (accuracy "
            f"{accuracy(error)})."
        )
        in said
    )
    assert "target tumour, 2 classes: <b>benign</b>, malignant" in said
    assert words(f"misclassified training rows {percent(RIDGE.train_error_)}") in said
    needed = RIDGE.required_samples(0.06)
    assert words(f"{accuracy(0.06)} ({percent(0.06)} wrong) {needed:,.0f} (") in said
    assert "99.0 % (1.0 % wrong) unknown: beyond what these rows can tell" in said
    error, low, high = RIDGE.predict_test_error(57, return_interval=True)
    assert words(f"57 {percent(error)} ({percent(low)} to {percent(high)})") in said
    assert "its error rate measured on the others" in said
    assert "squared" not in said


def test_every_class_has_its_row(page):
    said, found = text_of(page), RIDGE.predict_class_errors()
    for k, (label, count) in enumerate([("<b>benign</b>", 357), ("malignant", 212)]):
        values = found.error[k], found.lower[k], found.upper[k]
        error, low, high = map(percent, values)
        assert words(f"{label} {count} {error} {low} to {high}") in said
    assert "<b>benign" not in page.read_text(encoding="utf-8")


def test_pictures_speak_of_error_rates(page):
    source = page.read_text(encoding="utf-8")
    alts = re.findall(r'<img alt="([^"]+)"', source)
    assert "Predicted error rate over" in alts[0] and "predicted error rate" in alts[1]
    assert "Measured over predicted error rate" in alts[2]


def test_doubts_in_words():
    def said(ridge, answers=None):
        return " ".join(words(text) for text in remarks(answers or ask(ridge, [0.6]), ridge))

    told = said(RIDGE)
    assert "Your alpha = 300 is not the best one" in told and "to lower the error rate by" in told
    noise = np.random.default_rng(0).integers(2, size=569)
    told = said(DeterministicEquivalentRidgeClassifier(1e4).fit(X, noise))
    assert "hardly better than always predicting the most frequent class (error rate" in told
    rare = np.where(np.arange(569) % 100 == 3, "rare", Y)
    told = said(DeterministicEquivalentRidgeClassifier(30.0).fit(X, rare))
    assert "Of the class 'rare' there are 6 training rows. With fewer than 20" in told
    answers = ask(RIDGE, [0.6])
    answers.error, answers.best_error = (0.0352, 0.02, 0.05), 0.0300  # three rows of 569
    assert "not the best one" not in said(RIDGE, answers)


def test_no_error_at_all(tmp_path):
    easy = DeterministicEquivalentRidgeClassifier("optimal").fit(
        np.eye(2)[NUMBER] + 0.01 * X[:, :2], Y
    )
    said = text_of(write_report(easy, tmp_path / "r.html"))
    assert said.count("0 % (0 % to ") >= 5 and "(accuracy 100 %)" in said
    assert "No error is predicted with the rows at hand" in said


def test_a_population_without_error_rates_says_so(tmp_path):
    ridge = DeterministicEquivalentRidgeClassifier("optimal", population="gcv").fit(X, Y)
    said = text_of(write_report(ridge, tmp_path / "r.html"))
    assert said.startswith("Predicted test error") and "of codes -1 and 1 of the classes" in said
    assert "no error rates, which the way the population was learned does not tell" in said
    assert "Which classes" not in said
    trained = ridge.predict_train_error()
    assert f"squared error on the training rows {trained:.3g}" in said


def test_two_stages_on_groups(tmp_path):
    model = TwoStageClassifier(
        RandomDeepFeatures((20,), random_state=0),
        DeterministicEquivalentRidgeClassifier(),
        random_state=0,
    ).fit(X, Y, groups=np.arange(569) // 4)
    said = text_of(write_report(model, tmp_path / "r.html", targets=[0.6]))
    assert "predicted error rate on new groups" in said and "of new rows of new groups" in said
    assert "20: RandomDeepFeatures(" in said and "others for the features" in said


def test_of_many_classes_the_worst_are_shown():
    answers = ask(RIDGE, [0.6])
    answers.classes = [ClassRow(f"<{k}>", 30, k / 100, 0.0, 0.5) for k in range(30)]
    answers.classes[3] = ClassRow("rare", 1, np.nan, np.nan, np.nan)
    shown = class_section(answers)
    assert "Of 10 more classes smaller shares are misclassified." in shown
    assert "&lt;29&gt;" in shown and "&lt;5&gt;" not in shown
    assert shown.index("&lt;28&gt;") < shown.index("&lt;29&gt;")


def test_targets_are_error_rates(tmp_path):
    with pytest.raises(ValueError, match="targets must be error rates below 1"):
        write_report(RIDGE, tmp_path / "r.html", targets=[95.0])


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "0 %"), (0.00423, "0.42 %"), (0.0423, "4.2 %"), (0.1234, "12.3 %"), (np.nan, "nan")],
)
def test_percentages(value, expected):
    assert words(percent(value)) == expected
