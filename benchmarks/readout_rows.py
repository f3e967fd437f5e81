"""Predicted over held-out error when features and ridge learn from the same or disjoint rows.

Handwritten digits, even against odd, one hidden layer of 200 units trained for 100 epochs,
alpha = 1. Prints one line of JSON.
"""

from __future__ import annotations

import json

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sk_deepfeat import DeterministicEquivalentRidge, TrainedDeepFeatures, TwoStageRegressor


def main():
    digits = load_digits()
    y = np.where(digits.target % 2 == 0, 1.0, -1.0)
    rows = {"same rows": [], "disjoint rows": []}
    for seed in range(5):
        X_train, X_test, y_train, y_test = train_test_split(digits.data, y, random_state=seed)
        features = TrainedDeepFeatures((200,), max_epochs=100, random_state=seed)
        ridge = DeterministicEquivalentRidge(alpha=1.0)
        pipeline = make_pipeline(features, ridge).fit(X_train, y_train)
        two_stage = TwoStageRegressor(features, ridge, random_state=seed).fit(X_train, y_train)
        for name, model, readout in (
            ("same rows", pipeline, pipeline[-1]),
            ("disjoint rows", two_stage, two_stage),
        ):
            held_out = np.mean((model.predict(X_test) - y_test) ** 2)
            rows[name].append((readout.test_error_, held_out))
    result = {"benchmark": "readout_rows", "seeds": 5}
    for name, pairs in rows.items():
        predicted, held_out = np.mean(pairs, axis=0)
        result[name] = {
            "predicted": round(predicted, 4),
            "held_out": round(held_out, 4),
            "held_out_over_predicted": round(held_out / predicted, 2),
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
