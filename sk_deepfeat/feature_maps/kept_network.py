"""What a fitted network is, when it is copied, pickled, or shown to a callback."""

from __future__ import annotations

from typing import Any, Self

from sk_deepfeat.feature_maps.by_value import picklable_values

# Parameters in which users hold functions and classes of their own.
_HELD = ("module", "module_params")


class KeptNetworkMixin:
    """A network that is described by ``_spec`` and whose weights are ``_state``.

    Functions and classes that pickle does not find by a name, such as lambdas, are pickled as
    their code.
    """

    _spec: Any
    _state: Any

    def _fitted_attributes(self) -> dict[str, Any]:
        params = self.get_params(deep=False)  # type: ignore[attr-defined]
        return {name: value for name, value in self.__dict__.items() if name not in params}

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_state")

    def __copy__(self) -> Self:
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    def __getstate__(self) -> dict[str, Any]:
        kept: Any = super().__getstate__()
        state = dict(kept)
        state.update(picklable_values(state, _HELD))
        if "_spec" in state:
            held = picklable_values(self._spec._asdict(), _HELD)
            state["_spec"] = self._spec._replace(**held)
        return state
