"""The features that both commands put a ridge on."""

from __future__ import annotations

import argparse
from typing import Any

from sklearn.preprocessing import StandardScaler

from sk_deepfeat.feature_maps import RandomDeepFeatures, TrainedDeepFeatures


def feature_steps(arguments: argparse.Namespace, *, is_table: bool) -> list[Any]:
    """Return the transformers between the data and the ridge, in order and unfitted.

    The columns of a table have units of their own, and are standardised: without that, the column
    of the largest numbers drowns the others. Images share one unit and are taken as they are, so
    that their margins, which hardly vary, are not blown up.

    Parameters
    ----------
    arguments : argparse.Namespace
        ``features``, ``hidden_layer_sizes``, ``epochs`` and ``seed``.
    is_table : bool
        Whether the data are a table.

    Returns
    -------
    list of transformers
        Empty for ``--features none`` on images.
    """
    steps: list[Any] = [StandardScaler()] if is_table else []
    sizes, seed = tuple(arguments.hidden_layer_sizes), arguments.seed
    if arguments.features == "random":
        steps.append(RandomDeepFeatures(sizes, random_state=seed))
    elif arguments.features == "trained":
        steps.append(TrainedDeepFeatures(sizes, max_epochs=arguments.epochs, random_state=seed))
    return steps
