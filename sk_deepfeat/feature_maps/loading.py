"""Feature maps from files of arrays: what is read is checked, and no code is run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from sk_deepfeat.array_files import NpzFile
from sk_deepfeat.feature_maps.loaded_layers import (
    check_module_state,
    check_random,
    check_trained,
    described_network,
)
from sk_deepfeat.feature_maps.module_names import short_name
from sk_deepfeat.feature_maps.network_shape import check_activation
from sk_deepfeat.feature_maps.plain_values import from_plain
from sk_deepfeat.feature_maps.random_features import RandomDeepFeatures
from sk_deepfeat.feature_maps.saving import DESCRIBED, FORMAT, HEADER, MOST_HEADER, VERSION
from sk_deepfeat.feature_maps.trained_features import TrainedDeepFeatures

_CLASSES: dict[str, Any] = {
    "RandomDeepFeatures": RandomDeepFeatures,
    "TrainedDeepFeatures": TrainedDeepFeatures,
}
_PARTS = {"format", "version", "class", "parameters", "fitted"}


def load_features(
    path: Any,
    *,
    module: Any = None,
    module_params: dict[str, Any] | None = None,
    activation: Any = None,
    weight_covariance: Any = None,
    device: str | None = None,
) -> Any:
    """Return the feature map that its method ``save`` wrote to a file.

    The file holds arrays and plain values. Opening one from a stranger runs no code: its classes
    are those of this package, and what only code can make, such as a network of your own, must be
    handed over by you. A pickle, or a file of joblib, runs whatever code it holds.

    Parameters
    ----------
    path : str or path-like
        The file.
    module : class or callable, optional
        What `TrainedDeepFeatures` was fitted with; needed if it was.
    module_params, activation, weight_covariance : optional
        As the parameters; each is needed only where it was no plain value, such as a function or
        a class, and the message says so.
    device : str, optional
        Where torch computes from now on; None is where it did.

    Returns
    -------
    RandomDeepFeatures or TrainedDeepFeatures
        Fitted; it transforms to the same bits.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    TypeError
        If `path` is none.
    ValueError
        If the file is none of these or damaged, if code is needed that was not handed over, or
        what was handed over is not needed or does not fit the arrays.
    ImportError
        If a `module` is handed over and the extra is not installed.

    See Also
    --------
    sk_deepfeat.TrainedDeepFeatures : Its ``save`` makes the file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from sk_deepfeat.feature_maps import TrainedDeepFeatures, load_features
    >>> X = np.random.default_rng(0).standard_normal((50, 4))
    >>> network = TrainedDeepFeatures((8, 6), max_epochs=2, random_state=0).fit(X, X[:, 0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     network.save(Path(folder) / "network.npz")
    ...     again = load_features(Path(folder) / "network.npz")
    >>> bool(np.all(again.transform(X) == network.transform(X)))
    True
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"path={path!r} must be the name of a file.")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"path={os.fspath(path)!r} is no file.")
    handed = {
        "module": module,
        "module_params": module_params,
        "activation": activation,
        "weight_covariance": weight_covariance,
    }
    handed = {name: value for name, value in handed.items() if value is not None}
    try:
        header, arrays = _read(Path(path))
        _require_handed(_asked_for(header), handed)
        estimator = _made(header, arrays, handed, device)
    except OSError:
        raise
    except Exception as error:  # whatever a stranger has put in the place of values
        said = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ValueError(
            f"path={os.fspath(path)!r} cannot be loaded: {said.rstrip('.')}."
        ) from error
    if estimator.get_params(deep=False).get("module") is not None:
        check_module_state(estimator)
    return estimator


def _read(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    with NpzFile(path) as file:
        if HEADER not in file.names:
            raise ValueError("it was not written by save of a feature map")
        encoded = file.read(HEADER)
        if encoded.dtype.str != "|u1" or encoded.ndim != 1 or encoded.size > MOST_HEADER:
            raise ValueError("its header is no text")
        try:
            header = json.loads(encoded.tobytes().decode("ascii"))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"its header is no JSON: {error}") from error
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise ValueError("it was not written by save of a feature map")
        if header.get("version") != VERSION:
            raise ValueError(
                f"its format is version {header.get('version')!r:.20}, and this release reads "
                f"version {VERSION}: update sk-deepfeat"
            )
        if set(header) != _PARTS or header["class"] not in list(_CLASSES):
            raise ValueError(f"its class is none of {', '.join(_CLASSES)}, or parts are missing")
        return header, {name: file.read(name) for name in file.names if name != HEADER}


def _asked_for(plain: Any) -> dict[str, str]:
    """Return what must be handed over, and what it was called."""
    if isinstance(plain, dict) and set(plain) == {"handed", "named"}:
        return {str(plain["handed"]): str(plain["named"])}
    found: dict[str, str] = {}
    for item in plain.values() if isinstance(plain, dict) else plain:
        if isinstance(item, dict | list):
            found |= _asked_for(item)
    return found


def _require_handed(asked: dict[str, str], handed: dict[str, Any]) -> None:
    if missing := [name for name in asked if name not in handed]:
        was = " and ".join(f"{name}={asked[name]:.60}" for name in missing)
        arguments = ", ".join(f"{name}=..." for name in missing)
        raise ValueError(
            f"it was fitted with {was}, which is code, and files hold none; hand it over: "
            f"load_features(path, {arguments})"
        )
    if extra := [f"{name}={short_name(handed[name])}" for name in handed if name not in asked]:
        raise ValueError(
            f"{' and '.join(extra)} is not needed, since the file has it or was fitted without; "
            "leave it out"
        )


def _made(
    header: dict[str, Any], arrays: dict[str, Any], handed: dict[str, Any], device: str | None
) -> Any:
    def value_of(name: str, plain: Any) -> Any:
        parameter = DESCRIBED.get(name, name)
        if isinstance(plain, dict) and plain.get("handed") == parameter:
            return handed[parameter]
        return from_plain(plain, arrays)

    kind = _CLASSES[header["class"]]
    params = {name: value_of(name, plain) for name, plain in header["parameters"].items()}
    if unknown := set(params) - set(kind().get_params()):
        raise ValueError(f"{kind.__name__} has no parameter {min(unknown)!r:.60}")
    fitted = dict(header["fitted"])
    if unknown := set(fitted) - set(kind._kept_attributes):
        raise ValueError(f"{kind.__name__} keeps no {min(unknown)!r:.60}")
    trained = kind is TrainedDeepFeatures
    described = fitted.pop("_spec") if trained else {}
    spec = {name: value_of(name, plain) for name, plain in described.items()}
    if device is not None:
        if not trained:
            raise ValueError(f"device={device!r} is not needed: {kind.__name__} is numpy's")
        params["device"] = spec["device"] = device
    values = {name: value_of(name, plain) for name, plain in fitted.items()}
    place = spec if trained else values
    name = "activation" if trained else "_activation"
    if place[name] is not None:
        place[name] = check_activation(place[name])
    if trained:
        values["_spec"] = described_network(spec)
        check_trained(values)
    else:
        check_random(values)
        values["_single_precision"] = {}
    estimator = kind(**params)
    vars(estimator).update(values)
    return estimator
