"""Saved feature maps: the same bits again, and no code from a file, whatever it says."""

import copy
import json
import subprocess
import sys

import hostile_files
import numpy as np
import pytest
from sklearn.base import clone

from sk_deepfeat.activations import relu
from sk_deepfeat.activations.piecewise_linear import LeakyReLU
from sk_deepfeat.feature_maps import RandomDeepFeatures, TrainedDeepFeatures, load_features

X = np.random.default_rng(0).standard_normal((40, 6))
Y = np.tanh(X @ np.linspace(-1, 1, 6))
FITTED = RandomDeepFeatures((8, 5), bias_scale=0.3, random_state=0).fit(X)


class NumbersFrom:
    """A law that is code, and an activation that is."""

    def __init__(self, scale):
        self.scale = scale

    def __call__(self, weights):
        return self.scale


def parts_of(path):
    """Return the header and the arrays of a file."""
    with np.load(path) as file:
        arrays = dict(file)
    return json.loads(arrays.pop("header").tobytes()), arrays


def write_parts(path, header, arrays):
    text = header if isinstance(header, str) else json.dumps(header)
    np.savez(path, header=np.frombuffer(text.encode(), np.uint8), **arrays)
    return path


def assert_same(one, other):
    """Parameters, attributes and features are the same, bit by bit."""
    ours, theirs = one.get_params(deep=False), other.get_params(deep=False)
    assert list(ours) == list(theirs)
    for name, value in ours.items():
        if isinstance(value, np.random.RandomState):
            value, theirs[name] = value.random_sample(3), theirs[name].random_sample(3)
        if isinstance(value, LeakyReLU):
            value, theirs[name] = value.slope, theirs[name].slope
        assert type(value) is type(theirs[name])
        if hasattr(value, "torch_name"):  # an activation, which equals only itself
            continue
        np.testing.assert_equal(theirs[name], value)
    for name, value in vars(one).items():
        if name.endswith("_") and not name.startswith("_"):
            np.testing.assert_equal(vars(other)[name], value)
    for dtype in (np.float32, np.float64):
        features, again = one.transform(X.astype(dtype)), other.transform(X.astype(dtype))
        assert features.dtype == again.dtype
        np.testing.assert_array_equal(np.asarray(again), np.asarray(features))


RANDOM = {
    "defaults": RandomDeepFeatures(random_state=3),
    "biases": FITTED,
    "arrays": RandomDeepFeatures(
        np.array([4, 3]), weight_covariance=[np.diag(np.arange(1.0, 7.0)), 0.5], random_state=0
    ),
    "object": RandomDeepFeatures((4, 6), activation=LeakyReLU(0.3), random_state=0),
    "state": RandomDeepFeatures(5, relu, random_state=np.random.RandomState(7)),
}


@pytest.mark.parametrize("name", RANDOM)
def test_random_features_come_back(tmp_path, name):
    fitted = clone(RANDOM[name]).fit(X)
    fitted.save(tmp_path / "map.npz")
    again = load_features(tmp_path / "map.npz")
    assert_same(fitted, again)
    assert again.get_feature_names_out().tolist() == fitted.get_feature_names_out().tolist()
    assert clone(again).fit(X).transform(X).shape == fitted.transform(X).shape


def test_names_of_columns_and_output_in_frames_come_back(tmp_path):
    pandas = pytest.importorskip("pandas", reason="names come from a data frame")
    frame = pandas.DataFrame(X, columns=["a", "ß", "<b>", "", "e\0", "\N{WAVE DASH}"])
    fitted = RandomDeepFeatures(4, random_state=0).fit(frame).set_output(transform="pandas")
    fitted.save(tmp_path / "map.npz")
    again = load_features(tmp_path / "map.npz")
    assert again.feature_names_in_.dtype == object
    assert again.feature_names_in_.tolist() == list(frame.columns)
    pandas.testing.assert_frame_equal(again.transform(frame), fitted.transform(frame))


def test_code_is_handed_over(tmp_path):
    law = NumbersFrom(0.5)
    fitted = RandomDeepFeatures(4, np.square, weight_covariance=law, random_state=0).fit(X)
    path = tmp_path / "map.npz"
    fitted.save(path)
    with pytest.raises(ValueError, match=r"activation=square and weight_cov.*is code"):
        load_features(path)
    with pytest.raises(ValueError, match=r"load_features\(path, weight_covariance=\.\.\.\)"):
        load_features(path, activation=np.square)
    again = load_features(path, activation=np.square, weight_covariance=law)
    assert_same(fitted, again)
    assert again.activation is np.square and again.weight_covariance is law
    with pytest.raises(ValueError, match="module=dict is not needed"):
        load_features(path, activation=np.square, weight_covariance=law, module=dict)
    with pytest.raises(ValueError, match=r"device='cpu' is not needed.*numpy's"):
        load_features(path, activation=np.square, weight_covariance=law, device="cpu")
    assert all(array.dtype.kind != "O" for array in parts_of(path)[1].values())


def test_what_cannot_be_saved_is_named(tmp_path):
    with pytest.raises(TypeError, match=r"bias_scale=.*cannot be saved .NumbersFrom.: give a num"):
        copy.copy(FITTED).set_params(bias_scale=NumbersFrom(1)).save(tmp_path / "map.npz")
    with pytest.raises(ValueError, match="not fitted"):
        RandomDeepFeatures().save(tmp_path / "map.npz")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        FITTED.save(tmp_path / "no" / "map.npz")
    assert list(tmp_path.iterdir()) == []


def test_only_regular_files_are_replaced(tmp_path):
    path, link, pipe = tmp_path / "map.npz", tmp_path / "link", tmp_path / "pipe"
    path.write_bytes(b"old")
    link.symlink_to(path)
    FITTED.save(link)
    assert link.is_symlink() and load_features(path) is not None
    hostile_files.make_pipe(pipe)
    with pytest.raises(FileExistsError, match="no regular file"):
        FITTED.save(pipe)
    assert pipe.is_fifo() and len(list(tmp_path.iterdir())) == 3


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "map.npz"
    FITTED.save(path)
    return path, *parts_of(path)


NO_SAVED_MAP = {
    "no JSON": ("{", "no JSON"),
    "nested JSON": ("[" * 200_000, "no JSON"),
    "list": ([], "was not written by save"),
    "another format": ({"format": "pickle"}, "was not written by save"),
    "later version": ({"format": "sk_deepfeat features", "version": 2}, "update sk-deepfeat"),
    "no version": ({"format": "sk_deepfeat features"}, "version None"),
}


@pytest.mark.parametrize("name", NO_SAVED_MAP)
def test_other_files_are_refused(saved, name):
    path, _, arrays = saved
    header, message = NO_SAVED_MAP[name]
    with pytest.raises(ValueError, match=rf"path=.*map.npz' cannot be loaded: .*{message}"):
        load_features(write_parts(path, header, arrays))


def test_files_of_others_are_refused(tmp_path):
    np.savez(tmp_path / "data.npz", X=X)
    with pytest.raises(ValueError, match="was not written by save"):
        load_features(tmp_path / "data.npz")
    (tmp_path / "pickle").write_bytes(b"\x80\x04N.")
    with pytest.raises(ValueError, match=r"no \.npz archive"):
        load_features(tmp_path / "pickle")
    with pytest.raises(FileNotFoundError):
        load_features(tmp_path / "nowhere.npz")


LIES = {
    "class": ("its class is none of", lambda h: h.update({"class": "os.system"})),
    "part": ("parts are missing", lambda h: h.update(more=1)),
    "parameter": ("no parameter 'code'", lambda h: h["parameters"].update(code=1)),
    "attribute": ("keeps no 'fit'", lambda h: h["fitted"].update(fit=1)),
    "private": ("keeps no '__class__'", lambda h: h["fitted"].update(__class__=1)),
    "absent": ("'weights_' is missing", lambda h: h["fitted"].pop("weights_")),
    "name of code": (
        "there is no activation 'os:system'",
        lambda h: h["fitted"].update(_activation={"activation": "os:system"}),
    ),
    "another kind of code": (
        "'exec' is no kind of value",
        lambda h: h["fitted"].update(_activation={"exec": "1"}),
    ),
    "no array": (
        "there is no array 'nothing'",
        lambda h: h["fitted"].update(biases_=[{"array": "nothing"}, None]),
    ),
    "wrong array": (
        "biases of a layer must be float64, one for each of 8",
        lambda h: h["fitted"]["biases_"].reverse(),
    ),
    "wrong layers": ("of 6 columns", lambda h: h["fitted"]["weights_"].reverse()),
    "wrong width": ("last width", lambda h: h["fitted"].update(_n_features_out=10**12)),
    "wrong inputs": ("of 7 columns", lambda h: h["fitted"].update(n_features_in_=7)),
    "wrong names": (
        "one name for each input",
        lambda h: h["fitted"].update(feature_names_in_={"strings": ["a"]}),
    ),
    "what is handed over": (
        "hand it over: load_features.path, weights_=",
        lambda h: h["fitted"].update(weights_={"handed": "weights_", "named": "f"}),
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_a_header_that_lies_is_refused(saved, name):
    path, header, arrays = saved
    message, change = LIES[name]
    change(header)
    with pytest.raises(ValueError, match=f"cannot be loaded: .*{message}"):
        load_features(write_parts(path, header, arrays))


JUNK = [None, -1, 1e308, "x", [], {}, {"tuple": [[]]}]


def places(plain, above=()):
    """Yield the way to every value of a header."""
    pairs = plain.items() if isinstance(plain, dict) else enumerate(plain)
    for key, value in pairs:
        yield (*above, key)
        if isinstance(value, (dict, list)):
            yield from places(value, (*above, key))


def with_junk(header, place, junk):
    changed = copy.deepcopy(header)
    inside = changed
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = junk
    return changed


def try_all_junk(path, header, arrays):
    """Put junk in every place: a file loads, or is refused with its name."""
    outcomes = {"loaded": 0, "refused": 0}
    for place in list(places(header)):
        for junk in JUNK:
            write_parts(path, with_junk(header, place, junk), arrays)
            try:
                load_features(path)
            except ValueError as error:
                assert "cannot be loaded" in str(error)
                outcomes["refused"] += 1
            else:
                outcomes["loaded"] += 1
    assert min(outcomes.values()) > 40
    return outcomes


def test_junk_in_every_place_of_random_features(saved):
    try_all_junk(*saved)


WATCHED = """
import sys
from sk_deepfeat.feature_maps import load_features

load_features(sys.argv[1])  # what loading imports is imported
seen = []
sys.addaudithook(lambda event, arguments: seen.append(event))
load_features(sys.argv[1])
print(*sorted(set(seen)))
"""


def test_loading_executes_and_imports_nothing(saved):
    command = [sys.executable, "-c", WATCHED, str(saved[0])]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    events = set(run.stdout.split())
    assert "open" in events
    # NumPy parses the literal of a header with ast, which is the one event of a compiler.
    assert not {event for event in events if event.split(".")[0] in {"exec", "import", "pickle"}}
    assert not {event for event in events if event.startswith(("marshal", "socket", "subprocess"))}


def trained(**params):
    pytest.importorskip("skorch", reason="the network is trained with torch")
    given = {"hidden_layer_sizes": (8, 5), "max_epochs": 2, "batch_size": 16, "random_state": 0}
    return TrainedDeepFeatures(**given | params)


TRAINED = {
    "checkpoints": ({"checkpoints": (0, 0.5, 2)}, Y),
    "classes": ({"activation": "tanh"}, np.where(Y > 0, "yes", "no")),
    "objects": ({"bias": False}, np.where(Y > 0, "yes", "no").astype(object)),
    "outputs": ({"activation": LeakyReLU(0.2), "layer": "hidden_2"}, np.c_[Y, Y**2]),
    "law": ({"weight_covariance": 0.5, "layer": "output"}, Y),
    "untrained": ({"max_epochs": 0}, None),
}


@pytest.mark.parametrize("name", TRAINED)
def test_trained_features_come_back(tmp_path, name):
    params, targets = TRAINED[name]
    fitted = trained(**params).fit(X, targets)
    fitted.save(tmp_path / "map.npz")
    again = load_features(tmp_path / "map.npz")
    assert_same(fitted, again)
    for ours, theirs in zip(
        fitted.linearization_layers(), again.linearization_layers(), strict=True
    ):
        np.testing.assert_array_equal(ours[0], theirs[0])
    if fitted.checkpoints:
        stages = zip(fitted.staged_transform(X), again.staged_transform(X), strict=True)
        for one, other in stages:
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(
            again.at(epoch=0.5, layer="hidden_1").transform(X),
            fitted.at(epoch=0.5, layer="hidden_1").transform(X),
        )


def test_images_come_back(tmp_path):
    images = X.reshape(40, 1, 2, 3)
    fitted = trained().fit(images, Y)
    fitted.save(tmp_path / "map.npz")
    again = load_features(tmp_path / "map.npz", device="cpu")
    np.testing.assert_array_equal(again.transform(images), fitted.transform(images))


def test_a_module_is_handed_over(tmp_path):
    nn = pytest.importorskip("torch").nn

    def network(in_features, out_features, width=4, activation=nn.Tanh):
        layers = nn.Linear(in_features, width), nn.BatchNorm1d(width), activation()
        return nn.Sequential(*layers, nn.Linear(width, out_features))

    path = tmp_path / "map.npz"
    fitted = trained(module=network, layer="2", checkpoints=(1,)).fit(X, Y)
    fitted.save(path)
    with pytest.raises(ValueError, match=r"module=network, which is code.*path, module=\.\.\.\)"):
        load_features(path)
    assert_same(fitted, load_features(path, module=network))
    with pytest.raises(ValueError, match="module_params=dict is not needed"):
        load_features(path, module=network, module_params={"width": 4})
    with pytest.raises(ValueError, match=r"module=other is not the network of the file.*size mism"):

        def other(in_features, out_features):
            return network(in_features, out_features, width=5)

        load_features(path, module=other)
    fitted.set_params(module=other)
    with pytest.raises(ValueError, match="module was changed after fit"):
        fitted.save(path)
    fitted = trained(module=network, module_params={"width": 3}, layer="2").fit(X, Y)
    fitted.save(path)
    assert_same(fitted, load_features(path, module=network))
    of_code = {"activation": nn.ReLU}
    fitted = trained(module=network, module_params=of_code, layer="2").fit(X, Y)
    fitted.save(path)
    with pytest.raises(ValueError, match="module=network and module_params=dict, which is code"):
        load_features(path)
    assert_same(fitted, load_features(path, module=network, module_params=of_code))


def test_junk_in_every_place_of_trained_features(tmp_path):
    path = tmp_path / "map.npz"
    trained(hidden_layer_sizes=(3,), checkpoints=(1,)).fit(X, Y).save(path)
    try_all_junk(path, *parts_of(path))


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "map.npz"
    trained(hidden_layer_sizes=(3,)).fit(X, Y).save(path)
    header, arrays = parts_of(path)
    header["fitted"]["_spec"]["hidden_layer_sizes"] = {"tuple": [10**12]}
    with pytest.raises(ValueError, match="its weights have shapes"):
        load_features(write_parts(path, header, arrays))
