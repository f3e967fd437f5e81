"""What scikit-learn, himalaya, skore and neural-tangents have, asked of the installed packages.

Prints one line of JSON with the versions and, for each claim of docs/comparison.rst that code can
check, whether it holds; packages that are not installed are left out. skore is best asked in an
environment of its own: pip install scikit-learn himalaya skore. So is neural-tangents 0.6.5:
pip install neural-tangents jax==0.4.30 jaxlib==0.4.30 tf2jax==0.3.6
"""

from __future__ import annotations

import importlib
import inspect
import json
import warnings
from importlib.metadata import PackageNotFoundError, entry_points, version
from importlib.util import find_spec
from unittest.mock import patch

import numpy as np
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, learning_curve
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def parameters(function):
    return set(inspect.signature(function).parameters)


def rows():
    rng = np.random.default_rng(0)
    return rng.normal(size=(60, 5)), rng.normal(size=(60, 2))


def asks_for_sizes(estimator):
    """Whether a public method of an estimator takes a number of samples."""
    members = inspect.getmembers(estimator, callable)
    methods = [method for name, method in members if not name.startswith("_")]
    return any({"n_samples", "train_sizes"} & parameters(method) for method in methods)


def has_commands(project, package):
    """Whether a package can be run in a shell, by a script of its own or by ``python -m``."""
    scripts = [script.dist.name for script in entry_points(group="console_scripts")]
    return project in scripts or find_spec(f"{package}.__main__") is not None


def wrapped(ridge):
    """Return a ridge with the parameter ``alpha`` in each of four wrappers."""
    pipeline = make_pipeline(StandardScaler(), ridge)
    step = pipeline.steps[-1][0]
    return {
        "pipeline": pipeline,
        "target": TransformedTargetRegressor(ridge, func=np.cbrt, inverse_func=lambda z: z**3),
        "search": GridSearchCV(pipeline, {f"{step}__alpha": [0.1, 1.0]}, scoring="r2", cv=3),
        "outputs": MultiOutputRegressor(ridge),
    }


def fails(error, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except error:
        return True
    return False


class Interrupted(Ridge):
    """A ridge whose fit is interrupted once `now` is set."""

    now = False

    def fit(self, X, y, sample_weight=None):  # noqa: D102
        if Interrupted.now:
            raise KeyboardInterrupt
        return super().fit(X, y, sample_weight)


def survives(fitted, act, X):
    """Whether predictions of a fitted estimator are what they were after an interrupted act."""
    before = fitted.predict(X)
    with patch.object(Interrupted, "now", True):
        if not fails(KeyboardInterrupt, act):
            raise AssertionError("the act never fits the estimator")
    return np.array_equal(fitted.predict(X), before)


def scikit_learn():
    from scipy.sparse import csr_array
    from sklearn.callback import CallbackSupportMixin
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import (
        LogisticRegression,
        RidgeClassifier,
        RidgeClassifierCV,
        RidgeCV,
    )
    from sklearn.metrics import r2_score
    from sklearn.model_selection import LearningCurveDisplay
    from sklearn.pipeline import Pipeline

    X, Y = rows()
    pipeline = make_pipeline(StandardScaler(), Interrupted()).fit(X, Y)
    search = GridSearchCV(Interrupted(), {"alpha": [0.1, 1.0]}).fit(X, Y)
    columns = make_column_transformer((StandardScaler(), [0, 1]), remainder="passthrough").fit(X)
    ridge = Ridge().fit(X, Y)
    wider = np.hstack([X, X])
    with patch("sklearn.linear_model._ridge._ridge_regression", side_effect=KeyboardInterrupt):
        half_fitted = fails(KeyboardInterrupt, ridge.fit, wider, Y)
    half_fitted = half_fitted and fails(ValueError, ridge.predict, X)
    sizes = learning_curve(Ridge(), X, Y, scoring="r2", cv=4)
    per_target = RidgeCV(alpha_per_target=True).fit(X, Y)
    labels = np.arange(len(X)) % 3
    counted = RidgeClassifierCV(alphas=[1.0], scoring="accuracy").fit(X, labels).best_score_
    without = [
        RidgeClassifier(1.0).fit(np.delete(X, i, 0), np.delete(labels, i)).predict(X[i : i + 1])[0]
        for i in range(len(X))
    ]
    return {
        "Ridge takes sparse X": hasattr(Ridge().fit(csr_array(X), Y), "coef_"),
        "RidgeCV finds an alpha for each target": np.shape(per_target.alpha_) == (2,),
        "RidgeCV keeps its best leave-one-out score": hasattr(per_target, "best_score_"),
        "RidgeClassifierCV keeps its leave-one-out accuracy": bool(
            np.isclose(counted, np.mean(without == labels))
        ),
        "RidgeCV is never asked for another number of samples": not asks_for_sizes(RidgeCV),
        "learning_curve takes sizes and no alphas": "train_sizes" in parameters(learning_curve)
        and "alphas" not in parameters(learning_curve),
        "LogisticRegression": callable(LogisticRegression),
        "no commands in a shell": not has_commands("scikit-learn", "sklearn"),
        "columns that came out have names": len(columns.get_feature_names_out()) == 5,
        "learning_curve measures R2 on every fold": np.shape(sizes[2]) == (5, 4),
        "scores for each target": np.shape(
            r2_score(Y, Ridge().fit(X, Y).predict(X), multioutput="raw_values")
        )
        == (2,),
        "wrappers predict": all(
            clone(each).fit(X, Y).predict(X).shape == Y.shape for each in wrapped(Ridge()).values()
        ),
        "diagram of a fitted ridge": "alpha" in Ridge().fit(X, Y)._repr_html_(),
        "callbacks of searches and pipelines, not of ridge": issubclass(
            GridSearchCV, CallbackSupportMixin
        )
        and issubclass(Pipeline, CallbackSupportMixin)
        and not issubclass(Ridge, CallbackSupportMixin),
        "an interrupted search stays as it was": survives(
            search, lambda: search.fit(X + 1.0, -Y), X
        ),
        "an interrupted pipeline is half fitted": not survives(
            pipeline, lambda: pipeline.fit(10.0 * X + 1.0, Y), X
        ),
        "an interrupted ridge is half fitted": half_fitted,
        "LearningCurveDisplay refits": "cv" in parameters(LearningCurveDisplay.from_estimator),
    }


def himalaya():
    from himalaya.backend import ALL_BACKENDS
    from himalaya.kernel_ridge import KernelRidgeCV
    from himalaya.ridge import BandedRidgeCV, Ridge, RidgeCV, solve_ridge_cv_svd
    from himalaya.scoring import correlation_score, r2_score
    from himalaya.viz import plot_alphas_diagnostic
    from scipy.sparse import csr_matrix
    from sklearn.base import BaseEstimator

    X, Y = rows()
    fitted = RidgeCV(alphas=[0.1, 10.0]).fit(X, Y)
    banded = BandedRidgeCV(
        groups=[0, 0, 1, 1, 1], solver_params={"n_iter": 2, "progress_bar": False}
    ).fit(X, Y)
    interrupted = RidgeCV().fit(X, Y)
    with patch.object(RidgeCV, "_call_solver", side_effect=KeyboardInterrupt):
        half_fitted = fails(KeyboardInterrupt, interrupted.fit, np.hstack([X, X]), Y)
    half_fitted = half_fitted and fails(ValueError, interrupted.predict, X)
    gaps = np.where(np.arange(5) == 0, np.nan, X)
    own_score = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]})
    return {
        "RidgeCV is a scikit-learn estimator": isinstance(fitted, BaseEstimator),
        "RidgeCV finds an alpha for each target": np.shape(fitted.best_alphas_) == (2,),
        "RidgeCV keeps cross-validation scores": np.shape(fitted.cv_scores_)[-1] == 2,
        "RidgeCV is never asked for another number of samples": not asks_for_sizes(RidgeCV),
        "BandedRidgeCV takes groups of features": "groups" in parameters(BandedRidgeCV),
        "backends on GPUs": {"torch_cuda", "cupy"} <= set(ALL_BACKENDS),
        "sparse rows in kernel ridge": hasattr(KernelRidgeCV().fit(csr_matrix(X), Y), "dual_coef_"),
        "no sparse rows in Ridge": fails(TypeError, Ridge().fit, csr_matrix(X), Y),
        "no commands in a shell": not has_commands("himalaya", "himalaya"),
        "gaps and words are refused": fails(ValueError, Ridge().fit, gaps, Y)
        and fails(ValueError, Ridge().fit, np.full_like(X, "a", dtype=object), Y),
        "R2 and correlation of each target": fitted.score(X, Y).shape
        == r2_score(Y, Y).shape
        == correlation_score(Y, Y).shape
        == (2,),
        "scikit-learn's learning_curve takes it": np.shape(
            learning_curve(RidgeCV(), X, Y, scoring="r2")[2]
        )
        == (5, 5),
        "an alpha for each target and group": np.shape(banded.deltas_) == (2, 2),
        "batches of targets": "n_targets_batch" in parameters(solve_ridge_cv_svd),
        "wrappers predict": all(
            clone(each).fit(X, Y).predict(X).shape == Y.shape for each in wrapped(Ridge()).values()
        ),
        "searches over several targets need a scoring": fails(ValueError, own_score.fit, X, Y),
        "bars of the banded search": "progress_bar"
        in parameters(BandedRidgeCV.ALL_SOLVERS["random_search"]),
        "an interrupted ridge is half fitted": half_fitted,
        "picture of the alphas": "best_alphas" in parameters(plot_alphas_diagnostic),
    }


def skore():
    import pandas as pd
    from skore import configuration, evaluate
    from skore._cli import cli
    from skrub import tabular_pipeline

    class Counted(Ridge):
        fits = 0

        def fit(self, X, y, sample_weight=None):
            Counted.fits += 1
            return super().fit(X, y, sample_weight)

    def public(part):
        return [name for name in dir(part) if not name.startswith("_")]

    bars = configuration.show_progress
    configuration.show_progress = False
    X, Y = rows()
    report, folds = evaluate(Counted(), X, Y), evaluate(Ridge(), X, Y, splitter=3)
    report.metrics.summarize()
    report.metrics.prediction_error()
    report.inspection.coefficients()
    fits_of_pictures = Counted.fits
    report.checks.summarize()
    frame = pd.DataFrame({"word": list("abc") * 20, "day": pd.date_range("2026", periods=60)})
    columns = tabular_pipeline(Ridge()).fit(frame, Y)
    kept = Interrupted().fit(X, Y)
    asked = [*public(report), *public(report.metrics), *public(report.inspection)]
    summary = report.metrics.summarize().frame()
    return {
        "commands are about projects, skills, the hub and agents": set(cli.commands)
        == {"agent", "hub", "skills", "sync"},
        "skrub tells the steps of every column": set(columns[0].all_processing_steps_)
        == {"word", "day"},
        "skrub turns dates into numbers": len(columns[0].get_feature_names_out()) > 4,
        "scores at once": {"r2", "rmse", "mae", "mape"} <= set(public(report.metrics)),
        "mean and scatter over folds": folds.metrics.summarize().frame().shape[1] == 2,
        "a line for each target and score": sum("r2" in str(name) for name in summary.index) == 2,
        "no learning curve": not any("curve" in name and "learn" in name for name in asked),
        "wrappers have reports": all(
            np.shape(evaluate(clone(each), X, Y).metrics.r2()) == (2,)
            for each in wrapped(Ridge()).values()
        ),
        "HTML and Markdown": "R²" in report._repr_html_() and "R²" in report.to_markdown(),
        "several models side by side": hasattr(
            evaluate({"a": Ridge(), "b": Ridge(10.0)}, X, Y), "reports_"
        ),
        "bars by default": bars,
        "interrupted, an estimator stays as it was": survives(
            kept, lambda: evaluate(kept, X + 1.0, -Y), X
        ),
        "pictures take one fit": fits_of_pictures == 1,
        "checks refit": Counted.fits > fits_of_pictures,
    }


def neural_tangents():
    import neural_tangents
    from neural_tangents import predict, stax

    layers = stax.serial(stax.Dense(8), stax.Relu(), stax.Dense(1))
    kernel = layers[2](rows()[0], None, ("nngp", "ntk"))
    public = [name for name in dir(predict) if not name.startswith("_")]
    asked = [name for name in public if callable(getattr(predict, name))]
    return {
        "kernels of infinitely wide networks": kernel.ntk.shape == (60, 60),
        "convolutions and attention": hasattr(stax, "Conv")
        and hasattr(stax, "GlobalSelfAttention"),
        "training dynamics": hasattr(predict, "gradient_descent_mse"),
        "Monte Carlo at finite width": hasattr(neural_tangents, "monte_carlo_kernel_fn"),
        "no test error at another number of samples": not any(
            "n_samples" in parameters(getattr(predict, name)) for name in asked
        ),
    }


PACKAGES = {
    "scikit-learn": scikit_learn,
    "himalaya": himalaya,
    "skore": skore,
    "neural-tangents": neural_tangents,
}


def main():
    found = {}
    for package, claims in PACKAGES.items():
        try:
            installed = version(package)
            importlib.import_module(claims.__name__.replace("scikit_learn", "sklearn"))
        except (PackageNotFoundError, ImportError):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found[f"{package} {installed}"] = {
                claim: bool(holds) for claim, holds in claims().items()
            }
    print(json.dumps({"benchmark": "comparison", "claims": found}))


if __name__ == "__main__":
    main()
