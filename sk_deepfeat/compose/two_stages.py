"""Two estimators on disjoint rows: what the regressor and the classifier share."""

from __future__ import annotations

import numbers
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing, check_random_state, get_tags, indexable
from sklearn.utils.validation import (
    check_is_fitted,
    has_fit_parameter,
    validate_data,
)

from sk_deepfeat.linear_model.fit_stages import CallbackSupportMixin, part_of_fit
from sk_deepfeat.linear_model.questions import QUESTIONS
from sk_deepfeat.plugins import require_members, resolve
from sk_deepfeat.rows import check_groups, check_weights, deal_groups

IndexArray = NDArray[np.intp]

_ANSWERS = ("test_error_", "train_error_", "alpha_", "kappa_")


class _AskedReadout:
    """The questions of an `ErrorPredictor`, put to a fitted readout by its own methods."""

    def __init__(self, readout: Any) -> None:
        self._readout = readout

    def __getattr__(self, question: str) -> Any:
        return getattr(self._readout, QUESTIONS[question])


class TwoStages(CallbackSupportMixin, MetaEstimatorMixin, BaseEstimator):
    """Fit a feature map on one part of the rows and a readout on the others.

    A subclass mixes in the questions about the error and says what the readout is, which targets
    it refuses, as which the feature map gets them, and whether the draw of the rows will do.
    """

    _kind: ClassVar[str]
    """Of the readout, as scikit-learn's tags call it."""
    _other_kind: ClassVar[str]
    """The kind that is refused."""
    _other_stages: ClassVar[str]
    """What to take instead."""
    _default_readout: ClassVar[str]
    _questions: ClassVar[type]

    def __init__(
        self, feature_map: Any, readout: Any, *, feature_size: Any = 0.5, random_state: Any = None
    ) -> None:
        self.feature_map = feature_map
        self.readout = readout
        self.feature_size = feature_size
        self.random_state = random_state

    def check_targets(self, y: Any) -> None:
        """Raise ValueError unless y is what both stages are fitted to."""
        raise NotImplementedError

    def _targets_of_features(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return what the feature map is fitted to."""
        return y

    def _check_draw(
        self, feature: IndexArray, readout: IndexArray, y: Any, groups: IndexArray | None
    ) -> tuple[IndexArray, IndexArray]:
        """Return the rows of both parts, changed where they would not do."""
        return feature, readout

    def _fit(self, X: Any, y: Any, sample_weight: Any, groups: Any) -> Self:
        if hasattr(y, "toarray"):
            raise TypeError("y must be an array of targets; it is a sparse matrix: y.toarray().")
        X, y = indexable(X, y)
        self.feature_map_, self.readout_indices_ = self.fit_feature_map(X, y, groups)
        rows = _safe_indexing(X, self.readout_indices_)
        targets = np.asarray(y)[self.readout_indices_]
        readout = clone(self.readout)
        features = self.feature_map_.transform(rows)
        of_rows = {}
        weights = check_weights(sample_weight, X)
        if weights is not None:
            of_rows["sample_weight"] = weights[self.readout_indices_]
        if groups is not None and has_fit_parameter(readout, "groups"):
            of_rows["groups"] = _safe_indexing(groups, self.readout_indices_)
        with part_of_fit(self, "fit-readout", readout, features, targets):
            self.readout_ = readout.fit(features, targets, **of_rows)
        return self

    def _check_readout(self) -> None:
        told = f"readout={self.readout!r} must be a {self._kind}, such as {self._default_readout}()"
        missing = [name for name in ("fit", "predict") if not hasattr(self.readout, name)]
        if missing or isinstance(self.readout, type):
            raise TypeError(f"{told}, with fit and predict.")
        has_tags = hasattr(self.readout, "__sklearn_tags__")
        if has_tags and get_tags(self.readout).estimator_type == self._other_kind:
            raise TypeError(
                f"{told}; it is a {self._other_kind}, for which there is {self._other_stages}."
            )

    def fit_feature_map(self, X: Any, y: Any, groups: Any = None) -> tuple[Any, IndexArray]:
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
        self._check_readout()
        feature_map = resolve("feature_maps", self.feature_map)
        require_members("feature_maps", feature_map)
        checked, targets = validate_data(
            self,
            X,
            y,
            accept_sparse=True,
            dtype=None,
            ensure_all_finite=False,  # the feature map decides: some fill what is missing
            allow_nd=True,
            multi_output=True,
            ensure_min_samples=2,
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
        feature, readout = self._check_draw(np.sort(feature), np.sort(readout), targets, codes)
        self.feature_indices_ = feature
        rows, targets = _safe_indexing(X, feature), self._targets_of_features(targets)[feature]
        feature_map = clone(feature_map)
        with part_of_fit(self, "fit-feature-map", feature_map, rows, targets):
            fitted = feature_map.fit(rows, targets)
        return fitted, readout

    def _deal_groups(self, codes: IndexArray, size: int) -> list[IndexArray]:
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
        number = isinstance(size, numbers.Real) and not isinstance(size, (bool, np.timedelta64))
        if not number or not -np.inf < size < np.inf:
            raise TypeError(f"feature_size={size!r} must be a float in [0, 1) or an integer.")
        if isinstance(size, numbers.Integral) or size == 0:
            count, inside = int(size), 0 <= size < n_rows
        else:
            share = float(size)
            inside = 0.0 < share < 1.0 and share * n_rows >= 1
            count = int(share * n_rows) if inside else 0
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
        X : array-like or sparse matrix of shape (n_samples, ...)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        features = self._features(X)
        return self.readout_.predict(features)

    def _features(self, X: Any) -> Any:
        check_is_fitted(self)
        validate_data(
            self,
            X,
            accept_sparse=True,
            dtype=None,
            ensure_all_finite=False,
            allow_nd=True,
            reset=False,
        )
        return self.feature_map_.transform(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        has_tags = hasattr(self.feature_map, "__sklearn_tags__")
        tags.input_tags.sparse = has_tags and get_tags(self.feature_map).input_tags.sparse
        return tags

    def _sk_visual_block_(self) -> Any:
        """Draw the fitted stages, where they are, as the ridge tells its error then."""
        from sklearn.utils._repr_html.estimator import _VisualBlock

        stages = {
            name: getattr(self, f"{name}_", getattr(self, name))
            for name in ("feature_map", "readout")
        }
        kinds = [s if isinstance(s, str) else type(s).__name__ for s in stages.values()]
        return _VisualBlock(
            "parallel",
            list(stages.values()),
            names=[f"{name}: {kind}" for name, kind in zip(stages, kinds, strict=True)],
            name_details=[str(stage) for stage in stages.values()],
        )

    def _predicts_its_error(self) -> bool:
        return hasattr(getattr(self, "readout_", self.readout), "predict_test_error")

    def _error_predictor(self) -> Any:
        check_is_fitted(self)
        return _AskedReadout(self.readout_)

    def __getattr__(self, name: str) -> Any:
        if name in _ANSWERS and "readout_" in vars(self):
            return getattr(self.readout_, name)
        told = f"{type(self).__name__!r} object has no attribute {name!r}"
        if hasattr(type(self)._questions, name) and "readout" in vars(self):
            told += (
                f": readout={self.readout!r} does not predict its error; take "
                f"{self._default_readout}()"
            )
        raise AttributeError(told)
