"""A classifier whose features learn from other rows than its readout."""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import column_or_1d

from sk_deepfeat.compose.two_stages import IndexArray, TwoStages
from sk_deepfeat.linear_model.class_questions import ClassErrorQuestionsMixin
from sk_deepfeat.linear_model.fit_stages import told
from sk_deepfeat.linear_model.notebook_card import PredictedErrorReprMixin

_FEWEST_GROUPS = 2  # that a readout can be fitted on


def _readout_has(method: str) -> Any:
    """Return what `available_if` asks: whether the readout has a method."""
    return lambda self: hasattr(getattr(self, "readout_", self.readout), method)


class TwoStageClassifier(
    TwoStages,
    ClassErrorQuestionsMixin,
    ClassifierMixin,
    PredictedErrorReprMixin,
):
    """Train a feature map on one part of the rows and a classifier on the others.

    A readout that sees the rows whose classes shaped its features has scores that say little about
    new data, and an error rate that is predicted from them may be far too low. Disjoint rows make
    the readout's predictions right.

    Parameters
    ----------
    feature_map : str or transformer
        Name of a feature map (``sk_deepfeat.plugins.available("feature_maps")``) or a transformer;
        `TrainedDeepFeatures` is trained by cross-entropy. One fitted elsewhere is handed over as
        ``sklearn.frozen.FrozenEstimator(fitted)``.
    readout : classifier
        Fitted on the features of the remaining rows, such as
        `DeterministicEquivalentRidgeClassifier`, or any other without predictions of its error.
    feature_size : float or int, default=0.5
        Share, or number, of the rows that the feature map is fitted on. 0 uses every row for the
        readout, and is meant for a frozen feature map. With groups of rows, whole groups of about
        so many rows are taken.
    random_state : int, RandomState instance or None, default=None
        Draws the split.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    feature_map_ : transformer
        The fitted feature map.
    readout_ : classifier
        The fitted readout.
    feature_indices_, readout_indices_ : ndarray of int
        Which rows each was fitted on.
    n_features_in_ : int
        Second axis of X.

    See Also
    --------
    TwoStageRegressor : The same for numbers.
    sklearn.pipeline.Pipeline : Fits both on the same rows; right for predictions and for
        cross-validated scores, wrong for the readout's prediction of its own error.

    Notes
    -----
    Rows are drawn independently, as predicted error rates take them, and not stratified. Where the
    draw leaves a class out of one part, a random one of its rows, with groups one of its groups, is
    moved there; the readout goes first and has rows of every class.

    The questions are those of `DeterministicEquivalentRidgeClassifier`, as are ``test_error_``,
    ``train_error_``, ``alpha_`` and ``kappa_``; ``n_samples`` counts the rows of the readout,
    ``n_groups`` its groups.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.preprocessing import scale
    >>> from sk_deepfeat import (
    ...     DeterministicEquivalentRidgeClassifier, RandomDeepFeatures, TwoStageClassifier)
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = TwoStageClassifier(
    ...     RandomDeepFeatures((50,), random_state=0),
    ...     DeterministicEquivalentRidgeClassifier("optimal"), random_state=0).fit(scale(X), y)
    >>> bool(model.predict_test_error(n_samples=30) > model.test_error_)
    True
    """

    _kind, _other_kind, _other_stages = "classifier", "regressor", "TwoStageRegressor"
    _default_readout = "DeterministicEquivalentRidgeClassifier"
    _questions = ClassErrorQuestionsMixin

    @told(parts=2)
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None
    ) -> TwoStageClassifier:
        """Fit the feature map on one part of the rows, the readout on the features of the rest.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs of the feature map.
        y : array-like of shape (n_samples,)
            Labels of any type that sorts, of two classes at least. The feature map gets labels that
            are floats, or objects, as integers from 0 on, which it cannot take for numbers.
        sample_weight : array-like of shape (n_samples,), optional
            Passed to the readout; the feature map takes none.
        groups : array-like of shape (n_samples,), optional
            Labels of the rows' groups. Feature map and readout are then fitted on disjoint groups,
            and the readout gets the labels of its rows if its ``fit`` takes ``groups``: the error
            that it predicts is that of rows of new groups.

        Returns
        -------
        TwoStageClassifier
            Itself.

        Raises
        ------
        ValueError
            If `feature_size` leaves no row for one of the two, the groups are too few for both or
            for the readout to have every class, or `check_targets` refuses y.
        TypeError
            If `readout` is no classifier.
        """
        try:
            shape = np.asarray(y).shape
        except ValueError as error:  # of lists of several lengths
            raise ValueError(
                f"y must hold one label for each row; got {reprlib.repr(y)}."
            ) from error
        if shape[1:] == (1,):
            y = column_or_1d(y, warn=True)
        self._fit(X, y, sample_weight, groups)
        self.classes_ = np.unique(np.asarray(y))
        return self

    def check_targets(self, y: Any) -> None:
        """Raise ValueError unless y holds one label of a class for each row, of two at least.

        `fit` and `fit_feature_map` ask it before anything is trained.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            As in `fit`.

        Raises
        ------
        ValueError
            If y holds continuous numbers, several columns, or one class alone.
        """
        kind = type_of_target(y, input_name="y")
        if kind not in ("binary", "multiclass"):
            kind = "objects that are no strings" if kind == "unknown" else kind
            raise ValueError(
                f"Unknown label type: {type(self).__name__} predicts one class for each row, but y "
                f"of shape {np.shape(y)} holds {kind}. Use TwoStageRegressor for numbers, and one "
                "classifier for each of several columns of labels."
            )
        classes = np.unique(np.asarray(y))
        if classes.size < 2:
            raise ValueError(
                f"y has one class alone, {classes[0]!r}; a classifier needs rows of at least two "
                "classes."
            )

    def _targets_of_features(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return labels that no feature map takes for numbers."""
        return y if y.dtype.kind in "biuUS" else np.unique(y, return_inverse=True)[1]

    def _check_draw(
        self, feature: IndexArray, readout: IndexArray, y: Any, groups: IndexArray | None
    ) -> tuple[IndexArray, IndexArray]:
        """Move a row, or a group, of each class that one part lacks and can be given."""
        classes, number = np.unique(y, return_inverse=True)
        units = np.arange(number.size) if groups is None else groups
        of_readout = np.zeros(number.size, dtype=bool)
        of_readout[readout] = True
        rng = check_random_state(self.random_state)
        for label in _lacking(number[of_readout], classes.size):
            if label not in number[of_readout]:
                moved = rng.choice(np.unique(units[number == label]))
                of_readout[units == moved] = True
        if np.all(of_readout):
            raise ValueError(
                f"The classes {classes.tolist()!r} are in too few groups: the readout needs rows "
                "of each, and none would be left to the feature map."
            )
        for label in _lacking(number[~of_readout], classes.size):
            for moved in rng.permutation(np.unique(units[number == label])):
                left = of_readout & (units != moved)
                enough = groups is None or np.unique(units[left]).size >= _FEWEST_GROUPS
                if enough and _lacking(number[left], classes.size).size == 0:
                    of_readout = left
                    break
        return np.flatnonzero(~of_readout), np.flatnonzero(of_readout)

    @available_if(_readout_has("decision_function"))
    def decision_function(self, X: Any) -> Any:
        """Return the readout's scores of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Of two classes, that of ``classes_[1]``.
        """
        features = self._features(X)
        return self.readout_.decision_function(features)

    @available_if(_readout_has("predict_proba"))
    def predict_proba(self, X: Any) -> Any:
        """Return the readout's probabilities of classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        features = self._features(X)
        return self.readout_.predict_proba(features)


def _lacking(number: IndexArray, n_classes: int) -> IndexArray:
    """Return the classes that have no row."""
    return np.flatnonzero(np.bincount(number, minlength=n_classes) == 0)
