"""The features that both commands put a ridge on."""

from __future__ import annotations

import argparse
from typing import Any

from sklearn.preprocessing import StandardScaler

from sk_deepfeat.feature_maps import RandomDeepFeatures, TrainedDeepFeatures


def feature_steps(arguments: argparse.Namespace, *, scaled: bool) -> list[Any]:
    """Return the transformers between the data and the ridge, in order and unfitted.

    Parameters
    ----------
    arguments : argparse.Namespace
        ``features``, ``hidden_layer_sizes``, ``epochs`` and ``seed``.
    scaled : bool
        Whether the columns are standardised.

    Returns
    -------
    list of transformers
        Empty for ``--features none`` without scaling.
    """
    steps: list[Any] = [StandardScaler()] if scaled else []
    sizes, seed = tuple(arguments.hidden_layer_sizes), arguments.seed
    if arguments.features == "random":
        steps.append(RandomDeepFeatures(sizes, random_state=seed))
    elif arguments.features == "trained":
        steps.append(TrainedDeepFeatures(sizes, max_epochs=arguments.epochs, random_state=seed))
    return steps
