"""Scores of rows that ridge has not seen, and how it answers to other labels: against refits."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from sk_deepfeat.theory import RowClasses, ridge_factorization
from sk_deepfeat.theory.one_sample.classes import scores
from sk_deepfeat.theory.one_sample.classes.scores import LeftOutPredictor


def left_out(X, targets, weights, apart, alpha, fit_intercept):
    """Return what a refit without each row, or without its group, says of it."""
    found = np.empty_like(targets)
    for i in range(len(X)):
        others = apart != apart[i]
        ridge = Ridge(alpha, fit_intercept=fit_intercept)
        ridge.fit(X[others], targets[others], sample_weight=weights[others])
        found[i] = ridge.predict(X[i : i + 1])[0]
    return found


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("shape", [(40, 12), (18, 30)])
def test_scores_and_predictions_are_those_of_refits(shape, grouped, fit_intercept):
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=shape), rng.uniform(0.5, 2.0, shape[0])
    codes = RowClasses(rng.integers(0, 3, shape[0]), 3).codes
    groups = rng.integers(0, 7, shape[0]) if grouped else None
    apart = np.arange(shape[0]) if groups is None else groups
    path = ridge_factorization(X, codes, weights, fit_intercept=fit_intercept, groups=groups)
    ridges = np.array([0.3, 6.0])
    predictor = LeftOutPredictor(path, ridges)
    labels, root = rng.normal(size=(shape[0], 4)), np.sqrt(path.weights)[:, None]
    answers = list(predictor.predictions(iter([root * labels] * 2)))
    for ridge, found, answer in zip(ridges, predictor.scores, answers, strict=True):
        refit = (weights, apart, ridge * path.mean_weight, fit_intercept)
        np.testing.assert_allclose(found, left_out(X, codes, *refit), atol=1e-9)
        np.testing.assert_allclose(answer / root, left_out(X, labels, *refit), atol=1e-9)


def test_blocks_of_groups_that_are_not_kept_give_the_same(monkeypatch):
    rng = np.random.default_rng(1)
    X, groups = rng.normal(size=(30, 8)), np.repeat(np.arange(6), 5)
    path = ridge_factorization(X, rng.normal(size=30), groups=groups)
    ridges, labels = np.array([0.1, 1.0]), rng.normal(size=(30, 2))
    kept = list(LeftOutPredictor(path, ridges).predictions(iter([labels] * 2)))
    monkeypatch.setattr(scores, "_KEPT_ENTRIES", 10)
    again = list(LeftOutPredictor(path, ridges).predictions(iter([labels] * 2)))
    np.testing.assert_allclose(kept, again, rtol=1e-12)


def test_single_precision_is_close(monkeypatch):
    rng = np.random.default_rng(2)
    X, labels = rng.normal(size=(300, 40)), rng.normal(size=(300, 3))
    path = ridge_factorization(X, rng.normal(size=300))
    ridges = np.array([0.1, 30.0])
    exact = list(LeftOutPredictor(path, ridges).predictions(iter([labels] * 2)))
    monkeypatch.setattr(scores, "single_pays", lambda *_: True)
    single = list(LeftOutPredictor(path, ridges).predictions(iter([labels] * 2)))
    assert not np.array_equal(exact, single)
    np.testing.assert_allclose(exact, single, atol=1e-5)
