"""
Which layer, which epoch?
=========================

A network is trained once; its hidden layers at several epochs are candidates for the features of a
ridge readout. Which is best depends on how many labelled rows the readout will have, and one fit of
the readout for each candidate answers for all numbers of rows.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sk_deepfeat import DeterministicEquivalentRidge, TrainedDeepFeatures

SEED = 0
WIDTHS = (200, 100, 50)
EPOCHS = (0, 1, 2, 5, 10, 20)
LAYERS = ("activation_1", "activation_2", "activation_3")

# %%
# Handwritten digits, +1 for even and -1 for odd ones. The network learns from 400 rows, the readout
# from 700 others, and the rest is held out.

X, digit = load_digits(return_X_y=True)
X = (X - X.mean()) / X.std()
y = np.where(digit % 2 == 0, 1.0, -1.0)
X_network, X_rest, y_network, y_rest = train_test_split(X, y, train_size=400, random_state=SEED)
X_readout, X_test, y_readout, y_test = train_test_split(
    X_rest, y_rest, train_size=700, random_state=SEED
)

# %%
# ``checkpoints`` keeps the weights at the epochs that matter, ``layer`` names the layer, and the
# same seed trains the same network. ``staged_transform`` gives the features at each checkpoint.
#
# Units that fire on a handful of rows are left out. They would help nobody, and at tiny alpha such
# a row determines its unit by itself, which no theory of averages over rows can follow;
# ``calibration_check`` would say so.

sizes = np.array([30, 100, 300, 700])
predicted = np.empty((len(LAYERS), len(EPOCHS), len(sizes)))
held_out = np.empty((len(LAYERS), len(EPOCHS)))
standard_error = np.empty_like(held_out)
for i, layer in enumerate(LAYERS):
    network = TrainedDeepFeatures(
        WIDTHS, layer=layer, max_epochs=EPOCHS[-1], checkpoints=EPOCHS, random_state=SEED
    ).fit(X_network, y_network)
    stages = zip(network.staged_transform(X_readout), network.staged_transform(X_test), strict=True)
    for j, (train, test) in enumerate(stages):
        active = np.sum(train > 0, axis=0) >= 10
        train, test = train[:, active], test[:, active]
        readout = DeterministicEquivalentRidge("optimal").fit(train, y_readout)
        predicted[i, j] = readout.predict_test_error(sizes, "optimal")
        squares = (readout.predict(test) - y_test) ** 2
        held_out[i, j] = squares.mean()
        standard_error[i, j] = squares.std() / np.sqrt(len(squares))

# %%
# The best candidate for each number of labelled rows

for k, n in enumerate(sizes):
    i, j = np.unravel_index(np.argmin(predicted[:, :, k]), predicted.shape[:2])
    print(f"{n:4d} rows: {LAYERS[i]}, epoch {EPOCHS[j]}, error {predicted[i, j, k]:.3f}")

# %%
# Against the held-out rows, for the readout of 700 rows. All candidates are measured on the same
# rows and predicted from the same rows, so that they are off together, by what either sample may
# be off by itself:

relative_error = np.abs(predicted[:, :, -1] / held_out - 1.0)
sampling_error = np.median(standard_error / held_out)
print(f"median {np.median(relative_error):.1%}, worst {relative_error.max():.1%} off;")
print(f"standard error of what is held out {sampling_error:.1%}")

# %%
# Each map is one number of labelled rows. At the last epoch the deepest layer wins by much with few
# rows, since training has put the target into few directions, and by nothing with many. Untrained,
# the first layer is the best at any number of rows.

fig, axes = plt.subplots(1, len(sizes), figsize=(10, 3.2), sharey=True, layout="constrained")
limits = predicted.min(), predicted.max()
for k, (ax, n) in enumerate(zip(axes, sizes, strict=True)):
    image = ax.imshow(
        np.log10(predicted[:, :, k]),
        cmap="viridis_r",
        vmin=np.log10(limits[0]),
        vmax=np.log10(limits[1]),
        aspect="auto",
    )
    best = predicted[:, :, k].min()
    for (i, j), value in np.ndenumerate(predicted[:, :, k]):
        ax.text(
            j,
            i,
            f"{value:.2f}",
            ha="center",
            va="center",
            fontsize=8,
            color="black" if value < np.sqrt(limits[0] * limits[1]) else "white",
            weight="bold" if value == best else "normal",
        )
    ax.set(xticks=range(len(EPOCHS)), xticklabels=EPOCHS, xlabel="epoch", title=f"{n} rows")
axes[0].set(
    yticks=range(len(LAYERS)),
    yticklabels=[f"layer {i + 1}\n{w} units" for i, w in enumerate(WIDTHS)],
)
fig.suptitle("predicted test error (mean squared error), best alpha; bold: least")
plt.show()
