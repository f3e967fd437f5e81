"""Small training sets at the edges of what a ridge can be fitted on, and every question to one."""

import numpy as np

ALPHAS = np.array([0.0, 1e-320, 1e-300, 1e-150, 1e-20, 1e-8, 1.0, 1e8, 1e150, 1e300])
SIZES = np.array([1.0, 2.0, 3.0, 10.0, 1e3, 1e9])
KNOWN = ("plug-in", "gcv", "leave-one-out", "lanczos")


def _tables():
    rng = np.random.default_rng(0)
    wide, tall = rng.normal(size=(6, 15)), rng.normal(size=(24, 5))
    noise = rng.normal(size=24)
    line = rng.normal(size=24)
    left, _ = np.linalg.qr(rng.normal(size=(24, 5)))
    right, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    ill = left * np.logspace(0.0, -8.0, 5) @ right.T
    return {
        "one column": (line[:, None], line + noise),
        "one column, two rows": (line[:2, None], noise[:2]),
        "two rows": (tall[:2], noise[:2]),
        "two equal rows": (np.tile(tall[:1], (2, 1)), noise[:2]),
        "three rows": (tall[:3], noise[:3]),
        "rank one": (np.outer(line, [1.0, 2.0, 4.0, 8.0]), line + 0.1 * noise),
        "no features": (np.zeros((24, 3)), noise),
        "half the rows zero": (tall * (np.arange(24) % 2)[:, None], tall[:, 0] + noise),
        "one row with features": (tall * (np.arange(24) == 3)[:, None], tall[:, 0] + noise),
        "constant target": (tall, np.full(24, 3.0)),
        "zero target": (tall, np.zeros(24)),
        "constant features": (np.full((24, 3), 1000 / 3), noise),
        "condition 1e16": (ill, ill @ np.ones(5) + 0.1 * noise),
        "wide": (wide, wide[:, 0] + noise[:6]),
        "orthogonal rows": (np.eye(6), noise[:6]),
        "as many rows as columns": (tall[:5], noise[:5]),
        "one row more than columns": (tall[:6], noise[:6]),
        "exact duplicates": (np.repeat(tall[:8], 3, axis=0), np.repeat(noise[:8], 3)),
        "duplicated features alone": (np.repeat(tall[:8], 3, axis=0), noise),
        "no noise": (tall, tall @ np.ones(5)),
        "two outputs": (tall, np.c_[tall[:, 0] + noise, np.zeros(24)]),
        "own column for each row": (np.c_[np.eye(24), tall], noise),
    }


TABLES = _tables()
