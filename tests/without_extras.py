"""A process without any extra: the main job, and what each call that needs an extra says.

Run by `test_without_extras`, with a folder to write to; prints one JSON object.
"""

import contextlib
import io
import json
import sys
import warnings
from pathlib import Path


class Absent:
    """Refuse the extras, and what comes with them, as where they are not installed."""

    extras = ("torch", "torchvision", "skorch", "matplotlib", "pandas", "dask", "distributed")
    extras += ("pyarrow", "polars", "h5py", "zarr")

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.extras:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Absent())

import numpy as np  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402

from sk_deepfeat import (  # noqa: E402
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
    RandomDeepFeatures,
    TrainedDeepFeatures,
    TwoStageRegressor,
)
from sk_deepfeat.__main__ import main  # noqa: E402
from sk_deepfeat.compose import fit_in_blocks  # noqa: E402
from sk_deepfeat.datasets import load_mnist_parity  # noqa: E402
from sk_deepfeat.feature_maps import load_features  # noqa: E402
from sk_deepfeat.model_selection import (  # noqa: E402
    CalibrationCheckDisplay,
    ErrorDecompositionDisplay,
    ErrorSurfaceDisplay,
    RidgeLearningCurveDisplay,
    SpectrumDisplay,
    TrainingDynamicsDisplay,
    ridge_learning_curve,
)
from sk_deepfeat.report import write_report  # noqa: E402

warnings.simplefilter("ignore")
FOLDER = Path(sys.argv[1])
X = np.random.default_rng(0).normal(size=(80, 6))
Y = X[:, 0] + np.random.default_rng(1).normal(size=80)


def main_job():
    """Features, ridge, its error at other sizes, the check, a measured curve, and blocks."""
    features = RandomDeepFeatures((20,), random_state=0)
    ridge = DeterministicEquivalentRidge("optimal")
    model = make_pipeline(features, ridge).fit(X, Y)
    assert np.isfinite(model[-1].predict_test_error(200, return_interval=True)).all()
    assert model[-1].calibration_check().ratio.size
    curve = ridge_learning_curve(
        model, X, Y, train_sizes=[20, 40], alphas=[1.0], n_repeats=2, random_state=0
    )
    assert np.isfinite(curve.measured).all() and np.isfinite(curve.predicted).any()
    TwoStageRegressor(features, ridge, random_state=0).fit(X, Y)
    classifier = DeterministicEquivalentRidgeClassifier().fit(X, Y > 0)
    assert 0 <= classifier.predict_test_error(metric="error_rate") <= 1
    GridSearchCV(ridge, {"population": ["gcv", "plug-in"]}, cv=2).fit(X, Y)
    np.save(FOLDER / "X.npy", X)
    np.save(FOLDER / "y.npy", Y)
    fit_in_blocks(model, FOLDER / "X.npy", FOLDER / "y.npy")
    model[0].save(FOLDER / "map.npz")
    assert np.array_equal(load_features(FOLDER / "map.npz").transform(X), model[0].transform(X))
    return model, curve


MODEL, CURVE = main_job()
RIDGE = MODEL[-1]
np.savez(FOLDER / "data.npz", X=X, y=Y)
(FOLDER / "data.csv").write_text("a,b\n1,2\n", encoding="utf-8")


def command(*words):
    """Return what a command says on standard error."""
    with contextlib.redirect_stderr(io.StringIO()) as said:
        status = main([*words, "--output", str(FOLDER / "out")])
    assert status == 2, words
    raise ImportError(said.getvalue())


CALLS = {
    "[torch] TrainedDeepFeatures.fit": lambda: TrainedDeepFeatures().fit(X, Y),
    "[torch] load_mnist_parity": lambda: load_mnist_parity(data_home=FOLDER, download=True),
    "[plot] RidgeLearningCurve.to_frame": lambda: CURVE.to_frame(),
    "[plot] RidgeLearningCurveDisplay": lambda: RidgeLearningCurveDisplay.from_result(CURVE),
    "[plot] .from_fitted": lambda: RidgeLearningCurveDisplay.from_fitted(RIDGE),
    "[plot] ErrorSurfaceDisplay": lambda: ErrorSurfaceDisplay.from_fitted(RIDGE),
    "[plot] ErrorDecompositionDisplay": lambda: ErrorDecompositionDisplay.from_fitted(RIDGE),
    "[plot] SpectrumDisplay": lambda: SpectrumDisplay.from_fitted(RIDGE),
    "[plot] CalibrationCheckDisplay": lambda: CalibrationCheckDisplay.from_fitted(RIDGE),
    "[plot] TrainingDynamicsDisplay": lambda: TrainingDynamicsDisplay.from_predictions(
        [0, 1], [50], [[2.0], [1.0]]
    ),
    "[plot] write_report": lambda: write_report(RIDGE, FOLDER / "page.html"),
    "[plot] sk_deepfeat report": lambda: command("report", str(FOLDER / "data.npz")),
    "[plot] sk_deepfeat curve": lambda: command("curve", str(FOLDER / "data.npz")),
    "[tables] sk_deepfeat report": lambda: command("report", str(FOLDER / "data.csv")),
    "[tables] Parquet": lambda: fit_in_blocks(MODEL, FOLDER / "rows.parquet", "y"),
    "pip install zarr": lambda: fit_in_blocks(MODEL, FOLDER / "rows.zarr", Y),
}


def said_by(call):
    try:
        call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


(FOLDER / "rows.zarr").mkdir()
print(json.dumps({name: said_by(call) for name, call in CALLS.items()}))
