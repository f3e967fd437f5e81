"""A table as people have them: gaps, categories with rare levels, names of rows."""

import numpy as np

N_ROWS = 600


def customers():
    import pandas as pd

    """Return a table as people have them: gaps, categories with rare levels, names of rows."""
    rng = np.random.default_rng(0)
    towns = rng.choice(["Paris", "Rome", "Oslo", *(f"Village {k}" for k in range(50))], N_ROWS)
    frequent = rng.random(N_ROWS) < 0.9
    towns[frequent] = rng.choice(["Paris", "Rome", "Oslo"], frequent.sum())
    age = rng.integers(18, 90, N_ROWS).astype(float)
    letter = rng.random(N_ROWS) < 0.3
    price = 20 + 0.3 * age + 8 * letter + 10 * (towns == "Paris") + 4 * rng.normal(size=N_ROWS)
    frame = pd.DataFrame(
        {
            "customer": [f"C{k:05d}" for k in range(N_ROWS)],
            "customer_id": np.arange(N_ROWS)[::-1] + 7000,
            "age": age,
            "income": rng.lognormal(10, 0.5, N_ROWS),
            "town": towns,
            "letter": letter,
            "plan": rng.choice(["basic", "pro"], N_ROWS).astype(object),
            "country": "EU",
            "nothing": np.nan,
            "household": np.arange(N_ROWS) // 3,
            "weight": rng.random(N_ROWS) + 0.5,
            "price": price,
        }
    )
    frame.loc[rng.random(N_ROWS) < 0.1, "age"] = np.nan
    frame.loc[rng.random(N_ROWS) < 0.1, "plan"] = None
    return frame
