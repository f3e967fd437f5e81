"""What each kind of plugin must implement, as `typing.Protocol` classes."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@runtime_checkable
class Activation(Protocol):
    """A point-wise nonlinearity.

    Optional members: ``torch_name``, the name of a ``torch.nn`` class or ``torch`` function;
    closed forms for normal inputs ``moments(mean, std)``, which returns E f, E f' and Var f,
    ``hermite(k, mean, std)``, and ``bivariate(other, mean, std, other_mean, other_std, cov)``,
    which returns E f(X) g(Y) or NotImplemented.
    """

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Return f(x), written into `out` when it is given (`out` may be `x` itself)."""

    def derivative(self, x: Any) -> Any:
        """Return f'(x), with any value of the subdifferential at a kink."""


@runtime_checkable
class FeatureMap(Protocol):
    """A scikit-learn transformer from rows to features.

    Optional members: ``get_feature_names_out``, which `sk_deepfeat.testing.check_feature_map`
    expects of a published plugin; ``linearization_layers()`` for networks; ``staged_transform(X)``
    for maps that are kept at several stages of their training; ``takes_classes(y)``, whether
    `fit` would train on `y` as on classes, for maps that may.
    """

    def fit(self, X: Any, y: Any = None) -> Any:
        """Fit the map and return it."""

    def transform(self, X: Any) -> Any:
        """Return the features of `X`, shape (n_samples, n_features_out)."""


@runtime_checkable
class Population(Protocol):
    """A way to know the population that ridge regression will meet.

    `alpha` is for sample weights of mean one; `n_samples` and `alpha` broadcast. Optional members:
    ``train_error``, ``decomposition``, ``interval(n_samples, alpha, *, level, fit_intercept)``,
    ``reachable``, ``calibration_check(sizes)``, ``degrees_of_freedom(kappa, *, fit_intercept)``,
    ``eigenvalues(*, fit_intercept)``, ``target_variance_``, of every output, in a
    `sk_deepfeat.theory.TargetVariance` (without it, that of the training rows is taken), and
    ``cautious_error``, by which searches over alpha choose in place of ``test_error``. A population
    that knows several of them may give them in one `sk_deepfeat.theory.ErrorAnswer` by
    ``answer(n_samples, alpha, *, fit_intercept, variance=False)``: where it is there, it alone is
    asked. One that knows error rates of classes has ``class_answer(n_samples, alpha, *,
    fit_intercept, columns, temperature=None, exact=True)``, which returns a
    `sk_deepfeat.theory.ClassAnswer`, ``knows_classes``, whether it was fitted to codes of classes,
    and ``fit`` takes their numbers as ``labels``. ``takes_samples`` says that ``fit`` gets along
    where rows came in blocks: the factorisation then knows the moments of all rows (``n_rows``),
    and X, y are a uniform sample of them (``n_sampled``), or of whole groups (``groups``, of
    ``n_groups`` in all rows). ``matrix_free`` says that ``fit`` needs no factorisation: `path` is
    then a `sk_deepfeat.theory.UnfactorizedRows`, and the estimator finds its coefficients without
    one, too.
    """

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        fit_intercept: bool = True,
        path: Any = None,
    ) -> Any:
        """Learn the population from rows of features and targets and return it.

        `path` is the `sk_deepfeat.theory.RidgeFactorization` of the same rows, when it has been
        made.
        """

    def test_error(
        self, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool
    ) -> NDArray[Any]:
        """Return the expected squared error; NaN where it cannot be known."""

    def kappa(self, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool) -> NDArray[Any]:
        """Return the effective regularisation."""


REQUIRED: dict[str, tuple[type, tuple[str, ...]]] = {
    "feature_maps": (FeatureMap, ("fit", "transform")),
    "populations": (Population, ("fit", "test_error", "kappa")),
    "activations": (Activation, ("__call__", "derivative")),
}


def check_kind(kind: str) -> None:
    """Raise ValueError unless it is a kind of plugin."""
    if not isinstance(kind, str) or kind not in REQUIRED:
        known = ", ".join(REQUIRED)
        raise ValueError(f"kind={kind!r} is not a kind of plugin; known kinds: {known}.")


def missing_members(kind: str, plugin: object) -> tuple[str, ...]:
    """Return the names of the required members that `plugin` lacks."""
    check_kind(kind)
    return tuple(name for name in REQUIRED[kind][1] if not callable(getattr(plugin, name, None)))


def require_members(kind: str, plugin: object) -> None:
    """Raise TypeError, naming what is missing, unless `plugin` keeps the contract of `kind`.

    Parameters
    ----------
    kind : {"feature_maps", "populations", "activations"}
        The contract.
    plugin : object
        The object to look at; nothing of it is called.

    Raises
    ------
    TypeError
        If a required member is missing, or `plugin` is a class.
    """
    check_kind(kind)
    if isinstance(plugin, type):
        raise TypeError(
            f"{plugin.__name__} among the {kind} is a class; pass an instance, "
            f"{plugin.__name__}(...), or a name."
        )
    missing = missing_members(kind, plugin)
    if missing:
        protocol, required = REQUIRED[kind]
        raise TypeError(
            f"{plugin!r} cannot be used among the {kind}: it lacks {', '.join(missing)}. "
            f"A {protocol.__name__} must implement {', '.join(required)} "
            "(see sk_deepfeat.plugins)."
        )


def require_same_data(
    population: Any,
    n_features: int,
    output_shape: tuple[int, ...],
    fit_intercept: bool,
    *,
    n_samples: float = 2.0,
) -> None:
    """Raise ValueError unless a fitted population is of as many features and outputs as the data.

    Parameters
    ----------
    population : population
        Fitted, perhaps on other rows.
    n_features : int
        Features of the data.
    output_shape : tuple
        ``y.shape[1:]``.
    fit_intercept : bool
        What the population will be asked for.
    n_samples : float, default=2.0
        The number of samples of the cell that is asked for, to see its shape.

    Raises
    ------
    ValueError
        Naming both numbers.
    TypeError
        If `population` keeps no contract, or a shape is none.
    """
    require_members("populations", population)
    width = getattr(population, "n_features_in_", n_features)
    try:
        operator.index(n_features)
    except TypeError as error:
        raise TypeError(
            f"n_features of type {type(n_features).__name__} must be an integer."
        ) from error
    if not isinstance(output_shape, tuple):
        raise TypeError(f"output_shape={output_shape!r} must be a tuple.")
    if width != n_features:
        raise ValueError(
            f"population={population!r} describes {width} features, but X has {n_features} "
            "features; fit the population on the same features as the ridge."
        )
    shape = tuple(population.test_error(n_samples, 1.0, fit_intercept=fit_intercept).shape)
    if shape != tuple(output_shape):
        raise ValueError(
            f"population={population!r} answers with errors of shape {shape} for one cell, but y "
            f"asks for {tuple(output_shape)} (one error for each output); fit the population on "
            "targets of the same shape."
        )
