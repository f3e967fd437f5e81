"""
How do I use many cores, or a cluster?
======================================

Refits are independent of each other. `n_jobs` spreads them over the cores of one machine, and
joblib's backends, dask among them, over a cluster: the code stays the same, and so do the numbers.
"""

import joblib
import numpy as np
from dask.distributed import Client, LocalCluster
from matplotlib import pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.utils import shuffle

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures, TwoStageRegressor
from sk_deepfeat.model_selection import RidgeLearningCurveDisplay, ridge_learning_curve

SEED = 0

# %%
# Handwritten digits, +1 for even and -1 for odd ones, on 300 random features.

# They come writer by writer: shuffled, "new" digits are more of the same writers.
X, digit = shuffle(*load_digits(return_X_y=True), random_state=SEED)
X = (X - X.mean()) / X.std()
y = np.where(digit % 2 == 0, 1.0, -1.0)
features = RandomDeepFeatures((300,), random_state=SEED).fit_transform(X)
options = {
    "train_sizes": [50, 100, 200, 400, 800],
    "alphas": [0.1, 10.0, 1000.0],
    "n_repeats": 10,
    "random_state": SEED,
}

# %%
# Cores of one machine
# --------------------
# Subsets are drawn before the work is dispatched, so that the number of jobs changes nothing but
# the time.

ridge = DeterministicEquivalentRidge()
one = ridge_learning_curve(ridge, features, y, **options)
two = ridge_learning_curve(ridge, features, y, n_jobs=2, **options)
np.array_equal(one.measured, two.measured)

# %%
# A cluster
# ---------
# A dask client makes the backend "dask" known to joblib. Here the cluster is one worker in this
# process; ``Client("scheduler-address:8786")`` connects to another in the same way. ``scatter``
# sends the arrays to the workers once rather than with every task.

with (
    LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
    ) as here,
    Client(here),
    joblib.parallel_config(backend="dask", scatter=[features, y]),
):
    cluster = ridge_learning_curve(ridge, features, y, n_jobs=-1, **options)
    search = GridSearchCV(
        TwoStageRegressor(
            RandomDeepFeatures(random_state=SEED),
            DeterministicEquivalentRidge("optimal", population="gcv"),
            random_state=SEED,
        ),
        {"feature_map__hidden_layer_sizes": [(50,), (300,), (300, 300)]},
        scoring="neg_mean_squared_error",
        cv=3,
    ).fit(X, y)
np.array_equal(one.measured, cluster.measured)

# %%
# What scikit-learn runs in parallel, such as `GridSearchCV`, uses the same cluster.

search.best_params_

# %%
# The curve itself

display = RidgeLearningCurveDisplay.from_result(cluster)
display.ax_.set_title("learning curves, measured on a cluster")
plt.show()
