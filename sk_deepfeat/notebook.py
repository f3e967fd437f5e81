"""Show what a fitted model predicts of its error in a notebook, whatever the ridge is inside of."""

from __future__ import annotations

import warnings
from typing import Any

from sklearn.utils import estimator_html_repr

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.linear_model.notebook_card import predicted_error_html
from sk_deepfeat.linear_model.wrapped_ridges import fitted_ridge, steps_that_learned

__all__ = ["Card", "show"]


class Card:
    """A model and its predicted error, as a notebook shows them.

    Made by `show`.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", PopulationWarning)
            doubts = [self._same_rows()]
            ridge = fitted_ridge(estimator)
            doubts += [
                str(item.message) for item in caught if issubclass(item.category, PopulationWarning)
            ]
        self.sentence = predicted_error_html(ridge, *filter(None, doubts))

    def _same_rows(self) -> str:
        learned = steps_that_learned(self.estimator)
        if not learned:
            return ""
        return (
            f"But the step {learned[0]!r} learned from the targets of the same rows, which can "
            "make the predicted error far too small."
        )

    def _repr_html_(self) -> str:
        return estimator_html_repr(self.estimator) + self.sentence

    def __repr__(self) -> str:
        return repr(self.estimator)


def show(estimator: Any) -> Card:
    """Show a fitted model and its predicted error in a notebook.

    A `DeterministicEquivalentRidge` and two stages show it by themselves, and a pipeline says it in
    small below the name of the ridge. A search, a `TransformedTargetRegressor` and a
    `MultiOutputRegressor` are drawn by scikit-learn; with `show` any of them tells the error of the
    whole, in the units of its targets.

    Parameters
    ----------
    estimator : estimator
        As of `sk_deepfeat.predict_test_error`.

    Returns
    -------
    Card
        The last line of a cell shows it.

    Raises
    ------
    TypeError
        If no such ridge is inside.
    NotFittedError
        If it is not fitted.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sk_deepfeat import DeterministicEquivalentRidge
    >>> from sk_deepfeat.notebook import show
    >>> X, y = load_diabetes(return_X_y=True)
    >>> show(make_pipeline(StandardScaler(), DeterministicEquivalentRidge()).fit(X, y))
    Pipeline(steps=[('standardscaler', StandardScaler()),
                    ('deterministicequivalentridge',
                     DeterministicEquivalentRidge())])
    """
    return Card(estimator)
