"""
How good is a readout on trained features?
==========================================

Two ways to put ridge regression on the hidden layer of a trained network.

A `Pipeline` fits both on the same rows: right for predictions, scored by cross-validation.
`TwoStageRegressor` fits the network on one half of the rows and the ridge on the other, and then
knows what test error the ridge would reach with any other number of samples.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline

from sk_deepfeat import DeterministicEquivalentRidge, TrainedDeepFeatures, TwoStageRegressor
from sk_deepfeat.model_selection import RidgeLearningCurveDisplay, ridge_learning_curve

SEED = 0

# %%
# The data: handwritten digits, which ship with scikit-learn. The target is +1 for an even digit
# and -1 for an odd one.

X, digit = load_digits(return_X_y=True)
X = (X - X.mean()) / X.std()
y = np.where(digit % 2 == 0, 1.0, -1.0)
X.shape

# %%
# Pipeline and cross-validation
# -----------------------------
# In each fold the network is trained anew, and its features of the held-out rows are new to it,
# so the scores can be believed.

feature_map = TrainedDeepFeatures((200,), max_epochs=10, random_state=SEED)
pipeline = Pipeline([("feat", feature_map), ("ridge", Ridge(alpha=1.0))])
errors = -cross_val_score(pipeline, X, y, scoring="neg_mean_squared_error", cv=5)
errors.mean()

# %%
# Two stages and a prediction
# ---------------------------
# The pipeline says nothing about other numbers of samples. `TwoStageRegressor` does, since its
# ridge has seen only rows that the network has not.

model = TwoStageRegressor(feature_map, DeterministicEquivalentRidge(alpha=10.0), random_state=SEED)
model.fit(X, y)
model.test_error_

# %%
# Ask for other sizes and other alphas without a single refit. `n_samples` counts the rows of the
# readout.

model.predict_test_error(n_samples=[50, 200, 800], alpha=10.0)

# %%
# The predicted curve against refits
# ----------------------------------
# `ridge_learning_curve` draws random subsets of the readout's rows, refits the ridge on each, and
# measures it on all the rows that neither stage has seen.

curve = ridge_learning_curve(
    model,
    X,
    y,
    train_sizes=[30, 60, 120, 240, 480],
    alphas=[1.0, 10.0, 100.0],
    n_repeats=10,
    random_state=SEED,
)
relative_error = np.abs(curve.predicted / curve.measured_mean - 1.0)
print(f"median relative error {np.median(relative_error):.1%}, worst {relative_error.max():.1%}")

display = RidgeLearningCurveDisplay.from_result(curve)
display.ax_.set_title("ridge on a trained layer: predicted and measured")
plt.show()
