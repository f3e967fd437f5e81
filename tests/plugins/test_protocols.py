"""Contracts: what is missing is named before anything is computed."""

import pytest

from sk_deepfeat.plugins import available, lookup, missing_members, require_members, resolve
from sk_deepfeat.plugins.protocols import REQUIRED


@pytest.mark.parametrize(("kind", "name"), [(k, n) for k in lookup.KINDS for n in available(k)])
def test_every_listed_plugin_keeps_its_contract(kind, name):
    plugin = resolve(kind, name)
    assert missing_members(kind, plugin) == ()
    require_members(kind, plugin)
    assert isinstance(plugin, REQUIRED[kind][0])


@pytest.mark.parametrize("kind", lookup.KINDS)
def test_required_names_are_members_of_the_protocol(kind):
    protocol, names = REQUIRED[kind]
    assert all(name in vars(protocol) for name in names)


@pytest.mark.parametrize("kind", lookup.KINDS)
def test_every_missing_member_is_named(kind):
    protocol, names = REQUIRED[kind]
    assert missing_members(kind, object()) == names
    with pytest.raises(TypeError, match=rf"lacks {', '.join(names)}\..*{protocol.__name__}"):
        require_members(kind, object())


def test_only_the_missing_member_is_named():
    class Half:
        kappa = 3.0  # there, but cannot be called

        def fit(self):
            raise AssertionError("nothing is called")

        def test_error(self):
            raise AssertionError("nothing is called")

    assert missing_members("populations", Half()) == ("kappa",)
    with pytest.raises(TypeError, match=r"it lacks kappa\."):
        require_members("populations", Half())
