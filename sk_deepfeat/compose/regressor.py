"""A regressor whose features learn from other rows than its readout."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.frozen import FrozenEstimator

from sk_deepfeat.compose.two_stages import TwoStages
from sk_deepfeat.linear_model.fit_stages import told
from sk_deepfeat.linear_model.notebook_card import PredictedErrorReprMixin
from sk_deepfeat.linear_model.questions import ErrorQuestionsMixin
from sk_deepfeat.plugins import resolve
from sk_deepfeat.rows import target_kind


def _takes_classes(feature_map: Any, y: Any) -> bool:
    """Say whether a feature map, or a part of it, would train on `y` as on classes."""
    if isinstance(feature_map, type | FrozenEstimator) or not hasattr(feature_map, "get_params"):
        return False
    if hasattr(feature_map, "takes_classes"):
        return bool(feature_map.takes_classes(y))
    params = feature_map.get_params().items()  # a pipeline names its steps among them
    return any(_takes_classes(part, y) for name, part in params if "__" not in name)


class TwoStageRegressor(
    TwoStages,
    ErrorQuestionsMixin,
    MultiOutputMixin,
    RegressorMixin,
    PredictedErrorReprMixin,
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

    _kind, _other_kind, _other_stages = "regressor", "classifier", "TwoStageClassifier"
    _default_readout = "DeterministicEquivalentRidge"
    _questions = ErrorQuestionsMixin

    @told(parts=2)
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
        return self._fit(X, y, sample_weight, groups)

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
