"""What a command found as one JSON object on standard output."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sk_deepfeat.command_line.data import Data
from sk_deepfeat.command_line.headline import Headline
from sk_deepfeat.command_line.model import features_of
from sk_deepfeat.report.visible_text import visible


def print_json(found: Mapping[str, Any]) -> None:
    """Print strict JSON: what is not finite is null."""
    print(visible(json.dumps(_plain(found), allow_nan=False, ensure_ascii=False)))


def described(arguments: argparse.Namespace, data: Data, headline: Headline) -> dict[str, Any]:
    """Return the parts that both commands have: the data, and the answers in a few numbers."""
    needs = [
        {"error": goal, "n_samples": needed, "answer": _answer(needed)}
        for goal, needed in headline.required
    ]
    classes = np.unique(data.y).tolist() if data.of_classes else None
    return {
        "command": arguments.command,
        "data": arguments.data,
        "target": data.target,
        "classes": classes,
        "features": features_of(arguments, data),
        "population": arguments.population,
        "columns": [column._asdict() for column in data.columns],
        "notes": data.notes,
        "n_rows": len(data.y),
        "metric": headline.metric,
        "n_samples": headline.n_samples,
        "n_groups": headline.n_groups,
        "n_features": headline.n_features,
        "alpha": headline.alpha,
        "predicted_error": headline.error,
        "interval": [headline.lower, headline.upper],
        "root_error": headline.root[0],
        "root_error_interval": headline.root[1:],
        "r2": headline.r2[0],
        "r2_interval": headline.r2[1:],
        "baseline_error": headline.baseline,
        "best_alpha": headline.best_alpha,
        "best_error": headline.best_error,
        "required_samples": needs,
    }


def _answer(needed: float) -> str:
    if np.isnan(needed):
        return "unknown"
    return "never" if np.isinf(needed) else "known"


def _plain(value: Any) -> Any:
    """Return what JSON has: no arrays, no NumPy scalars, nothing that is not finite."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
