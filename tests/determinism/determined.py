"""What a seed determines: numbers of fits and questions, as arrays of plain floats."""

import hashlib

import numpy as np
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_deepfeat import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
    RandomDeepFeatures,
    TwoStageClassifier,
    TwoStageRegressor,
)
from sk_deepfeat.datasets import make_gaussian_classes, make_teacher_student
from sk_deepfeat.model_selection import ridge_learning_curve

N, P = 120, 10
SIZES = np.array([[60], [N], [500]])


def table():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(N, P)) * np.arange(1, P + 1) ** -0.5
    return X, X[:, 0] + rng.normal(size=N), np.array([f"site {k % 17}" for k in range(N)])


def of(ridge, **sizes):
    """Return the numbers of a fitted ridge and of its answers."""
    asked = sizes or {"n_samples": SIZES}
    answers = [ridge.coef_, ridge.intercept_, ridge.alpha_]
    answers += ridge.predict_test_error(**asked, alpha=[0.1, 1.0], return_interval=True)
    return np.concatenate([np.ravel(np.asarray(each, dtype=float)) for each in answers])


def ridge(population="leave-one-out"):
    X, y, _ = table()
    return of(DeterministicEquivalentRidge("optimal", population=population).fit(X, y))


def many_outputs():
    X, y, _ = table()
    fitted = DeterministicEquivalentRidge("optimal", alpha_per_target=True).fit(
        X, np.c_[y, X[:, 1]]
    )
    return of(fitted)


def plain(population):
    """Return answers of a population without intervals."""
    X, y, _ = table()
    fitted = DeterministicEquivalentRidge(population=population).fit(X, y)
    return np.r_[fitted.coef_, np.ravel(fitted.predict_test_error(SIZES, [0.1, 1.0]))]


def classifier():
    X, y, _ = table()
    fitted = DeterministicEquivalentRidgeClassifier("optimal").fit(X, np.where(y > 0, "up", "down"))
    return of(fitted)


def three_classes():
    X, y, _ = table()
    labels = np.array(["low", "middle", "high"])[np.digitize(y, [-0.5, 0.5])]
    return of(DeterministicEquivalentRidgeClassifier(class_weight="balanced").fit(X, labels))


def groups():
    X, y, sites = table()
    fitted = DeterministicEquivalentRidge("optimal").fit(X, y, groups=sites)
    return of(fitted, n_groups=SIZES // 10)


def blocks():
    X, y, _ = table()
    fitted = DeterministicEquivalentRidge(block_length=8).fit(X, y, groups="blocks")
    return of(fitted, n_groups=SIZES // 10)


def in_parts():
    X, y, _ = table()
    fitted = DeterministicEquivalentRidge("optimal")
    for part in np.array_split(np.arange(N), 4):
        fitted.partial_fit(X[part], y[part])
    return of(fitted)


def random_features(seed=7):
    X, _, _ = table()
    options = {"activation": "gelu", "bias_scale": 0.5, "random_state": seed}
    return np.ravel(RandomDeepFeatures((15, 12), **options).fit_transform(X))


def two_stages():
    X, y, sites = table()
    feature_map = make_pipeline(StandardScaler(), RandomDeepFeatures((12,), random_state=3))
    numbers = TwoStageRegressor(feature_map, DeterministicEquivalentRidge(), random_state=3)
    classes = TwoStageClassifier(
        feature_map, DeterministicEquivalentRidgeClassifier(), random_state=3
    )
    numbers.fit(X, y, groups=sites)
    classes.fit(X, np.where(y > 0, "up", "down"))
    return np.r_[of(numbers.readout_), of(classes.readout_)]


def data_sets():
    X, y, *_ = make_teacher_student(50, P, random_state=3)
    rows, labels, *_ = make_gaussian_classes(50, random_state=3)
    return np.concatenate([np.ravel(each) for each in (X, y, rows, labels)]).astype(float)


def curve(estimator, y, **options):
    """Return all numbers of a learning curve."""
    X, _, _ = table()
    asked = {"train_sizes": [8, 14], "alphas": [0.1, 1.0], "n_repeats": 2}
    found = ridge_learning_curve(estimator, X, y, **{**asked, **options})
    parts = [found.measured, found.predicted]
    parts += [found.lower, found.upper] if found.lower is not None else []
    parts += [part for repeats in found.splits for split in repeats for part in split]
    return np.concatenate([np.ravel(np.asarray(part, dtype=float)) for part in parts])


def curves(n_jobs=None, seed=11):
    """Return learning curves of four kinds, the subsets of one with features that are refitted."""
    _, y, sites = table()
    labels = np.where(y > 0, "up", "down")
    refitted = make_pipeline(RandomDeepFeatures((12,)), Ridge())
    given = {"n_jobs": n_jobs, "random_state": seed}
    weights = np.linspace(0.5, 2.0, N)
    return np.concatenate(
        [
            curve(DeterministicEquivalentRidge(), y, **given, sample_weight=weights),
            curve(RidgeClassifier(), labels, **given, scoring="neg_log_loss", train_sizes=[60, 90]),
            curve(DeterministicEquivalentRidge(), y, **given, groups=sites),
            curve(refitted, y, **given, population="gcv", train_sizes=[30]),
        ]
    )


KINDS = {
    "ridge": ridge,
    "gcv": lambda: plain("gcv"),
    "plug-in": lambda: plain("plug-in"),
    "lanczos": lambda: ridge("lanczos"),
    "many outputs": many_outputs,
    "classifier": classifier,
    "three classes": three_classes,
    "groups": groups,
    "blocks": blocks,
    "in parts": in_parts,
    "random features": random_features,
    "two stages": two_stages,
    "data sets": data_sets,
    "learning curves": curves,
}


def bits(numbers):
    """Return a digest of the bits of an array of floats."""
    numbers = np.ascontiguousarray(numbers, dtype=np.float64)
    return f"{numbers.size} {hashlib.sha256(numbers.tobytes()).hexdigest()}"


def all_bits():
    """Return the digest of each kind."""
    return {name: bits(kind()) for name, kind in KINDS.items()}


def one(name):
    """Return the digest of one kind; for workers."""
    return bits(KINDS[name]())
