import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("skorch")

from trained_cases import inputs, small


def test_checkpoints_are_the_states_of_shorter_trainings():
    X, y = inputs()
    feature_map = small(max_epochs=3, checkpoints=(0, 0.5, 1, 3)).fit(X, y)
    stages = list(feature_map.staged_transform(X))
    np.testing.assert_array_equal(stages[0], small(max_epochs=0).fit(X).transform(X))
    np.testing.assert_array_equal(stages[2], small(max_epochs=1).fit(X, y).transform(X))
    np.testing.assert_array_equal(stages[3], feature_map.transform(X))
    assert not np.allclose(stages[1], stages[0])
    assert not np.allclose(stages[1], stages[2])
    without = small(max_epochs=3).fit(X, y)
    np.testing.assert_array_equal(stages[3], without.transform(X))
    with pytest.raises(ValueError, match="checkpoints="):
        without.staged_transform(X)


def test_checkpoints_at_one_step_are_both_kept():
    X, y = inputs()
    feature_map = small(checkpoints=[0.01, 0.02, 1.99]).fit(X, y)
    first, second, last = feature_map.staged_transform(X)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(last, feature_map.transform(X))
