"""
Which curve will this network have, before there is data?
=========================================================

The test error of ridge on a random network follows from its weights alone. Here the rows of the
last layer have a covariance that depends on the first layer, and the target is a network with which
the first layer is correlated. No sample is needed for the lines; the points are refits.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge

from sk_deepfeat import RandomDeepFeatures
from sk_deepfeat.datasets import make_rainbow_regression
from sk_deepfeat.model_selection import RidgeLearningCurveDisplay, ridge_learning_curve
from sk_deepfeat.populations import LinearizedPopulation

SEED = 0
N_INPUTS = N_UNITS = 200
inputs = np.zeros((1, N_INPUTS))

# %%
# The teacher: one layer of tanh units, whose weights decay along the inputs. Its readout is random.

rng = np.random.default_rng(SEED)
teacher = RandomDeepFeatures(N_UNITS, "tanh", weight_covariance=0.3, random_state=SEED).fit(inputs)
readout = rng.normal(size=N_UNITS) / np.sqrt(N_UNITS)

# %%
# The learner has two layers of relu. Its first weights are the mean of the teacher's and of others;
# the rows of the second layer have the covariance :math:`C_2 \propto (W_1 W_1^\top + 1/2)^{-1}`,
# which depends on the first.


def second_layer(earlier):
    """Return the covariance of the second layer's rows, given the weights before."""
    inverse = np.linalg.inv(earlier[0] @ earlier[0].T + 0.5 * np.eye(N_UNITS))
    return inverse / np.trace(inverse)


learner = RandomDeepFeatures(
    (N_UNITS, N_UNITS),
    "relu",
    weight_covariance=[None, second_layer],
    random_state=SEED + 1,
).fit(inputs)
learner.weights_[0] = (learner.weights_[0] + teacher.weights_[0]) / np.sqrt(2)

# %%
# The population, from the weights. `finite_width` counts that the second layer's pre-activations
# are not quite normal.

population = LinearizedPopulation(
    FrozenEstimator(learner),
    np.ones(N_INPUTS),
    (FrozenEstimator(teacher), readout),
    noise=0.1,
    method="hermite",
    finite_width=True,
).fit()
population.test_error([50, 200, 800], 1.0, fit_intercept=True)

# %%
# Rows of features and targets, for refits that check the prediction.

X, y, _ = make_rainbow_regression(
    20_000, learner, teacher, readout=readout, noise=0.1, random_state=SEED + 2
)
curve = ridge_learning_curve(
    Ridge(),
    X,
    y,
    train_sizes=[25, 50, 100, 200, 400, 800, 1600],
    alphas=[0.1, 1.0, 10.0],
    n_repeats=20,
    population=FrozenEstimator(population),
    random_state=SEED,
)
relative_error = np.abs(curve.predicted / curve.measured_mean - 1.0)
print(f"median relative error {np.median(relative_error):.1%}, worst {relative_error.max():.1%}")

display = RidgeLearningCurveDisplay.from_result(curve)
display.ax_.set_title("predicted from weights, measured by refits")
plt.show()
