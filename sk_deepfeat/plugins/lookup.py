"""Find plugins by name: built-in table, entry points of installed packages, registrations.

Listing names imports nothing. Resolving a name imports that plugin alone.
"""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points
from typing import Any

from sk_deepfeat.plugins.protocols import REQUIRED, check_kind

KINDS = tuple(REQUIRED)

# The same strings stand in pyproject.toml as entry points; here they serve a source tree that has
# not been installed. tests/plugins holds the two equal.
BUILT_IN: dict[str, dict[str, str]] = {
    "feature_maps": {
        "random": "sk_deepfeat.feature_maps:RandomDeepFeatures",
        "trained": "sk_deepfeat.feature_maps:TrainedDeepFeatures",
    },
    "populations": {
        "plug-in": "sk_deepfeat.populations:PlugInPopulation",
        "gcv": "sk_deepfeat.populations:GCVPopulation",
        "leave-one-out": "sk_deepfeat.populations:LeaveOneOutPopulation",
        "lanczos": "sk_deepfeat.populations:LanczosPopulation",
    },
    "activations": {
        name: f"sk_deepfeat.activations:{name}"
        for name in (
            "relu",
            "leaky_relu",
            "identity",
            "sign",
            "tanh",
            "erf",
            "sigmoid",
            "gelu",
            "softplus",
            "sin",
            "cos",
        )
    },
}

_registered: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}


def _candidates(kind: str) -> dict[str, list[tuple[Any, str]]]:
    """Return name -> list of (target, who declares it), one item per different target."""
    table: dict[str, list[tuple[Any, str]]] = {
        name: [(target, "sk_deepfeat")] for name, target in BUILT_IN[kind].items()
    }
    declared: list[tuple[str, Any, str]] = [
        (entry.name, entry.value, entry.dist.name if entry.dist is not None else "a source tree")
        for entry in entry_points(group=f"sk_deepfeat.{kind}")
    ]
    declared += [(name, target, "register()") for name, target in _registered[kind].items()]
    for name, target, owner in declared:
        known = table.setdefault(name, [])
        if not any(target is other or target == other for other, _ in known):
            known.append((target, owner))
    return table


def available(kind: str) -> tuple[str, ...]:
    """Return the known names of one kind of plugin, without importing any of them.

    Parameters
    ----------
    kind : {"feature_maps", "populations", "activations"}
        The kind of plugin.

    Returns
    -------
    tuple of str
        Sorted names.

    Examples
    --------
    >>> from sk_deepfeat.plugins import available
    >>> {"gcv", "plug-in"} <= set(available("populations"))
    True
    """
    check_kind(kind)
    return tuple(sorted(_candidates(kind)))


def _are_equal(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except ValueError:  # arrays are equal entry by entry
        return False


def register(kind: str, name: str, target: Any) -> None:
    """Register a plugin for this process.

    Names are resolved in the parent process before any parallel dispatch, so a registration made
    here also serves parallel work.

    Parameters
    ----------
    kind : {"feature_maps", "populations", "activations"}
        The kind of plugin.
    name : str
        The name users will give.
    target : object or str
        The plugin (an instance, or a class that can be called without arguments) or
        ``"module:attribute"``, imported when it is first asked for.

    Raises
    ------
    ValueError
        If `kind` is unknown, or `name` is empty or already stands for something else.

    Examples
    --------
    >>> from sk_deepfeat.plugins import register, resolve
    >>> register("activations", "hyperbolic", "sk_deepfeat.activations:tanh")
    >>> resolve("activations", "hyperbolic").torch_name
    'Tanh'
    """
    check_kind(kind)
    if not isinstance(name, str) or not name:
        raise ValueError(f"name={name!r} must be a non-empty string.")
    if isinstance(target, str) and ":" not in target:
        raise ValueError(f"target={target!r} must be an object or a string 'module:attribute'.")
    others = [
        item
        for item in _candidates(kind).get(name, [])
        if item[0] is not target and not _are_equal(item[0], target)
    ]
    if others:
        raise ValueError(
            f"The name {name!r} among the {kind} already stands for {others[0][0]!r} "
            f"(declared by {others[0][1]}); choose another name."
        )
    _registered[kind][name] = target


def _load(target: Any) -> Any:
    if not isinstance(target, str):
        return target
    module_name, _, attribute = target.partition(":")
    found = importlib.import_module(module_name)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


def resolve(kind: str, value: Any) -> Any:
    """Return the plugin that a parameter names, or the parameter itself if it is no name.

    Parameters
    ----------
    kind : {"feature_maps", "populations", "activations"}
        The kind of plugin.
    value : str or object
        A name, which is looked up (a class is called without arguments), or an instance, which is
        returned as it is.

    Returns
    -------
    object
        The plugin.

    Raises
    ------
    ValueError
        If the name is unknown (the known ones are listed) or declared twice with different
        targets (both owners are named).
    """
    check_kind(kind)
    if not isinstance(value, str):
        return value
    table = _candidates(kind)
    if value not in table:
        raise ValueError(
            f"{value!r} is not a known name among the {kind}; known names: "
            f"{', '.join(sorted(table))}."
        )
    if len(table[value]) > 1:
        owners = "; ".join(f"{target!r} by {owner}" for target, owner in table[value])
        raise ValueError(
            f"The name {value!r} among the {kind} is declared more than once: {owners}."
        )
    loaded = _load(table[value][0][0])
    return loaded() if isinstance(loaded, type) else loaded
