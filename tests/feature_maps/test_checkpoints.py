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


def test_at_shows_the_same_training_elsewhere():
    X, y = inputs()
    feature_map = small(checkpoints=(0, 0.5, 2)).fit(X, y)
    for epoch, features in zip((0, 0.5, 2), feature_map.staged_transform(X), strict=True):
        np.testing.assert_array_equal(feature_map.at(epoch=epoch).transform(X), features)
    outputs = small(layer="output", checkpoints=(0, 0.5, 2)).fit(X, y)
    seen = feature_map.at(layer="output")
    np.testing.assert_array_equal(seen.transform(X), outputs.transform(X))
    assert seen.get_feature_names_out().size == 1
    np.testing.assert_array_equal(list(seen.staged_transform(X)), list(outputs.staged_transform(X)))
    early = feature_map.at(epoch=0.5, layer="output")
    np.testing.assert_array_equal(early.transform(X), list(outputs.staged_transform(X))[1])
    np.testing.assert_array_equal(
        early.linearization_layers()[0][0], feature_map.at(epoch=0.5).linearization_layers()[0][0]
    )
    with pytest.raises(ValueError, match="needs checkpoints"):
        early.staged_transform(X)
    # The copies left the original as it was.
    assert feature_map.layer is None
    assert feature_map.transform(X).shape[1] > 1


@pytest.mark.parametrize("epoch", [1, -1, "0", None])
def test_at_refuses_what_was_not_kept(epoch):
    X, y = inputs()
    feature_map = small(checkpoints=(0, 0.5)).fit(X, y)
    if epoch is None:
        with pytest.raises(ValueError, match="layer='nowhere'"):
            feature_map.at(layer="nowhere")
    else:
        with pytest.raises(ValueError, match="none of the checkpoints"):
            feature_map.at(epoch=epoch)
