"""Feature map and readout on disjoint rows."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, MultiOutputMixin, RegressorMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing, check_random_state, indexable
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    has_fit_parameter,
    validate_data,
)

from sk_deepfeat.linear_model.questions import QUESTIONS, ErrorQuestionsMixin
from sk_deepfeat.notebook import PredictedErrorReprMixin
from sk_deepfeat.plugins import require_members, resolve
from sk_deepfeat.rows import check_groups, deal_groups, target_kind

_ANSWERS = ("test_error_", "train_error_", "alpha_", "kappa_")


class _AskedReadout:
    """The questions of an `ErrorPredictor`, put to a fitted readout by its own methods."""

    def __init__(self, readout: Any) -> None:
        self._readout = readout

    def __getattr__(self, question: str) -> Any:
        return getattr(self._readout, QUESTIONS[question])


def _takes_classes(feature_map: Any, y: Any) -> bool:
    """Say whether a feature map, or a part of it, would train on `y` as on classes."""
    if isinstance(feature_map, type | FrozenEstimator) or not hasattr(feature_map, "get_params"):
        return False
    if hasattr(feature_map, "takes_classes"):
        return bool(feature_map.takes_classes(y))
    params = feature_map.get_params().items()  # a pipeline names its steps among them
    return any(_takes_classes(part, y) for name, part in params if "__" not in name)


class TwoStageRegressor(
    ErrorQuestionsMixin,
    MetaEstimatorMixin,
    MultiOutputMixin,
    RegressorMixin,
    PredictedErrorReprMixin,
    BaseEstimator,
):
    """Train a feature map on one part of the rows and a readout on the others.

    A readout that sees the rows whose targets shaped its features has residuals that say nothing
    about new data: in a plain pipeline ``test_error_`` came out nine times too small on
    handwritten digits. Disjoint rows make the readout's predictions of its error right.

    Parameters
    ----------
    feature_map : str or transformer
        Name of a feature map (``sk_deepfeat.plugins.available("feature_maps")``) or a transformer.
        One fitted elsewhere is handed over as ``sklearn.frozen.FrozenEstimator(fitted)``.
    readout : regressor
        Fitted on the features of the remaining rows, such as `DeterministicEquivalentRidge`.
    feature_size : float or int, default=0.5
        Share, or number, of the rows that the feature map is fitted on. 0 uses every row for the
        readout, and is meant for a frozen feature map. With groups of rows, whole groups of about
        so many rows are taken.
    random_state : int, RandomState instance or None, default=None
        Draws the split.

    Attributes
    ----------
    feature_map_ : transformer
        The fitted feature map.
    readout_ : regressor
        The fitted readout.
    feature_indices_, readout_indices_ : ndarray of int
        Which rows each was fitted on.
    n_features_in_ : int
        Second axis of X.

    See Also
    --------
    sklearn.pipeline.Pipeline : Fits both on the same rows; right for predictions and for
        cross-validated scores, wrong for the readout's prediction of its own error.

    Notes
    -----
    The readout's ``predict_test_error``, ``predict_train_error``, ``predict_decomposition``,
    ``predict_kappa``, ``degrees_of_freedom``, ``optimal_alpha``, ``required_samples``,
    ``required_groups``, ``reachable`` and ``calibration_check`` are available here, as are its
    ``test_error_``, ``train_error_``, ``alpha_`` and ``kappa_``; ``n_samples`` counts the rows of
    the readout, ``n_groups`` its groups.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sk_deepfeat import (
    ...     DeterministicEquivalentRidge, RandomDeepFeatures, TwoStageRegressor)
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = TwoStageRegressor(
    ...     RandomDeepFeatures((50,), random_state=0), DeterministicEquivalentRidge("optimal"),
    ...     random_state=0).fit(X, y)
    >>> bool(model.predict_test_error(n_samples=1000) < model.test_error_)
    True
    """

    def __init__(
        self, feature_map: Any, readout: Any, *, feature_size: Any = 0.5, random_state: Any = None
    ) -> None:
        self.feature_map = feature_map
        self.readout = readout
        self.feature_size = feature_size
        self.random_state = random_state

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None
    ) -> TwoStageRegressor:
        """Fit the feature map on one part of the rows, the readout on the features of the rest.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs of the feature map.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets of both: numbers. Floats are numbers, whatever their values.
        sample_weight : array-like of shape (n_samples,), optional
            Passed to the readout; the feature map takes none.
        groups : array-like of shape (n_samples,), optional
            Labels of the rows' groups. Feature map and readout are then fitted on disjoint groups,
            and the readout gets the labels of its rows if its ``fit`` takes ``groups``: the error
            that it predicts is that of rows of new groups.

        Returns
        -------
        TwoStageRegressor
            Itself.

        Raises
        ------
        ValueError
            If `feature_size` leaves no row for one of the two, the groups are fewer than one for
            the feature map and two for the readout, or `check_targets` refuses y.
        """
        X, y = indexable(X, y)
        missing = [name for name in ("fit", "predict") if not hasattr(self.readout, name)]
        if missing or isinstance(self.readout, type):
            raise TypeError(
                f"readout={self.readout!r} must be a regressor, such as "
                "DeterministicEquivalentRidge(), with fit and predict."
            )
        self.feature_map_, self.readout_indices_ = self.fit_feature_map(X, y, groups)
        rows = _safe_indexing(X, self.readout_indices_)
        targets = np.asarray(y)[self.readout_indices_]
        readout = clone(self.readout)
        features = self.feature_map_.transform(rows)
        of_rows = {}
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
            of_rows["sample_weight"] = weights[self.readout_indices_]
        if groups is not None and has_fit_parameter(readout, "groups"):
            of_rows["groups"] = _safe_indexing(groups, self.readout_indices_)
        self.readout_ = readout.fit(features, targets, **of_rows)
        return self

    def fit_feature_map(self, X: Any, y: Any, groups: Any = None) -> tuple[Any, NDArray[np.intp]]:
        """Split the rows and fit the feature map alone.

        Parameters
        ----------
        X, y, groups : array-like
            As in `fit`.

        Returns
        -------
        feature_map : transformer
            Fitted clone.
        readout_indices : ndarray of int
            The rows it has not seen, ascending.
        """
        X, y = indexable(X, y)
        feature_map = resolve("feature_maps", self.feature_map)
        require_members("feature_maps", feature_map)
        checked, targets = validate_data(
            self, X, y, dtype=None, allow_nd=True, multi_output=True, ensure_min_samples=2
        )
        n_rows = checked.shape[0]
        self.check_targets(y)
        size = self._n_feature_rows(n_rows)
        codes = None if groups is None else check_groups(groups, n_rows, warn=False)
        if size == 0:
            self.feature_indices_ = np.arange(0)
            return self._fitted_elsewhere(feature_map), np.arange(n_rows)
        if codes is None:
            readout, feature = train_test_split(
                np.arange(n_rows), test_size=size, random_state=self.random_state
            )
        else:
            feature, readout = self._deal_groups(codes, size)
        self.feature_indices_ = np.sort(feature)
        fitted = clone(feature_map).fit(
            _safe_indexing(X, self.feature_indices_), targets[self.feature_indices_]
        )
        return fitted, np.sort(readout)

    def check_targets(self, y: Any) -> None:
        """Raise ValueError unless y holds numbers, for the feature map as for the readout.

        `fit` and `fit_feature_map` ask it before anything is trained.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            As in `fit`.

        Raises
        ------
        ValueError
            If y holds strings or booleans, or integers that the feature map would take for classes
            and train by cross-entropy.
        """
        kind = target_kind(y)
        told = f"{type(self).__name__} predicts numbers, but y holds {kind}"
        if kind in ("strings", "booleans"):
            first = np.ravel(np.asarray(y, dtype=object))[0]
            raise ValueError(
                f"{told}, which are classes, such as {first!r}. Use TwoStageClassifier for "
                "classes; numbers are passed as floats."
            )
        feature_map = resolve("feature_maps", self.feature_map)
        if kind == "integers" and _takes_classes(feature_map, np.asarray(y)):
            raise ValueError(
                f"{told}, which feature_map={self.feature_map!r} would take for classes and train "
                "by cross-entropy. Use TwoStageClassifier for classes; if they are numbers, such "
                "as counts, pass floats: y.astype(float)."
            )

    def _deal_groups(self, codes: NDArray[np.intp], size: int) -> list[NDArray[np.intp]]:
        if codes.max() < 2:
            raise ValueError(
                f"groups has {codes.max() + 1} groups; the feature map needs at least one of its "
                "own and the readout two. A frozen feature map, with feature_size=0, needs none."
            )
        rng = check_random_state(self.random_state)
        return deal_groups(codes, (size, codes.size), (1, 2), rng)

    def _fitted_elsewhere(self, feature_map: Any) -> Any:
        kept = clone(feature_map)  # a frozen estimator stays fitted, any other becomes unfitted
        try:
            check_is_fitted(kept)
        except NotFittedError as error:
            raise ValueError(
                "feature_size=0 is for a feature map that is fitted and frozen: pass "
                f"feature_map=FrozenEstimator(fitted) from sklearn.frozen; got {feature_map!r}."
            ) from error
        return kept

    def _n_feature_rows(self, n_rows: int) -> int:
        size = self.feature_size
        if not isinstance(size, numbers.Real) or isinstance(size, bool) or size != size:
            raise TypeError(f"feature_size={size!r} must be a float in [0, 1) or an integer.")
        share = float(size)
        if isinstance(size, numbers.Integral) or share == 0.0:
            count, inside = int(share), 0 <= share < n_rows
        else:
            count, inside = int(share * n_rows), 0.0 < share < 1.0 and share * n_rows >= 1
        if not inside:
            raise ValueError(
                f"feature_size={size!r} must leave at least one of the {n_rows} rows to the "
                "feature map and one to the readout: a share in (0, 1), a number below "
                f"{n_rows}, or 0 for a frozen feature map."
            )
        return count

    def predict(self, X: Any) -> Any:
        """Predict with the readout on the features of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        check_is_fitted(self)
        validate_data(self, X, dtype=None, allow_nd=True, reset=False)
        return self.readout_.predict(self.feature_map_.transform(X))

    def _predicts_its_error(self) -> bool:
        return hasattr(getattr(self, "readout_", self.readout), "predict_test_error")

    def _error_predictor(self) -> Any:
        check_is_fitted(self)
        return _AskedReadout(self.readout_)

    def __getattr__(self, name: str) -> Any:
        if name in _ANSWERS and "readout_" in vars(self):
            return getattr(self.readout_, name)
        told = f"{type(self).__name__!r} object has no attribute {name!r}"
        if hasattr(ErrorQuestionsMixin, name) and "readout" in vars(self):
            told += (
                f": readout={self.readout!r} does not predict its error; take "
                "DeterministicEquivalentRidge()"
            )
        raise AttributeError(told)
