"""Covariances of random deep networks from their weights against Monte Carlo, for every method.

Networks of three equal layers with a teacher of two thirds of their width, seven activations,
white and power-law inputs, white and structured weights, weights of learner and teacher
independent, half shared (correlation 1/2) and shared. A row is one network at one depth: relative
Frobenius errors of Ω, Ω_× and Ψ for each method, and the Monte-Carlo floor, half the distance of
the two halves of the samples. Structured weights: power-law rows first, then
C_l ∝ (W W' + 1/2)⁻¹ of the layer before. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from typing import NamedTuple

import numpy as np

from sk_deepfeat.plugins import resolve
from sk_deepfeat.theory import rainbow_covariances

ACTIVATIONS = ("tanh", "erf", "sign", "relu", "gelu", "leaky_relu", "softplus")
ODD = ("tanh", "erf", "sign")
NO_CLOSED_FORM = ("tanh", "softplus")
SHARES = {"independent": 0.0, "half-shared": 0.5, "shared": 1.0}
METHODS = {
    "per-unit": {"method": "per-unit"},
    "hermite": {"method": "hermite", "order": 4},
    "closed-form": {"method": "closed-form"},
    "averaged": {"method": "averaged"},
    "per-unit, finite width": {"method": "per-unit", "finite_width": True},
    "hermite, finite width": {"method": "hermite", "order": 4, "finite_width": True},
}
DEPTH = 3
BATCH = 4000
# activation, inputs, weights, share, depth
NAMED = (
    ("tanh", "white", "white", "independent", 3),
    ("tanh", "white", "structured", "half-shared", 3),
    ("erf", "white", "white", "half-shared", 3),
    ("sign", "white", "white", "shared", 3),
    ("relu", "white", "white", "independent", 1),
    ("relu", "white", "white", "independent", 3),
    ("relu", "white", "structured", "shared", 3),
    ("relu", "power law", "white", "half-shared", 3),
    ("gelu", "white", "white", "half-shared", 3),
    ("leaky_relu", "white", "white", "independent", 3),
    ("softplus", "white", "white", "shared", 3),
    ("tanh", "power law", "structured", "independent", 3),
)


class Case(NamedTuple):
    """What a learner is drawn from."""

    activation: str
    inputs: str
    weights: str


def input_variances(inputs: str, width: int) -> np.ndarray:
    """Return the eigenvalues of the input covariance, of mean one."""
    spectrum = np.arange(1.0, width + 1.0) ** (-0.7 if inputs == "power law" else 0.0)
    return spectrum / spectrum.mean()


def draw(rng, case: Case, width: int):
    """Return the weights of the learner and, for each share, of the teacher."""
    units = 2 * width // 3
    learner, teachers = [], {share: [] for share in SHARES}
    variances = input_variances(case.inputs, width)
    for layer in range(DEPTH):
        root = row_root(case.weights, learner, width, variances)
        weights = rng.normal(size=(width, width)) @ root
        learner.append(weights)
        fan_in = width if layer == 0 else units
        fresh = rng.normal(size=(units, width)) @ root
        for share, correlation in SHARES.items():
            mixed = correlation * weights[:units] + np.sqrt(1 - correlation**2) * fresh
            # the teacher's later layers see as many units as it has
            teachers[share].append(mixed[:, :fan_in] * np.sqrt(width / fan_in))
    return learner, teachers


def row_root(kind: str, earlier, width: int, variances) -> np.ndarray:
    """Return C^(1/2), such that pre-activations of the first layer have variance one."""
    if kind == "white":
        return np.eye(width) / np.sqrt(width)
    if not earlier:
        root = np.arange(1.0, width + 1.0) ** -0.15
        return np.diag(root / np.sqrt(np.sum(root**2 * variances)))
    values, vectors = np.linalg.eigh(earlier[-1] @ earlier[-1].T + 0.5 * np.eye(width))
    spectrum = (1 / values) / np.sum(1 / values)
    return (vectors * np.sqrt(spectrum)) @ vectors.T


def monte_carlo(case: Case, learner, teachers, n_samples: int, seed: int, depths):
    """Return {(share, depth): [[Ω, Ω_×, Ψ] of each half of the samples]}, centred."""
    width = len(learner[0])
    function = resolve("activations", case.activation)
    root = np.sqrt(input_variances(case.inputs, width)).astype(np.float32)
    rng = np.random.default_rng(seed)
    single = [weights.T.astype(np.float32) for weights in learner]
    second = {s: [w.T.astype(np.float32) for w in teachers[s]] for s in teachers}
    sums = {}
    for half in range(2):
        for _ in range(n_samples // 2 // BATCH):
            x = rng.standard_normal((BATCH, width), dtype=np.float32) * root
            hidden = dict.fromkeys(["", *teachers], x)
            for layer in range(max(depths)):
                hidden[""] = function(hidden[""] @ single[layer])
                for share in teachers:
                    hidden[share] = function(hidden[share] @ second[share][layer])
                if layer + 1 in depths:
                    add(sums, half, layer + 1, hidden)
    return {key: centred(parts, n_samples // 2) for key, parts in sums.items()}


def add(sums, half, depth, hidden):
    """Add the products of one batch to the sums in double precision."""
    features = hidden[""]
    own = products(features, features)
    for share, other in hidden.items():
        if share:
            parts = [own, products(features, other), products(other, other)]
            known = sums.setdefault((share, depth), [None, None])
            if known[half] is None:
                known[half] = parts
            else:
                known[half] = [
                    [a + b for a, b in zip(old, new, strict=True)]
                    for old, new in zip(known[half], parts, strict=True)
                ]


def products(a, b):
    return [
        (a.T @ b).astype(np.float64),
        a.sum(axis=0, dtype=np.float64),
        b.sum(axis=0, dtype=np.float64),
    ]


def centred(halves, n_samples):
    both = [[sum(pair) for pair in zip(*parts, strict=True)] for parts in zip(*halves, strict=True)]
    return [
        [covariance(part, n) for part in parts]
        for parts, n in ((halves[0], n_samples), (halves[1], n_samples), (both, 2 * n_samples))
    ]


def covariance(part, n):
    product, first, second = part
    return product / n - np.outer(first / n, second / n)


def compare(case: Case, learner, teachers, measured, width):
    """Yield one row for each share and depth."""
    variances = input_variances(case.inputs, width)
    dimension = variances.sum() ** 2 / np.sum(variances**2)
    for (share, depth), (first, second, truth) in measured.items():
        row = dict(zip(("activation", "inputs", "weights"), case, strict=True))
        row |= {"pairing": share, "depth": depth, "width": width}
        row["effective dimension"] = round(float(dimension), 1)
        for name, a, b, full in zip(("Ω", "Ω×", "Ψ"), first, second, truth, strict=True):
            row[f"floor {name}"] = relative(a - b, 2 * full)
        for method, options in METHODS.items():
            if method == "closed-form" and case.activation in NO_CLOSED_FORM:
                found = [np.full_like(full, np.nan) for full in truth]
            else:
                found = rainbow_covariances(
                    learner[:depth],
                    case.activation,
                    variances,
                    teacher_weights=teachers[share][:depth],
                    **options,
                )[:3]
            for name, guess, full in zip(("Ω", "Ω×", "Ψ"), found, truth, strict=True):
                row[f"{method} {name}"] = relative(guess - full, full)
        yield row


def relative(difference, whole):
    return round(float(np.linalg.norm(difference) / np.linalg.norm(whole)), 5)


def beyond(row, method):
    """Return the errors of a method beyond the floor, for the three matrices."""
    squares = [row[f"{method} {k}"] ** 2 - row[f"floor {k}"] ** 2 for k in ("Ω", "Ω×", "Ψ")]
    return np.sqrt(np.maximum(squares, 0.0))


def cases(width: int, named: bool):
    """Yield (case, shares, depths)."""
    if named:
        for *case, share, depth in NAMED:
            yield Case(*case), (share,), (depth,)
        return
    for activation in ACTIVATIONS:
        for inputs in ("white", "power law"):
            for weights in ("white", "structured"):
                yield Case(activation, inputs, weights), tuple(SHARES), (1, 2, 3)


def write(rows, output):
    with open(f"{output}.part", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    os.replace(f"{output}.part", output)


def write_summary(rows, output):
    """Write the worst error beyond the floor in per cent, a line an activation, depth and input."""
    lines = []
    for activation in ACTIVATIONS:
        for depth in range(1, DEPTH + 1):
            for inputs in ("white", "power law"):
                key = (activation, depth, inputs)
                chosen = [r for r in rows if (r["activation"], r["depth"], r["inputs"]) == key]
                floors = [row[f"floor {name}"] for row in chosen for name in ("Ω", "Ω×", "Ψ")]
                line = dict(zip(("activation", "depth", "inputs"), key, strict=True))
                line["effective dimension"] = chosen[0]["effective dimension"]
                line["floor"] = f"{100 * min(floors):.1f}–{100 * max(floors):.1f}"
                for method in METHODS:
                    worst = np.max([beyond(row, method) for row in chosen])
                    line[method] = "–" if np.isnan(worst) else f"{100 * worst:.1f}"
                lines.append(line)
    write(lines, output)


def write_rows(rows, output):
    """Write errors of Ω / Ω_× / Ψ beyond the floor in per cent, a line a row."""
    lines = []
    for row in rows:
        line = {key: row[key] for key in ("activation", "inputs", "weights", "pairing", "depth")}
        floors = (row[f"floor {name}"] for name in ("Ω", "Ω×", "Ψ"))
        line["floor"] = " / ".join(f"{100 * floor:.1f}" for floor in floors)
        for method in METHODS:
            errors = beyond(row, method)
            known = " / ".join(f"{100 * error:.1f}" for error in errors)
            line[method] = "–" if np.isnan(errors).any() else known
        lines.append(line)
    write(lines, output)


def run(width: int, n_samples: int, named: bool, output: str):
    rows = []
    for number, (case, shares, depths) in enumerate(cases(width, named)):
        rng = np.random.default_rng([number, width])
        learner, teachers = draw(rng, case, width)
        teachers = {share: teachers[share] for share in shares}
        measured = monte_carlo(case, learner, teachers, n_samples, number, depths)
        rows += compare(case, learner, teachers, measured, width)
        write(rows, output)
    return rows


def summary(rows):
    found = {"rows": len(rows)}
    for method in METHODS:
        single = [row for row in rows if row["depth"] == 1 and row[f"{method} Ω"] >= 0]
        if single:
            found[f"{method}, depth 1, worst error over floor"] = max(
                row[f"{method} {name}"] / row[f"floor {name}"]
                for row in single
                for name in ("Ω", "Ω×", "Ψ")
            )
        for kind, names in (("odd", ODD), ("other", set(ACTIVATIONS) - set(ODD))):
            for depth in (2, 3):
                chosen = [
                    beyond(row, method)
                    for row in rows
                    if row["depth"] == depth
                    and row["activation"] in names
                    and row["inputs"] == "white"
                    and row[f"{method} Ω"] >= 0
                ]
                if chosen:
                    found[f"{method}, depth {depth}, {kind}, white inputs, worst beyond floor"] = (
                        float(np.max(chosen))
                    )
    return {key: round(value, 4) for key, value in found.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=300)
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--named", action="store_true", help="twelve rows instead of the grid")
    parser.add_argument("--output", default="docs/tables/rainbow_covariances.csv")
    parser.add_argument("--summary", default="docs/tables/rainbow_covariances_summary.csv")
    arguments = parser.parse_args()
    start = time.perf_counter()
    rows = run(arguments.width, arguments.samples, arguments.named, arguments.output)
    (write_rows if arguments.named else write_summary)(rows, arguments.summary)
    result = {"benchmark": "rainbow_covariances", "width": arguments.width, **summary(rows)}
    result["seconds"] = round(time.perf_counter() - start)
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
