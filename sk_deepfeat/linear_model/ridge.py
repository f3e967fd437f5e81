"""Ridge regression that predicts its own test error at any number of samples and any alpha."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from sk_deepfeat.linear_model._arguments import check_fitted_alpha, is_optimal
from sk_deepfeat.linear_model._device_rows import DeviceRows
from sk_deepfeat.linear_model._fitting import RidgeFitMixin, coefs_and_intercept
from sk_deepfeat.linear_model._population_params import PopulationParamsMixin
from sk_deepfeat.linear_model._streaming import StreamFitMixin
from sk_deepfeat.linear_model.error_predictor import ErrorPredictor
from sk_deepfeat.linear_model.fit_stages import CallbackSupportMixin, told
from sk_deepfeat.linear_model.notebook_card import PredictedErrorReprMixin
from sk_deepfeat.linear_model.questions import ErrorQuestionsMixin
from sk_deepfeat.progress import as_stage
from sk_deepfeat.rows import (
    RowBlock,
    check_rows,
    in_numpy,
    place_of,
    require_same_place,
    row_labels,
    target_kind,
    warn_of_classes,
)
from sk_deepfeat.theory import RidgeFactorization, UnfactorizedRows
from sk_deepfeat.theory.validation import check_flag


class DeterministicEquivalentRidge(
    CallbackSupportMixin,
    StreamFitMixin,
    RidgeFitMixin,
    ErrorQuestionsMixin,
    MultiOutputMixin,
    RegressorMixin,
    PopulationParamsMixin,
    PredictedErrorReprMixin,
    BaseEstimator,
):
    r"""Ridge regression with a prediction of its own test error.

    Minimises ||y - Xw||² + alpha ||w||² as `sklearn.linear_model.Ridge` does, and answers, from the
    features' population, which error this ridge reaches with any number of samples and any alpha:
    (B + σ²)/(1 - df2/n) at the effective regularisation κ with alpha/κ = n - df1(κ).

    Parameters
    ----------
    alpha : float or "optimal" or array-like of shape (n_outputs,), default=1.0
        Regularisation, not negative; 0 gives the solution of minimum norm. "optimal" takes the
        alpha of least predicted error for the number of training rows. Several are one for each
        output, as in `sklearn.linear_model.Ridge`.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    population : str or population object, default="leave-one-out"
        How the population is known: a name (see ``sk_deepfeat.plugins.available("populations")``)
        or an instance. One fitted on other rows is handed over as
        ``sklearn.frozen.FrozenEstimator(fitted)``.
    alpha_per_target : bool, default=False
        Whether "optimal" is the best alpha of each output by itself, among alphas 1.8 % apart, as
        in `sklearn.linear_model.RidgeCV`; in `fit` and in every question. Otherwise it is that of
        the mean error over outputs.
    block_length : int, optional
        Rows of a block, for ``fit(..., groups="blocks")``, at most half of them; None chooses it
        from the autocorrelation of the residuals.
    reservoir_size : int or None or "auto", default="auto"
        How many rows are kept where rows are taken block by block: by `partial_fit`, and by `fit`
        from files, data sets and iterators. A number takes arrays of more rows block by block,
        too; "auto" is 10,000, and arrays of more than 2 GiB in double precision without groups;
        None keeps all rows. Of rows in groups, whole groups are kept.
    verbose : bool, default=False
        Whether what takes more than two seconds has a bar of progress on standard error: stages of
        `fit`, rows of a stream, and questions that are asked later. A decomposition has no steps to
        count, and tells its seconds alone.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Coefficients.
    intercept_ : float or ndarray of shape (n_outputs,)
        Intercept; 0.0 if none is fitted.
    alpha_ : float or ndarray of shape (n_outputs,)
        The regularisation used, of each output where they have their own.
    population_ : object
        The fitted population.
    error_predictor_ : ErrorPredictor
        The value that answers every question about the error.
    eigenvalues_ : ndarray of shape (rank,)
        Those of the training rows' covariance of features that are not zero, descending; of their
        second moment if no intercept is fitted. In squared units of X. Not there where the
        population makes no factorisation, as "lanczos".
    kappa_ : float or ndarray of shape (n_outputs,)
        Effective regularisation at the training size and `alpha_`.
    test_error_ : float
        Predicted mean squared error on new samples, averaged over outputs.
    train_error_ : float
        Mean squared error reached on the training rows (weighted, averaged over outputs).
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
    sk_deepfeat.TwoStageRegressor : Trains the features on other rows than the ridge.
    sklearn.linear_model.Ridge : The same coefficients without predictions of the error.

    Notes
    -----
    A feature map trained on the targets of the rows that the ridge then sees makes `test_error_`
    far too small, whatever the population: use `TwoStageRegressor`.

    Rows that come in groups (of a patient, a site, a recording, copies of an image) are no
    independent draws. Without ``groups``, the predicted error is that on rows which are to the
    training rows as these are to each other; with ``fit(X, y, groups=labels)`` it is that on rows
    of new groups, from whole groups left out.

    References
    ----------
    Schröder, Dmitriev, Cui, Loureiro, "Asymptotics of Learning with Deep Structured (Random)
    Features", ICML 2024, arXiv:2402.13999.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat import DeterministicEquivalentRidge
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 100))
    >>> y = X[:, 0] + rng.normal(size=500)
    >>> ridge = DeterministicEquivalentRidge(alpha=10.0).fit(X, y)
    >>> ridge.predict_test_error(n_samples=[200, 500, 2000]).round(1)
    array([1.9, 1.3, 1.1])
    """

    def __init__(
        self,
        alpha: Any = 1.0,
        *,
        fit_intercept: bool = True,
        population: Any = "leave-one-out",
        alpha_per_target: bool = False,
        block_length: int | None = None,
        reservoir_size: Any = "auto",
        verbose: Any = False,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.population = population
        self.alpha_per_target = alpha_per_target
        self.block_length = block_length
        self.reservoir_size = reservoir_size
        self.verbose = verbose

    @told()
    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, groups: Any = None
    ) -> DeterministicEquivalentRidge:
        """Fit the coefficients and the population from one factorisation.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), or a source of rows
            Features, at least two rows. Sparse ones are centred implicitly and never written out.
            Sources are read block by block and never held: any array with a shape and slices (h5py,
            zarr, dask), the path of a ``.npy``, ``.zarr`` or ``.parquet`` file, a pyarrow data set,
            an iterator of blocks (X, y), (X, y, sample_weight) or (X, y, sample_weight, groups), or
            a list of paths or of dask's delayed blocks. What is given by path, and what is dask's,
            is read by the workers of a cluster if there is a dask client.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets, taken for numbers. A single column of at least 100 integers or booleans with at
            most 20 distinct values without a gap looks like classes, and a `PopulationWarning`
            says so; floats never do. Beside a path a path, too; for tables the names of columns;
            beside blocks None, since they bring theirs.
        sample_weight : float or array-like of shape (n_samples,), optional
            Weights, not negative. For the coefficients a weight equals repetition; for the
            predicted error a row of any weight is one draw.
        groups : array-like of shape (n_samples,) or "blocks", optional
            Hashable labels of the rows' groups, two at least. The predicted error, with all that
            rests on it, is then that on rows of new groups; the coefficients stay the same.
            "blocks" takes stretches of `block_length` rows of a series for groups: new stretches
            of the same process, not the future of one that drifts. Where rows are taken block by
            block, labels are integers or strings: an array of all, or for tables the name of their
            column; not "blocks", and not on a cluster.

        Returns
        -------
        DeterministicEquivalentRidge
            Itself.

        Raises
        ------
        ValueError
            If an argument is outside its range, the population has another width than X, it cannot
            use groups, or X is sparse with more rows and columns than can be factorised.
        ConnectionError
            If the scheduler of a cluster is lost.
        RuntimeError
            If its workers die again and again.
        TypeError
            If the population lacks required members.
        """
        check_fitted_alpha(self.alpha)
        check_flag(self.alpha_per_target, "alpha_per_target")
        if self._streams(X, y, groups):
            return self._fit_stream(X, y, sample_weight, groups)
        fit_intercept = check_flag(self.fit_intercept, "fit_intercept")
        place, device = place_of(X), DeviceRows.of(X)
        kind = target_kind(in_numpy(y))
        X, y, sample_weight = check_rows(self, X, y, sample_weight)
        warn_of_classes(kind, y if sample_weight is None else y[sample_weight > 0])
        factorization, predictor = self._fit_population(
            X, y, sample_weight, groups, fit_intercept=fit_intercept, device=device
        )
        self._take(factorization, predictor, single=y.ndim == 1)
        self._single_output = y.ndim == 1
        labels = groups if groups is None or isinstance(groups, str) else row_labels(groups)
        self._keep_rows(RowBlock(X, y, sample_weight, labels), factorization.features)
        self._settle(place, device)
        return self

    def _take_factorization(
        self, factorization: RidgeFactorization, X: Any, y: Any, sample_weight: Any, codes: Any
    ) -> None:
        predictor = self._learn_population(factorization, X, y, sample_weight, codes)
        self._take(factorization, predictor, single=y.ndim == 1)

    @as_stage("coefficients and alpha")
    def _take(
        self,
        factorization: RidgeFactorization | UnfactorizedRows,
        predictor: ErrorPredictor,
        *,
        single: bool,
    ) -> None:
        """Set what is asked of a fitted ridge."""
        alpha = predictor.optimal_alpha() if is_optimal(self.alpha) else predictor.alpha
        given = np.ndim(self.alpha) == 0 and not is_optimal(self.alpha)
        self.alpha_ = self.alpha if given else alpha
        self.error_predictor_ = replace(predictor, alpha=alpha if np.ndim(alpha) else float(alpha))
        coefs, intercept, train_error = coefs_and_intercept(factorization, alpha)
        self.coef_ = coefs[:, 0] if single else coefs.T
        self.intercept_: Any = 0.0
        if factorization.fit_intercept:
            self.intercept_ = float(intercept[0]) if single else intercept
        self.train_error_ = float(train_error.mean())
        kappa = self.error_predictor_.kappa()
        self.kappa_ = kappa if np.ndim(kappa) else float(kappa)
        self.test_error_ = float(self.error_predictor_.test_error())

    def predict(self, X: Any) -> Any:
        """Predict with the fitted coefficients.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features.

        Returns
        -------
        array of shape (n_samples,) or (n_samples, n_outputs)
            In double precision, where the device of X has it.
        """
        check_is_fitted(self)
        require_same_place(X, self, "coef_", "predict")
        place = place_of(X)
        dtype = np.float64 if place is None else place.float_dtype
        X = validate_data(self, X, accept_sparse="csr", dtype=dtype, reset=False)
        coef = self.coef_ if self.coef_.ndim == 1 else self.coef_.T
        return X @ coef + self.intercept_
