"""The doors: what a plugin must implement, how names are looked up, how they are registered."""

from sk_deepfeat.plugins.lookup import available, register, resolve
from sk_deepfeat.plugins.protocols import (
    Activation,
    FeatureMap,
    Population,
    missing_members,
    require_members,
    require_same_data,
)

__all__ = [
    "Activation",
    "FeatureMap",
    "Population",
    "available",
    "missing_members",
    "register",
    "require_members",
    "require_same_data",
    "resolve",
]
