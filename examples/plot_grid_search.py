"""
Which alpha? A grid search and a prediction
===========================================

`GridSearchCV` refits the ridge for every alpha and every fold. `DeterministicEquivalentRidge`
reads the same curve off one fit, for the size at hand and for sizes not collected yet.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures

SEED = 0

# %%
# Handwritten digits, +1 for even and -1 for odd ones, and a random network of two layers. Random
# features have seen no targets, so that a plain pipeline can predict its own error.

X, digit = load_digits(return_X_y=True)
X = (X - X.mean()) / X.std()
y = np.where(digit % 2 == 0, 1.0, -1.0)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=SEED)

feature_map = RandomDeepFeatures((300, 300), random_state=SEED)

# %%
# Grid search
# -----------
# Eleven values of alpha and five folds: 55 refits.

alphas = np.logspace(-2, 3, 11)
search = GridSearchCV(
    Pipeline([("feat", feature_map), ("ridge", Ridge())]),
    {"ridge__alpha": alphas},
    scoring="neg_mean_squared_error",
    cv=5,
).fit(X_train, y_train)
search.best_params_

# %%
# Prediction
# ----------
# One fit. The grid search trains on four fifths of the rows, and the ridge can be asked about
# exactly that size.

pipeline = Pipeline([("feat", feature_map), ("ridge", DeterministicEquivalentRidge())])
ridge = pipeline.fit(X_train, y_train)[-1]
n_rows = len(y_train)
n_fold = n_rows * 4 // 5
predicted = ridge.predict_test_error(n_samples=n_fold, alpha=alphas)
searched = -search.cv_results_["mean_test_score"]
(predicted / searched).round(2)

# %%
# The two agree at every alpha.
#
# ``alpha="optimal"`` takes the alpha of least predicted error for the number of training rows.

best = Pipeline([("feat", feature_map), ("ridge", DeterministicEquivalentRidge("optimal"))])
best.fit(X_train, y_train)
error = np.mean((best.predict(X_test) - y_test) ** 2)
predicted_error, low, high = best[-1].predict_test_error(return_interval=True)
print(f"alpha {best[-1].alpha_:.3g}: predicted {predicted_error:.4f} ({low:.4f} to {high:.4f})")
print(f"held out {error:.4f}, from {len(y_test)} rows with a sampling error of their own")

# %%
# With more samples less regularisation is wanted. No row has been collected for this answer.

ridge.optimal_alpha(n_samples=[200, n_rows, 2 * n_rows])

# %%
# Both curves

_, ax = plt.subplots(layout="constrained")
ax.plot(alphas, predicted, label=f"predicted, n = {n_fold}")
ax.plot(alphas, searched, "o", label="grid search, five folds")
ax.plot(alphas, ridge.predict_test_error(n_samples=200, alpha=alphas), "--", label="n = 200")
ax.axvline(best[-1].alpha_, color="0.6", lw=1, label=f"optimal alpha, n = {n_rows}")
ax.set(xscale="log", yscale="log", xlabel="alpha", ylabel="mean squared error")
ax.set_title("one fit against 55 refits")
for formatter in (ax.yaxis.set_major_formatter, ax.yaxis.set_minor_formatter):
    formatter("{x:g}")
ax.legend()
plt.show()
