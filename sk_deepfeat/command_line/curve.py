"""The command ``curve``: predicted against measured test error over n and alpha."""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline

from sk_deepfeat.command_line.curve_output import (
    as_mapping,
    check_folder,
    print_curve,
    write_curve,
)
from sk_deepfeat.command_line.data import Data, load
from sk_deepfeat.command_line.extras import require_plot
from sk_deepfeat.command_line.headline import headline_of
from sk_deepfeat.command_line.json_output import described, print_json
from sk_deepfeat.command_line.messages import print_notes
from sk_deepfeat.command_line.model import (
    FEATURE_SHARE,
    check_population,
    feature_map_of,
    ridge_of,
)
from sk_deepfeat.command_line.progress import patience
from sk_deepfeat.linear_model import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
)
from sk_deepfeat.model_selection import RidgeLearningCurve, four_way_split, ridge_learning_curve
from sk_deepfeat.model_selection.kept_cells import kept_in
from sk_deepfeat.populations import PlugInPopulation
from sk_deepfeat.rows import check_groups, deal_groups

_MEASURED_ROWS, _MEASURED_GROUPS = 100, 2
_MEASURED_SHARE = 3  # of few rows, one in three is left to measure on
_SIZES = (25, 50, 100, 200, 400, 800, 1200, 2000, 4000, 10_000)
_DECADES = np.arange(-2, 3)  # of the default alphas, about the best one


class Stages(NamedTuple):
    """A feature map, what belongs to rows that it has not seen, and the ridge for them."""

    feature_map: Pipeline
    features: NDArray[Any]
    targets: NDArray[Any]
    ridge: DeterministicEquivalentRidge | DeterministicEquivalentRidgeClassifier
    groups: NDArray[Any] | None = None
    weights: NDArray[Any] | None = None


def run_curve(arguments: argparse.Namespace) -> int:
    """Compute the curve, write and print it, and return the exit status 0."""
    output = Path(arguments.output)
    check_folder(output)  # all four before the long run
    kept_in(arguments.memory)
    with patience(f"reading {arguments.data}"):
        data = load(arguments)
    check_population(arguments, data)
    require_plot()
    print_notes(data)
    with patience("fitting the features"):
        stages = fit_features(arguments, data)
    sizes, left = _train_sizes(arguments.train_sizes, stages)
    with patience("fitting the ridge"):
        ridge = stages.ridge.fit(
            stages.features, stages.targets, stages.weights, groups=stages.groups
        )
        headline = headline_of(ridge, arguments.targets, quickly=True)
    alphas = arguments.alphas or default_alphas(ridge)
    result = _measured(arguments, stages, sizes, alphas, left)
    try:
        write_curve(result, output)
    finally:  # whatever the disk does, the numbers are not lost
        if arguments.json:
            curve = as_mapping(result, output)
            print_json({**described(arguments, data, headline), **curve})
        else:
            print_curve(result, headline, data, arguments.groups)
    return 0


def default_alphas(ridge: Any) -> list[float]:
    """Return powers of ten about the best alpha, from the spectrum of the features.

    Parameters
    ----------
    ridge : DeterministicEquivalentRidge or its classifier
        Fitted with the best alpha. Where that is zero or unknown, the mean eigenvalue of the Gram
        matrix of the features takes its place; where it is larger than their sum, which leaves
        hardly more than the mean, the sum.
    """
    total = ridge.error_predictor_.feature_scale * ridge.n_samples_ or 1.0
    best = float(ridge.alpha_)
    middle = min(best, total) if best > 0.0 else total / ridge.n_features_in_
    return [float(f"1e{round(np.log10(middle)) + decade}") for decade in _DECADES]


def _measured(
    arguments: argparse.Namespace,
    stages: Stages,
    sizes: list[int],
    alphas: list[float],
    left: int,
) -> RidgeLearningCurve:
    """Return the curve; raise KeyboardInterrupt where a part of it was left out."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Interrupted after", RuntimeWarning)
        try:
            return ridge_learning_curve(
                stages.ridge,
                stages.features,
                stages.targets,
                train_sizes=sizes,
                alphas=alphas,
                n_repeats=arguments.repeats,
                test_size=left,
                groups=stages.groups,
                sample_weight=stages.weights,
                n_jobs=arguments.n_jobs,
                random_state=arguments.seed,
                verbose=int(sys.stderr.isatty()),
                memory=arguments.memory,
            )
        except RuntimeWarning as interruption:
            how_far = str(interruption).split(";")[0].removeprefix("Interrupted ")
            raise KeyboardInterrupt(how_far) from interruption


def fit_features(arguments: argparse.Namespace, data: Data) -> Stages:
    """Fit the features on some rows, and a plug-in population on others; return what is outside."""
    seen, outside, covariance = _split(arguments, len(data.y), data.groups)
    X = data.X if isinstance(data.X, np.ndarray) else data.X.iloc
    feature_map = feature_map_of(arguments, data).fit(X[seen], data.y[seen])
    population = arguments.population
    if population == "plug-in":
        moments = feature_map.transform(X[covariance]), data.y[covariance]
        weights = None if data.weights is None else data.weights[covariance]
        population = FrozenEstimator(PlugInPopulation().fit(*moments, sample_weight=weights))
    return Stages(
        feature_map,
        feature_map.transform(X[outside]),
        data.y[outside],
        ridge_of(data, "optimal", population),
        None if data.groups is None else data.groups[outside],
        None if data.weights is None else data.weights[outside],
    )


def _split(
    arguments: argparse.Namespace, n_rows: int, groups: NDArray[Any] | None
) -> tuple[NDArray[np.intp], ...]:
    """Return the rows for the features, for ridge and measuring, and for the plug-in's moments."""
    rows, seed = np.arange(n_rows), arguments.seed
    if groups is not None:
        return *_split_groups(arguments, check_groups(groups, n_rows, warn=False)), rows[:0]
    if arguments.population == "plug-in":
        test, seen, readout, covariance = four_way_split(rows, random_state=seed)
        return seen, np.concatenate([readout, test]), covariance
    outside, seen = train_test_split(rows, test_size=FEATURE_SHARE, random_state=seed)
    return seen, outside, rows[:0]


def _split_groups(
    arguments: argparse.Namespace, codes: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of some groups for the features, and of the others for ridge and measuring.

    Three of the others are the least: one to fit on, two to measure on.
    """
    n_groups, fewest = int(codes.max()) + 1, 1 + _MEASURED_GROUPS
    if n_groups <= fewest:
        raise ValueError(
            f"--groups {arguments.groups} names {n_groups} groups; at least {fewest + 1} are "
            "needed: for the features, to fit on, and two to measure on."
        )
    ends = FEATURE_SHARE * codes.size, codes.size
    rng = np.random.RandomState(arguments.seed)
    seen, outside = deal_groups(codes, ends, (1, fewest), rng)
    return np.sort(seen), np.sort(outside)


def _train_sizes(wanted: list[int] | None, stages: Stages) -> tuple[list[int], int]:
    """Return training sizes that were asked for, or the default's, and what is left to measure on.

    They count rows, or groups where there are any.
    """
    n_rows = count = len(stages.targets)
    left, sizes, unit = min(_MEASURED_ROWS, n_rows // _MEASURED_SHARE), list(_SIZES), "rows"
    if stages.groups is not None:
        count, unit = len(np.unique(stages.groups)), "groups"
        left = max(round(_MEASURED_ROWS * count / n_rows), _MEASURED_GROUPS)
        left = min(left, max(count // 2, _MEASURED_GROUPS))
        sizes = sorted({max(round(size * count / n_rows), 2) for size in _SIZES})
    largest = count - left
    if wanted is None:
        return [size for size in sizes if size <= largest] or [largest], left
    if max(wanted) > largest:
        raise ValueError(
            f"--train-sizes go up to {max(wanted)}, but of the {count} {unit} that the features "
            f"have not seen at least {left} stay outside for measuring; the largest size is "
            f"{largest}."
        )
    return wanted, left
