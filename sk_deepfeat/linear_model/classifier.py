"""Ridge classification that predicts its own error rate at any number of samples and any alpha."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import check_is_fitted, validate_data

from sk_deepfeat.linear_model._arguments import check_alpha
from sk_deepfeat.linear_model._device_rows import DeviceRows
from sk_deepfeat.linear_model._fitting import RidgeFitMixin, coefs_and_intercept
from sk_deepfeat.linear_model._population_params import PopulationParamsMixin
from sk_deepfeat.linear_model.class_error_predictor import ClassErrorPredictor
from sk_deepfeat.linear_model.class_questions import ClassErrorQuestionsMixin
from sk_deepfeat.linear_model.error_predictor import ErrorPredictor
from sk_deepfeat.linear_model.fit_stages import CallbackSupportMixin, told
from sk_deepfeat.linear_model.notebook_card import PredictedErrorReprMixin
from sk_deepfeat.progress import as_stage
from sk_deepfeat.rows import (
    ArrayPlace,
    check_class_rows,
    in_numpy,
    labels_at,
    place_of,
    require_same_place,
)
from sk_deepfeat.theory import RowClasses
from sk_deepfeat.theory.validation import FloatArray, check_flag


class DeterministicEquivalentRidgeClassifier(
    CallbackSupportMixin,
    RidgeFitMixin,
    ClassErrorQuestionsMixin,
    ClassifierMixin,
    PopulationParamsMixin,
    PredictedErrorReprMixin,
    BaseEstimator,
):
    r"""Ridge classifier with a prediction of its own error rate.

    Fits ridge to codes of the classes, -1 and 1, and predicts the class of the largest score, as
    `sklearn.linear_model.RidgeClassifier` does, with the same coefficients. From the training rows
    alone it answers which error rate it reaches with any number of samples and any alpha.

    Parameters
    ----------
    alpha : float or "optimal", default=1.0
        Regularisation, not negative; 0 gives the solution of minimum norm. "optimal" takes the
        alpha of least predicted error rate for the number of training rows.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    class_weight : dict or "balanced", optional
        Weights of the classes in the fit, as of `RidgeClassifier`. Predicted error rates are those
        of a ridge so weighted, on rows as they come.
    population : str or population object, default="leave-one-out"
        How the population is known, as of `DeterministicEquivalentRidge`. "leave-one-out" tells
        error rates; others squared errors alone.
    block_length : int, optional
        Rows of a block, for ``fit(..., groups="blocks")``.
    verbose : bool, default=False
        Whether what takes more than two seconds has a bar of progress on standard error, as of
        `DeterministicEquivalentRidge`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    coef_ : ndarray of shape (n_features,) or (n_classes, n_features)
        Coefficients of the scores; of two classes, of that of the second.
    intercept_ : float or ndarray of shape (1,) or (n_classes,)
        Intercepts; 0.0 if none is fitted.
    alpha_ : float
        The regularisation used.
    population_ : object
        The fitted population.
    error_predictor_ : ClassErrorPredictor
        The value that answers every question about the error.
    eigenvalues_ : ndarray of shape (rank,)
        As of `DeterministicEquivalentRidge`.
    kappa_ : float
        Effective regularisation at the training size and `alpha_`.
    test_error_ : float
        Predicted error rate on new samples: the share of the training rows that ridge on all the
        others misclassifies. NaN for a population that does not know error rates.
    train_error_ : float
        Share of the training rows that are misclassified.
    n_samples_ : int
        Training rows of positive weight.
    n_groups_ : int or None
        Groups of these rows; None without groups.
    block_length_ : int
        Rows of a block, where ``groups="blocks"``.
    n_features_in_ : int
        Number of features.

    See Also
    --------
    sk_deepfeat.TwoStageClassifier : Trains the features on other rows than the classifier.
    sklearn.linear_model.RidgeClassifier : The same coefficients without predictions of the error.

    Notes
    -----
    With n₀ rows, the score that ridge on the others gives each of them is that of a new row. With
    fewer it has more noise, whose shape resampled residuals tell and whose size the squared error;
    with more it has less, and the growth of the squared error tells the rest. The user guide has
    the formulas.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.preprocessing import scale
    >>> from sk_deepfeat import DeterministicEquivalentRidgeClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = DeterministicEquivalentRidgeClassifier("optimal").fit(scale(X), y)
    >>> round(model.test_error_, 2)
    0.04
    >>> model.predict_test_error(n_samples=[30, 60, 400], alpha=10.0).round(2)
    array([0.07, 0.06, 0.04])
    """

    def __init__(
        self,
        alpha: Any = 1.0,
        *,
        fit_intercept: bool = True,
        class_weight: Any = None,
        population: Any = "leave-one-out",
        block_length: int | None = None,
        verbose: Any = False,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.population = population
        self.block_length = block_length
        self.verbose = verbose

    @told()
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None
    ) -> DeterministicEquivalentRidgeClassifier:
        """Fit the coefficients and the population from one factorisation.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features, at least two rows. Sparse ones are centred implicitly and never written out.
        y : array-like of shape (n_samples,)
            Labels of any type that sorts, of two classes at least.
        sample_weight : float or array-like of shape (n_samples,), optional
            Weights, not negative. For the coefficients a weight equals repetition; for the
            predicted error a row of any weight is one draw, and counts by its weight.
        groups : array-like of shape (n_samples,) or "blocks", optional
            As of `DeterministicEquivalentRidge.fit`: predicted errors are those on new groups.

        Returns
        -------
        DeterministicEquivalentRidgeClassifier
            Itself.

        Raises
        ------
        ValueError
            If y is continuous, has several columns or one class, `class_weight` names a class that
            is not there, or an argument is outside its range.
        TypeError
            If the population lacks required members.
        """
        check_alpha(self.alpha)
        fit_intercept = check_flag(self.fit_intercept, "fit_intercept")
        place, device, of_labels = place_of(X), DeviceRows.of(X), place_of(y)
        X, self.classes_, number, sample_weight = check_class_rows(self, X, y, sample_weight)
        classes = RowClasses(
            number,
            self.classes_.size,
            sample_weight,
            balanced=isinstance(self.class_weight, str) and self.class_weight == "balanced",
        )
        weights = self._weights(number, sample_weight)
        codes = classes.codes
        targets = codes[:, 0] if codes.shape[1] == 1 else codes
        factorization, predictor = self._fit_population(
            X,
            targets,
            weights,
            groups,
            fit_intercept=fit_intercept,
            classes=classes,
            device=device,
        )
        self._take(factorization, predictor, classes, X)
        self._settle(place, device)
        if of_labels is not None:
            self.classes_ = of_labels.array(self.classes_)
        return self

    @as_stage("coefficients and alpha")
    def _take(
        self, factorization: Any, predictor: ErrorPredictor, classes: RowClasses, X: Any
    ) -> None:
        """Set what is asked of a fitted classifier."""
        kept = factorization.classes
        assert kept is not None
        found = ClassErrorPredictor(predictor, kept.counts)
        known = found.knows_error_rates
        self.alpha_ = self.alpha
        if self.alpha == "optimal":
            self.alpha_ = found.optimal_alpha(metric="error_rate" if known else "mse")
        found = ClassErrorPredictor(replace(predictor, alpha=float(self.alpha_)), kept.counts)
        self.error_predictor_: Any = found
        coefs, intercept, _ = coefs_and_intercept(factorization, float(self.alpha_))
        self.coef_ = coefs[:, 0] if coefs.shape[1] == 1 else coefs.T
        self.intercept_: Any = intercept if factorization.fit_intercept else 0.0
        wrong = self._decide(self._scores(X)) != classes.number
        self.train_error_ = float(classes.weights @ wrong)
        self.kappa_ = float(found.kappa())
        self.test_error_ = float(found.test_error()) if known else np.nan

    def _weights(
        self, number: NDArray[np.intp], sample_weight: FloatArray | None
    ) -> FloatArray | None:
        """Return the weights of the rows in the fit, those of their classes included."""
        if self.class_weight is None:
            return sample_weight
        if isinstance(self.class_weight, dict):
            unknown = [k for k in self.class_weight if not np.any(self.classes_ == k)]
            if unknown:
                raise ValueError(
                    f"class_weight={self.class_weight!r} names {unknown!r}, which y does not have; "
                    f"its classes are {self.classes_.tolist()!r}."
                )
        of_class = compute_class_weight(
            self.class_weight, classes=self.classes_, y=self.classes_[number]
        )
        if not np.all((of_class >= 0) & np.isfinite(of_class)):
            raise ValueError(f"class_weight={self.class_weight!r} must not be negative.")
        weights = of_class[number]
        return weights if sample_weight is None else sample_weight * weights

    def decision_function(self, X: Any) -> Any:
        """Return the scores of rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features.

        Returns
        -------
        array of shape (n_samples,) or (n_samples, n_classes)
            Of two classes, that of ``classes_[1]``, which is predicted where it is positive.
        """
        scores = self._validated_scores(X, "decision_function")
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X: Any) -> Any:
        """Return the class of the largest score for each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features.

        Returns
        -------
        array of shape (n_samples,)
        """
        place, scores = place_of(X), self._validated_scores(X, "predict")
        return labels_at(self.classes_, self._decide(scores, place), place)

    def _validated_scores(self, X: Any, method: str) -> Any:
        check_is_fitted(self)
        require_same_place(X, self, "coef_", method)
        place = place_of(X)
        dtype = np.float64 if place is None else place.float_dtype
        return self._scores(validate_data(self, X, accept_sparse="csr", dtype=dtype, reset=False))

    def _scores(self, X: Any) -> Any:
        coefs = self.coef_ if self.coef_.ndim == 2 else self.coef_[None, :]
        return X @ coefs.T + self.intercept_

    def _decide(self, scores: Any, place: ArrayPlace | None = None) -> Any:
        """Return the number of each row's class."""
        if scores.shape[1] == 1:
            positive = scores[:, 0] > 0
            return positive.astype(np.intp) if place is None else in_numpy(positive).astype(np.intp)
        return scores.argmax(axis=1) if place is None else place.xp.argmax(scores, axis=1)
