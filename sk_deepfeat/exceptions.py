"""Warnings of the package; this module imports nothing of ours, so every room may import it."""


class PopulationWarning(UserWarning):
    """A statistical caveat about what is known of the population.

    Raised, as a warning, when a number is computed but should be read with care: a plug-in
    population from fewer than ten samples per feature, an optimum on the boundary of what was
    searched, a target error below the known floor.
    """
