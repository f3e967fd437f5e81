"""
Which layer of a pretrained network?
====================================

A ridge readout on a hidden layer of ResNet-18: which layer is the best, and for how many labelled
images? The network is not trained here. Its weights are the published ones if torchvision has them
on this machine, and random ones if not; the code is the same.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
import torchvision
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge

from sk_deepfeat import DeterministicEquivalentRidge, TrainedDeepFeatures

SEED = 0
N_TRAIN = 800

# %%
# The backbone
# ------------
# ``module`` takes a function that returns a fresh network. torchvision keeps downloaded weights in
# the folder of ``torch.hub``; to fetch them once, call
# ``torchvision.models.resnet18(weights="DEFAULT")`` on a machine with a network.

WEIGHTS = torchvision.models.ResNet18_Weights.DEFAULT
FILE = Path(torch.hub.get_dir()) / "checkpoints" / Path(WEIGHTS.url).name
KNOWN = FILE.exists()


def backbone():
    """Return ResNet-18, with the published weights if they are on this machine."""
    return torchvision.models.resnet18(weights=WEIGHTS if KNOWN else None)


print("published weights" if KNOWN else "random weights")

# %%
# The images
# ----------
# Handwritten digits of 8 by 8 pixels, enlarged four times, in three equal channels. The target is
# +1 for an even digit and -1 for an odd one.

digits = load_digits()
rng = np.random.default_rng(SEED)
order = rng.permutation(len(digits.target))
images = (digits.images[order] - digits.images.mean()) / digits.images.std()
y = np.where(digits.target[order] % 2 == 0, 1.0, -1.0)
large = np.kron(images, np.ones((4, 4))).astype(np.float32)
X = np.repeat(large[:, None], 3, axis=1)
X.shape

# %%
# Features of three depths
# ------------------------
# ``max_epochs=0`` leaves the weights alone, ``layer`` names the layer, and ``pool="mean"`` takes
# the mean of each channel over the positions in the image. One fit of the ridge for each layer
# answers for all numbers of images. The pixels are there for comparison.

LAYERS = ("layer1", "layer2", "layer4")

features = {"pixels": images.reshape(len(images), -1)}
network = TrainedDeepFeatures(
    module=backbone, layer=LAYERS[0], pool="mean", max_epochs=0, random_state=SEED
).fit(X)
for layer in LAYERS:
    features[layer] = network.at(layer=layer).transform(X).astype(float)

sizes = np.unique(np.geomspace(20, N_TRAIN, 25).round())
measured_sizes = np.array([25, 50, 100, 200, 400, 800])
predicted, measured = {}, {}
for name, rows in features.items():
    rows /= rows[:N_TRAIN].std()
    ridge = DeterministicEquivalentRidge("optimal").fit(rows[:N_TRAIN], y[:N_TRAIN])
    predicted[name] = ridge.predict_test_error(sizes, "optimal")
    measured[name] = []
    for n, alpha in zip(measured_sizes, ridge.optimal_alpha(measured_sizes), strict=True):
        repeats = []
        for _ in range(5):
            drawn = rng.permutation(len(y))
            refit = Ridge(alpha=alpha).fit(rows[drawn[:n]], y[drawn[:n]])
            repeats.append(np.mean((refit.predict(rows[drawn[n:]]) - y[drawn[n:]]) ** 2))
        measured[name].append(np.mean(repeats))
    print(f"{name}: predicted {ridge.test_error_:.3f}, measured {measured[name][-1]:.3f}")

# %%
# Lines are predicted from one fit on 800 images; points are refits on random subsets of all images,
# measured on the others.

looks = zip(("0.5", *plt.get_cmap("viridis")(np.linspace(0, 0.85, 3))), "xosD", strict=True)
fig, ax = plt.subplots(figsize=(7.5, 4.8), layout="constrained")
for name, (colour, marker) in zip(features, looks, strict=True):
    ax.plot(sizes, predicted[name], color=colour)
    ax.plot(measured_sizes, measured[name], marker, color=colour, label=name)
ax.set(
    xscale="log",
    yscale="log",
    xlabel="number of labelled images",
    ylabel="test error (mean squared error)",
    title=f"ridge on ResNet-18 with {'published' if KNOWN else 'random'} weights, best alpha",
)
ax.set_xticks(measured_sizes, [f"{n}" for n in measured_sizes], minor=False)
ax.set_xticks([], minor=True)
ax.yaxis.set_minor_formatter("{x:g}")
ax.legend()
plt.show()
