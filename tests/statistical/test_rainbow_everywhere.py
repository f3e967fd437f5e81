"""Covariances of deep networks for every activation against a large sample; run by .ci/nightly."""

import numpy as np
import pytest

from sk_deepfeat.plugins import resolve
from sk_deepfeat.theory import rainbow_covariances

pytestmark = pytest.mark.statistical

WIDTH, UNITS, N_SAMPLES, BATCH = 200, 130, 100_000, 5_000
# Not cos: without a linear part, second-order terms are all there is.
ACTIVATIONS = ("tanh", "erf", "sign", "relu", "gelu", "leaky_relu", "softplus", "sigmoid")


def draw(share):
    rng = np.random.default_rng(0)
    learner, teacher = [], []
    for fan_in in (WIDTH, UNITS):
        learner.append(rng.normal(size=(WIDTH, WIDTH)) / np.sqrt(WIDTH))
        fresh = rng.normal(size=(UNITS, WIDTH)) / np.sqrt(WIDTH)
        mixed = share * learner[-1][:UNITS] + np.sqrt(1 - share**2) * fresh
        teacher.append(mixed[:, :fan_in] * np.sqrt(WIDTH / fan_in))
    return learner, teacher


def halves(learner, teacher, f, spectrum):
    """Return Ω, Ω_×, Ψ of each half of the samples."""
    rng, found = np.random.default_rng(1), []
    for _ in range(2):
        sums = [0.0] * 5
        for _ in range(N_SAMPLES // 2 // BATCH):
            a = b = rng.normal(size=(BATCH, WIDTH)) * np.sqrt(spectrum)
            for W, V in zip(learner, teacher, strict=True):
                a, b = f(a @ W.T), f(b @ V.T)
            parts = (a.T @ a, a.T @ b, b.T @ b, a.sum(axis=0), b.sum(axis=0))
            sums = [old + new for old, new in zip(sums, parts, strict=True)]
        n = N_SAMPLES // 2
        means = sums[3] / n, sums[4] / n
        pairs = ((0, 0), (0, 1), (1, 1))
        found.append([sums[k] / n - np.outer(means[i], means[j]) for k, (i, j) in enumerate(pairs)])
    return found


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("inputs", ["white", "power law"])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_two_layers(name, inputs, share):
    """Errors beyond the floor, worst of Ω, Ω_× and Ψ; twice as large for the power law."""
    spectrum = np.arange(1.0, WIDTH + 1) ** (-0.7 if inputs == "power law" else 0.0)
    spectrum /= spectrum.mean()
    learner, teacher = draw(share)
    samples = halves(learner, teacher, resolve("activations", name), spectrum)
    bounds = {"per-unit": 0.15, "hermite": 0.14, "finite width": 0.03}
    for method, bound in bounds.items():
        found = rainbow_covariances(
            learner,
            name,
            spectrum,
            teacher_weights=teacher,
            method="hermite" if method == "finite width" else method,
            finite_width=method == "finite width",
        )
        for guess, first, second in zip(found[:3], *samples, strict=True):
            square = np.sum((first - guess) * (second - guess))
            error = np.sqrt(max(square, 0.0)) / np.linalg.norm((first + second) / 2)
            assert error < bound * (1 if inputs == "white" else 2), (method, error)
