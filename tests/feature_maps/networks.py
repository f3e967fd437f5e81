"""Networks for the tests; a module of its own, so that worker processes can import it."""

import torch
from torch import nn


class Net(nn.Module):
    """Traceable, with one activation module for two uses and an in-place operation."""

    def __init__(self, in_features, out_features, width=6):
        super().__init__()
        self.first = nn.Linear(in_features, width)
        self.act = nn.ReLU(inplace=True)
        self.second = nn.Linear(width, width)
        self.out = nn.Linear(width, out_features)

    def forward(self, x):
        return self.out(self.act(self.second(self.act(self.first(x)))))


class Branching(Net):
    """Its forward pass branches on the data, so it cannot be traced."""

    def forward(self, x):
        hidden = self.act(self.first(x))
        if hidden.sum() > -1:
            hidden = self.act(self.second(hidden))
        return self.out(hidden)


class Convolutional(nn.Module):
    """A small residual network for images."""

    def __init__(self, channels=4, out_features=1):
        super().__init__()
        self.stem = nn.Conv2d(3, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.block = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.Dropout(0.1))
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.fc = nn.Linear(4 * channels, out_features)

    def forward(self, x):
        x = self.relu(self.norm(self.stem(x)))
        return self.fc(torch.flatten(self.pool(self.relu(x + self.block(x))), 1))


class Squeezing(Net):
    """Returns one output per row as a 1-d tensor."""

    def forward(self, x):
        return super().forward(x)[:, 0]


def make_net(in_features, out_features):
    return Net(in_features, out_features, width=5)


def make_sequential(**kwargs):
    return nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, kwargs.get("n_outputs", 1)))


def make_lazy():
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(4), nn.Tanh(), nn.LazyLinear(1))


_KEPT = []


def make_the_same(in_features, out_features):
    if not _KEPT:
        _KEPT.append(Net(in_features, out_features))
    return _KEPT[0]


def make_with_backbone(backbone, out_features):
    return nn.Sequential(backbone, nn.Linear(3, out_features))
