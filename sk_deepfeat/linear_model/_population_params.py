"""Parameters of a population that is given by its name."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import BaseEstimator, clone

from sk_deepfeat.plugins import resolve

_PREFIX = "population__"


class PopulationParamsMixin(BaseEstimator):
    """Let ``set_params(population__name=value)`` work on a population that is a name.

    The name then gives way to an instance of what it stands for, with that parameter.
    """

    population: Any

    def set_params(self, **params: Any) -> Self:
        """Set parameters of the estimator, and of what it holds.

        Parameters
        ----------
        **params
            As of other estimators of scikit-learn. ``population__extrapolate=True`` works on the
            name of a population, too: an instance of what it names takes its place.

        Returns
        -------
        estimator
            Itself.

        Raises
        ------
        ValueError
            If there is no such parameter, or no such population.
        """
        of_population = [name for name in params if name.startswith(_PREFIX)]
        population = params.get("population", self.population)
        if of_population and isinstance(population, str):
            params = {**params, "population": _named(population, of_population)}
        return super().set_params(**params)


def _named(name: str, wanted: list[str]) -> Any:
    """Return a new instance of what a name stands for, which has these parameters."""
    found = clone(resolve("populations", name), safe=False)
    known = sorted(found.get_params()) if hasattr(found, "get_params") else []
    for key in wanted:
        part = key.removeprefix(_PREFIX)
        if part.partition("__")[0] not in known:
            raise ValueError(
                f"Invalid parameter {part!r} for population={name!r}, which is {found!r}. Valid "
                f"parameters are: {known!r}."
            )
    return found
