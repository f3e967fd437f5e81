"""Warnings of the package; this module imports nothing of ours, so every room may import it."""

import sys
import warnings


class PopulationWarning(UserWarning):
    """A statistical caveat about what is known of the population.

    Raised, as a warning, when a number is computed but should be read with care: a plug-in
    population from fewer than ten samples per feature, an optimum on the boundary of what was
    searched, a target error below the known floor.
    """


def warn_caller(message: str, category: type[Warning] = PopulationWarning) -> None:
    """Issue a warning at the line outside the package that asked.

    Parameters
    ----------
    message : str
        What to beware of.
    category : type, default=PopulationWarning
        Of the warning.
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__", "")):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _is_ours(module: str) -> bool:
    return module.split(".")[0] == "sk_deepfeat"
