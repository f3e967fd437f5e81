"""The command ``curve``: predicted against measured test error over n and alpha."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline

from sk_deepfeat.command_line.curve_output import check_folder, print_curve, write_curve
from sk_deepfeat.command_line.data import Data, load
from sk_deepfeat.command_line.extras import require_plot
from sk_deepfeat.command_line.features import feature_steps
from sk_deepfeat.linear_model import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
)
from sk_deepfeat.model_selection import four_way_split, ridge_learning_curve
from sk_deepfeat.populations import PlugInPopulation
from sk_deepfeat.rows import check_groups, deal_groups

_FEATURE_SHARE = 0.25  # of the rows; `four_way_split` sets as many aside
_MEASURED_ROWS, _MEASURED_GROUPS = 100, 2
_SIZES = (25, 50, 100, 200, 400, 800, 1200, 2000, 4000, 10_000)


class Stages(NamedTuple):
    """A feature map, the features and targets of rows it has not seen, and the ridge for them."""

    feature_map: Pipeline
    features: NDArray[Any]
    targets: NDArray[Any]
    ridge: DeterministicEquivalentRidge | DeterministicEquivalentRidgeClassifier
    groups: NDArray[Any] | None = None


def run_curve(arguments: argparse.Namespace) -> int:
    """Compute the curve, write and print it, and return the exit status 0."""
    output = Path(arguments.output)
    check_folder(output)  # all three before the long run
    data = load(arguments.data, arguments.data_home, groups=arguments.groups, task=arguments.task)
    check_population(arguments, data)
    require_plot()
    stages = fit_features(arguments, data)
    sizes, left = _train_sizes(arguments.train_sizes, stages)
    result = ridge_learning_curve(
        stages.ridge,
        stages.features,
        stages.targets,
        train_sizes=sizes,
        alphas=arguments.alphas,
        n_repeats=arguments.repeats,
        test_size=left,
        groups=stages.groups,
        n_jobs=arguments.n_jobs,
        random_state=arguments.seed,
        verbose=int(sys.stderr.isatty()),
    )
    write_curve(result, output)
    print_curve(result, arguments.groups, np.unique(stages.targets) if data.of_classes else None)
    return 0


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


def fit_features(arguments: argparse.Namespace, data: Data) -> Stages:
    """Fit the features on some rows, and a plug-in population on others; return what is outside."""
    seen, outside, covariance = _split(arguments, len(data.y), data.groups)
    steps = feature_steps(arguments, is_table=data.is_table) or ["passthrough"]
    feature_map = make_pipeline(*steps).fit(data.X[seen], data.y[seen])
    population = arguments.population
    if population == "plug-in":
        moments = feature_map.transform(data.X[covariance]), data.y[covariance]
        population = FrozenEstimator(PlugInPopulation().fit(*moments))
    ridge = DeterministicEquivalentRidge(population=population)
    if data.of_classes:
        ridge = DeterministicEquivalentRidgeClassifier(population=population)
    return Stages(
        feature_map,
        feature_map.transform(data.X[outside]),
        data.y[outside],
        ridge,
        None if data.groups is None else data.groups[outside],
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
    outside, seen = train_test_split(rows, test_size=_FEATURE_SHARE, random_state=seed)
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
    ends = _FEATURE_SHARE * codes.size, codes.size
    rng = np.random.RandomState(arguments.seed)
    seen, outside = deal_groups(codes, ends, (1, fewest), rng)
    return np.sort(seen), np.sort(outside)


def _train_sizes(wanted: list[int] | None, stages: Stages) -> tuple[list[int], int]:
    """Return training sizes that were asked for, or the default's, and what is left to measure on.

    They count rows, or groups where there are any.
    """
    n_rows = count = len(stages.targets)
    left, sizes, unit = _MEASURED_ROWS, list(_SIZES), "rows"
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
