"""Feature maps as files of arrays, which hold no code and run none."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.array_files import save_npz
from sk_deepfeat.feature_maps.module_names import short_name
from sk_deepfeat.feature_maps.plain_values import NeedsCode, to_plain

FORMAT, VERSION, HEADER = "sk_deepfeat features", 1, "header"
MOST_HEADER = 2**26  # bytes
# Parameters in which users hand over functions and classes of their own.
CODE = ("module", "module_params", "activation", "weight_covariance")
# Fitted attributes whose values are described by these parameters.
DESCRIBED = {"_activation": "activation"}


class SavedFeaturesMixin:
    """A feature map that can be saved: its parameters, and ``_kept_attributes`` of the fit."""

    _kept_attributes: tuple[str, ...] = ()

    def save(self, path: Any) -> None:
        """Save the fitted feature map as arrays and plain values, without any code.

        `sk_deepfeat.feature_maps.load_features` makes the same feature map again. A pickle, or a
        file of joblib, runs the code that it holds when it is opened; this file has none.

        Parameters
        ----------
        path : str or path-like
            The file, an .npz archive that `numpy.load` opens, too; an existing one is replaced.

        Raises
        ------
        NotFittedError
            Before `fit`.
        TypeError
            If a parameter is no plain value, such as a number, a string or an array, and none of
            those that `load_features` takes.
        ValueError
            If `module` was changed after `fit`.
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from sk_deepfeat.feature_maps import RandomDeepFeatures, load_features
        >>> X = np.random.default_rng(0).standard_normal((5, 3))
        >>> feature_map = RandomDeepFeatures((20, 10), random_state=0).fit(X)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     feature_map.save(Path(folder) / "map.npz")
        ...     again = load_features(Path(folder) / "map.npz")
        >>> bool(np.all(again.transform(X) == feature_map.transform(X)))
        True
        """
        check_is_fitted(self)
        params = self.get_params(deep=False)  # type: ignore[attr-defined]
        arrays: dict[str, NDArray[Any]] = {}
        fitted = {name: vars(self)[name] for name in self._kept_attributes if name in vars(self)}
        if "_spec" in fitted:
            spec = fitted["_spec"]
            if spec.module is not params["module"]:
                raise ValueError("module was changed after fit: fit again, and save then.")
            fitted["_spec"] = {
                name: _kept(name, value, f"spec/{name}", arrays)
                for name, value in spec._asdict().items()
            }
        header = {
            "format": FORMAT,
            "version": VERSION,
            "class": type(self).__name__,
            "parameters": {
                name: _kept(name, value, f"parameters/{name}", arrays)
                for name, value in params.items()
            },
            "fitted": {
                name: value if name == "_spec" else _kept(name, value, f"fitted/{name}", arrays)
                for name, value in fitted.items()
            },
        }
        encoded = json.dumps(header).encode("ascii")
        if len(encoded) > MOST_HEADER:
            raise ValueError(f"its parameters and names take more than {MOST_HEADER:,} bytes.")
        save_npz(path, {HEADER: np.frombuffer(encoded, np.uint8), **arrays})


def _kept(name: str, value: Any, place: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """Return a value as JSON, or which parameter of `load_features` it must be handed over by."""
    found: dict[str, NDArray[Any]] = {}
    try:
        plain = to_plain(value, place, found)
    except NeedsCode as error:
        parameter = DESCRIBED.get(name, name)
        if parameter not in CODE:
            raise TypeError(
                f"{name}={value!r} cannot be saved ({error}): give a number, a string or an array."
            ) from error
        return {"handed": parameter, "named": short_name(getattr(value, "function", value))}
    arrays.update(found)
    return plain
