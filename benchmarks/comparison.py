"""What scikit-learn, himalaya and neural-tangents have, asked of the installed packages.

Prints one line of JSON with the versions and, for each claim of docs/comparison.rst that code can
check, whether it holds; packages that are not installed are left out. neural-tangents 0.6.5 needs
an environment of its own: pip install neural-tangents jax==0.4.30 jaxlib==0.4.30 tf2jax==0.3.6
"""

from __future__ import annotations

import importlib
import inspect
import json
from importlib.metadata import PackageNotFoundError, version

import numpy as np


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


def scikit_learn():
    from scipy.sparse import csr_array
    from sklearn.linear_model import (
        LogisticRegression,
        Ridge,
        RidgeClassifier,
        RidgeClassifierCV,
        RidgeCV,
    )
    from sklearn.model_selection import learning_curve

    X, Y = rows()
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
    }


def himalaya():
    from himalaya.backend import ALL_BACKENDS
    from himalaya.ridge import BandedRidgeCV, RidgeCV
    from sklearn.base import BaseEstimator

    X, Y = rows()
    fitted = RidgeCV(alphas=[0.1, 10.0]).fit(X, Y)
    return {
        "RidgeCV is a scikit-learn estimator": isinstance(fitted, BaseEstimator),
        "RidgeCV finds an alpha for each target": np.shape(fitted.best_alphas_) == (2,),
        "RidgeCV keeps cross-validation scores": np.shape(fitted.cv_scores_)[-1] == 2,
        "RidgeCV is never asked for another number of samples": not asks_for_sizes(RidgeCV),
        "BandedRidgeCV takes groups of features": "groups" in parameters(BandedRidgeCV),
        "backends on GPUs": {"torch_cuda", "cupy"} <= set(ALL_BACKENDS),
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
        found[f"{package} {installed}"] = {claim: bool(holds) for claim, holds in claims().items()}
    print(json.dumps({"benchmark": "comparison", "claims": found}))


if __name__ == "__main__":
    main()
