"""Fitting a ridge on rows that come in blocks: sums that grow, and answers when they are asked."""

from __future__ import annotations

import operator
import re
import sys
from functools import partial
from typing import Any

import numpy as np
from sklearn.utils.validation import check_consistent_length, validate_data

from sk_deepfeat.linear_model._arguments import check_fitted_alpha, exact_alphas
from sk_deepfeat.linear_model._population import takes_samples
from sk_deepfeat.progress import showing
from sk_deepfeat.rows import (
    RowBlock,
    RowSource,
    current_client,
    in_numpy,
    is_array,
    require_targets,
    row_labels,
    row_source,
    sum_on_workers,
    told_rows,
    warn_of_the_largest,
)
from sk_deepfeat.theory import GramAccumulator, RidgeFactorization, factorize_sums
from sk_deepfeat.theory.validation import check_flag, check_unmasked, numeric_targets

RESERVOIR_SIZE = 10_000
# Arrays of more entries, two gigabytes in double precision, are taken block by block.
_MOST_ENTRIES = 2**28
_BLOCK_ENTRIES = 4_000_000
_OF_INPUT = ("n_features_in_", "feature_names_in_")


class StreamFitMixin:
    """`partial_fit`, and `fit` on what does not come as one array.

    What is learned is made when it is first asked, so that blocks cost no more than their sums. A
    subclass implements ``_take_factorization(factorization, X, y, sample_weight, codes)``.
    """

    alpha: Any
    fit_intercept: bool
    population: Any
    reservoir_size: Any
    verbose: Any
    _single_output: bool
    _rows_of_fit: tuple[RowBlock, Any] | None

    def __getattr__(self, name: str) -> Any:
        state = self.__dict__
        learned = name.endswith("_") and not name.startswith("_") and name not in _OF_INPUT
        if learned and state.get("_waiting"):
            state["_waiting"] = False
            try:
                with showing(self.verbose):
                    self._learn_sums()
            except BaseException:
                state["_waiting"] = True
                raise
            if name in state:
                return state[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Any:
        """Add rows to those that have been added before.

        Second moments are summed in double precision, which gives the coefficients of `fit` on all
        rows together, to rounding. Of the rows themselves a uniform sample of `reservoir_size` is
        kept, from which leave-one-out errors and the check of the theory are made: exact errors of
        these rows, as if all had been left out in turn, whose mean stands for that over all.
        Everything is made anew when it is first asked for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features of some rows; sparse ones are made dense.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.
        sample_weight : float or array-like of shape (n_samples,), optional
            Their weights, not negative.
        groups : array-like of shape (n_samples,), optional
            Labels of their groups, integers or strings, with all rows or with none. Rows of one
            label belong together, whenever they come. Errors are then those on rows of new groups,
            from whole groups that are kept, of `reservoir_size` rows together.

        Returns
        -------
        DeterministicEquivalentRidge
            Itself.

        Raises
        ------
        ValueError
            If rows do not fit those before, in width or precision, or are not finite; nothing of
            them is then added. If `reservoir_size` has been changed, or the estimator was fitted on
            an array that is no longer as it was, or no longer there after pickling. If some rows
            have groups and others none.
        TypeError
            If a label of a group is neither an integer nor a string.
        """
        check_fitted_alpha(self.alpha)
        check_flag(self.fit_intercept, "fit_intercept")
        sums = self.__dict__.get("_sums")
        if sums is None:
            sums = self._sums_of_fit()
        elif sums.reservoir_size != self._reservoir_size():
            raise ValueError(
                f"reservoir_size={self.reservoir_size!r} was {sums.reservoir_size} for the rows "
                "before; a sample cannot grow afterwards. Start anew from a clone."
            )
        labels = None if groups is None else row_labels(groups)
        self._add(sums, RowBlock(X, y, sample_weight, labels))
        self._sums, self._rows_of_fit = sums, None
        self._forget()
        return self

    def _streams(self, X: Any, y: Any, groups: Any) -> bool:
        """Say whether `fit` takes rows block by block."""
        wanted = self.reservoir_size
        series = isinstance(groups, str) and groups == "blocks"
        if not is_array(X):
            if series:
                raise ValueError(
                    'groups="blocks" needs all rows of a series at once: pass X as an array, or as '
                    "one that is mapped from a file with reservoir_size=None. For rows that come "
                    "in blocks name the stretches, one label per row."
                )
            return True
        chosen = isinstance(wanted, str) and wanted == "auto"
        if wanted is None or y is None or series or (groups is not None and chosen):
            return False
        dense = isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "biuf"
        if not dense or not takes_samples(self.population):
            return False
        if len(X) <= max(self._reservoir_size(), 2 * X.shape[1]):
            return False
        return not chosen or X.size > _MOST_ENTRIES

    def _fit_stream(self, X: Any, y: Any, sample_weight: Any, groups: Any) -> Any:
        """Fit on everything that a source yields, here or on the workers of a cluster."""
        check_flag(self.fit_intercept, "fit_intercept")
        return self._fit_source(row_source(X, y, sample_weight, groups))

    def _fit_source(self, source: RowSource) -> Any:
        """Add everything up, and learn from it."""
        client = None if source.parts is None else current_client()
        if client is None:
            sums = GramAccumulator(reservoir_size=self._reservoir_size())
            for name in _OF_INPUT:
                self.__dict__.pop(name, None)
            for block in told_rows(source, "fit"):
                self._add(sums, block)
        else:
            make = partial(_sums_of_part, self._reservoir_size())
            found = sum_on_workers(client, source, make)
            sums, self._single_output = found.sums, bool(found.single)
            self.__dict__.pop("feature_names_in_", None)
            self.n_features_in_ = sums.n_features
        if sums.n_blocks == 0:
            raise ValueError("No block of rows came: an empty stream cannot be fitted.")
        if source.feature_names is not None:
            self.feature_names_in_ = np.asarray(source.feature_names, dtype=object)
        self._sums, self._rows_of_fit = sums, None
        self._forget()
        self._waiting = False
        self._learn_sums()
        return self

    def _add(self, sums: GramAccumulator, block: RowBlock) -> None:
        """Validate a block as scikit-learn does, and add it."""
        require_targets(self, block.y)
        block = RowBlock(*map(in_numpy, block))
        first = sums.n_blocks == 0
        try:
            check_unmasked(block.X, "X")
            check_unmasked(block.sample_weight, "sample_weight")
            X = validate_data(
                self,
                block.X,
                reset=first,
                accept_sparse=True,
                dtype=[np.float64, np.float32],
                ensure_all_finite=False,
            )
            y = numeric_targets(block.y)
            check_consistent_length(X, y)
        except (ValueError, OverflowError) as error:
            names = "" if re.search(r"\b[Xy]\b", str(error)) else "X or y: "
            raise ValueError(f"Block {sums.n_blocks}: {names}{error}") from error
        X = X.toarray() if hasattr(X, "toarray") else X
        single = y.ndim == 1
        if not first and single != self._single_output:
            raise ValueError(
                f"Block {sums.n_blocks}: y has {y.ndim} dimensions, before it had "
                f"{2 - self._single_output}."
            )
        sums.add(X, y, block.sample_weight, block.groups)
        self._single_output = single

    def _reservoir_size(self) -> int:
        size = self.reservoir_size
        if isinstance(size, str) and size == "auto":
            return RESERVOIR_SIZE
        if size is None:
            return sys.maxsize
        try:
            number = operator.index(size)
        except TypeError:
            number = 0
        if number < 2 or isinstance(size, bool):
            raise ValueError(
                f"reservoir_size={size!r} must be 'auto', None or a whole number of at least 2."
            )
        return number

    def _keep_rows(self, block: RowBlock, features: Any) -> None:
        """Remember which rows `fit` has had at once, without a copy, for more to be added."""
        self.__dict__.pop("_sums", None)
        self._waiting = False
        self._rows_of_fit = (block, features)

    def _sums_of_fit(self) -> GramAccumulator:
        """Return sums over the rows that `fit` has had at once; empty ones before any."""
        sums = GramAccumulator(reservoir_size=self._reservoir_size())
        if "n_samples_" not in self.__dict__:
            return sums
        if self._rows_of_fit is None:
            raise ValueError(
                "partial_fit adds to the rows of fit, which are not pickled; fit again, or begin "
                "with partial_fit."
            )
        block, features = self._rows_of_fit
        if isinstance(block.groups, str):
            raise ValueError(
                'partial_fit cannot add to the rows of fit(groups="blocks"): which stretches they '
                "are in rests on all of them. Name the stretches, one label per row, in both."
            )
        if features.changed:
            raise ValueError(
                "X has been written to since it was fitted, and partial_fit adds to the rows as "
                "they were, of which no copy is kept; fit again, on X.copy() if it is to change."
            )
        step = max(1, _BLOCK_ENTRIES // block.X.shape[1])
        for start in range(0, block.X.shape[0], step):
            some = slice(start, start + step)
            X = block.X[some]
            weights = None if block.sample_weight is None else block.sample_weight[some]
            groups = None if block.groups is None else block.groups[some]
            sums.add(X.toarray() if hasattr(X, "toarray") else X, block.y[some], weights, groups)
        return sums

    def __getstate__(self) -> dict[str, Any]:
        state: Any = super().__getstate__()
        return {**state, "_rows_of_fit": None} if "_rows_of_fit" in state else state

    def _forget(self) -> None:
        """Drop what was learned from fewer rows; it is made anew when it is asked."""
        learned = [name for name in self.__dict__ if name.endswith("_") and name not in _OF_INPUT]
        for name in learned:
            del self.__dict__[name]
        self._waiting = True

    def _learn_sums(self) -> None:
        """Learn from the sums, and from the rows that were kept."""
        check_fitted_alpha(self.alpha)
        exact = exact_alphas(self.alpha)
        found = factorize_sums(self._sums, fit_intercept=self.fit_intercept, exact_at=exact)
        if found.n_sampled < found.n_rows and not takes_samples(self.population):
            raise ValueError(
                f"population={self.population!r} needs all rows, and {found.n_sampled} of "
                f"{found.n_rows} are kept; population='leave-one-out' and 'gcv' need no more, or "
                "reservoir_size=None keeps all."
            )
        codes = None if found.groups is None else found.groups.number
        if found.groups is not None:
            warn_of_the_largest(found.groups.sizes, found.n_rows)
        X, y, weights = self._sums.reservoir.copies()
        self._take_factorization(found, X, y[:, 0] if self._single_output else y, weights, codes)

    def _take_factorization(
        self, factorization: RidgeFactorization, X: Any, y: Any, sample_weight: Any, codes: Any
    ) -> None:
        raise NotImplementedError


def _sums_of_part(reservoir_size: int, number: int, n_expected: int | None) -> GramAccumulator:
    """Return an empty accumulator for a part of the rows; workers call it."""
    return GramAccumulator(
        reservoir_size=reservoir_size, random_state=number, n_expected=n_expected
    )
