"""The model of both commands: columns to numbers, features, and a ridge."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_deepfeat.command_line.columns import column_transformer
from sk_deepfeat.command_line.data import Data
from sk_deepfeat.compose import TwoStageClassifier, TwoStageRegressor
from sk_deepfeat.feature_maps import RandomDeepFeatures, TrainedDeepFeatures
from sk_deepfeat.linear_model import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
)

FEATURE_SHARE = 0.25  # of the rows, where features learn from others than the ridge


def features_of(arguments: argparse.Namespace, data: Data) -> str:
    """Return which features to put the ridge on: "auto" is none for tables, trained for images."""
    if arguments.features != "auto":
        return str(arguments.features)
    return "none" if data.is_table else "trained"


def feature_map_of(arguments: argparse.Namespace, data: Data) -> Pipeline:
    """Return what stands between the data and the ridge, unfitted.

    The columns of a table have units of their own: missing numbers are filled, numbers scaled,
    categories one-hot. Images share one unit and are taken as they are, so that their margins,
    which hardly vary, are not blown up.

    Parameters
    ----------
    arguments : Namespace
        ``features``, ``hidden_layer_sizes``, ``epochs`` and ``seed``.
    data : Data
        What it will be fitted on rows of.
    """
    steps: list[Any] = _columns_to_numbers(data)
    sizes, seed = tuple(arguments.hidden_layer_sizes), arguments.seed
    features = features_of(arguments, data)
    if features == "random":
        steps.append(RandomDeepFeatures(sizes, random_state=seed))
    elif features == "trained":
        steps.append(TrainedDeepFeatures(sizes, max_epochs=arguments.epochs, random_state=seed))
    return make_pipeline(*steps or ["passthrough"])


def _columns_to_numbers(data: Data) -> list[Any]:
    if data.columns:
        return [column_transformer(data.columns, len(data.y))]
    if not data.is_table:
        return []
    steps: list[Any] = [StandardScaler()]
    if data.X.dtype.kind == "f" and np.any(np.isnan(data.X)):
        filler = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        steps.insert(0, filler)
    return steps


def ridge_of(data: Data, alpha: Any, population: Any) -> Any:
    """Return the ridge for numbers or for classes, unfitted."""
    kind: Any = DeterministicEquivalentRidge
    if data.of_classes:
        kind = DeterministicEquivalentRidgeClassifier
    return kind(alpha, population=population)


def model_of(arguments: argparse.Namespace, data: Data) -> Any:
    """Return features and ridge, on disjoint rows if the features learn from the targets."""
    feature_map = feature_map_of(arguments, data)
    ridge = ridge_of(data, arguments.alpha, arguments.population)
    if features_of(arguments, data) == "trained":
        stages = TwoStageClassifier if data.of_classes else TwoStageRegressor
        return stages(feature_map, ridge, feature_size=FEATURE_SHARE, random_state=arguments.seed)
    steps = [step for step in feature_map.named_steps.values() if step != "passthrough"]
    return make_pipeline(*steps, ridge)


def fit_model(model: Any, data: Data) -> Any:
    """Fit with groups and weights where there are any: a pipeline hands them to its last step."""
    before = f"{model.steps[-1][0]}__" if isinstance(model, Pipeline) else ""
    of_rows = {"groups": data.groups, "sample_weight": data.weights}
    given = {f"{before}{name}": value for name, value in of_rows.items() if value is not None}
    return model.fit(data.X, data.y, **given)


def check_population(arguments: argparse.Namespace, data: Data) -> None:
    """Raise ValueError if the population cannot tell error rates, or the error on new groups."""
    if data.of_classes and arguments.population != "leave-one-out":
        raise ValueError(
            f"--population {arguments.population} does not tell error rates of classes; "
            "leave-one-out, the default, does. With --task regression y is taken for numbers."
        )
    if arguments.groups is not None and arguments.population != "leave-one-out":
        raise ValueError(
            f"--groups {arguments.groups}: --population {arguments.population} takes rows to be "
            "independent; leave-one-out, the default, does not."
        )
