import pytest

from sk_deepfeat import theory


@pytest.mark.parametrize(("old", "new"), sorted(theory._RENAMED.items()))
def test_an_old_name_is_the_new_object(old, new):
    with pytest.warns(FutureWarning, match=f"{old} is now called {new}"):
        assert getattr(theory, old) is getattr(theory, new)
    assert old not in theory.__all__ and new in theory.__all__


def test_other_names_are_none():
    with pytest.raises(AttributeError, match="no attribute 'ridge'"):
        theory.ridge  # noqa: B018


def test_every_public_name_is_there():
    assert all(hasattr(theory, name) for name in theory.__all__)
