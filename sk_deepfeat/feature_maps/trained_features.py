"""TrainedDeepFeatures: a hidden layer of a network trained with torch."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from sk_deepfeat.activations import identity
from sk_deepfeat.feature_maps.checkpoints import check_checkpoints
from sk_deepfeat.feature_maps.into_array import transform_into
from sk_deepfeat.feature_maps.network_shape import check_activation, check_hidden_layer_sizes
from sk_deepfeat.feature_maps.network_spec import NetworkSpec
from sk_deepfeat.feature_maps.targets import Targets, are_classes, encode_targets
from sk_deepfeat.feature_maps.training_options import check_module_arguments, check_training_options
from sk_deepfeat.feature_maps.weight_law import draw_layers


class TrainedDeepFeatures(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Features from a hidden layer of a network that `fit` trains with torch.

    The default network is a multilayer perceptron of layers x -> f(W_l x + b_l) and a linear
    output; Adam minimises the squared error, or the cross-entropy of classes. Needs the extra:
    ``pip install "sk-deepfeat[torch]"``.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(200,)
        Units of each hidden layer of the default network.
    activation : str or activation object, default="relu"
        f: a name (see ``sk_deepfeat.plugins.available("activations")``) or an object with
        ``torch_name``, the name of a class of ``torch.nn`` or of a function of ``torch``.
    module : class or callable, default=None
        Another network: a subclass of ``torch.nn.Module``, or a function that returns a fresh one
        from every call. It is called with `module_params`, and with ``in_features`` and
        ``out_features`` if its signature names them. Never an instance: its trained weights would
        survive `sklearn.base.clone`.
    module_params : dict, default=None
        Keyword arguments for `module`.
    layer : str, default=None
        The layer whose activations, flattened, are the features. None is the last hidden
        activation of the default network, whose layers are ``hidden_1``, ``activation_1``,
        ``hidden_2``, …, ``output``. With `module`, the name of a submodule or of a node of
        `torchvision.models.feature_extraction`.
    bias : bool, default=True
        Whether the layers of the default network have biases.
    weight_covariance : None, array, float, callable, or list of these, default=None
        Law of the hidden layers' weights before training: their rows are N(0, C_l) with C_l as of
        `RandomDeepFeatures`, such as a float g for the spectrum k^-g, where 0 stands for the
        identity divided by fan_in. None draws them uniformly, as torch does; biases and the output
        are drawn so in any case.
    max_epochs : int, default=20
        Passes over the rows; 0 leaves the network as it was initialised and needs no `y`.
    lr : float, default=1e-3
        Learning rate of Adam.
    batch_size : int or None, default=128
        Rows of an optimiser step; None for all.
    weight_decay : float, default=0.0
        Weight decay of Adam.
    loss : {"auto", "squared_error", "log_loss"}, default="auto"
        "auto" is the squared error for 1-d floats and 2-d numbers, and the cross-entropy for 1-d
        strings, booleans and integers.
    checkpoints : sequence of float, default=None
        Increasing epochs, fractions allowed, at whose nearest optimiser step weights are kept for
        `staged_transform`.
    device : str, default="cpu"
        Where torch computes.
    random_state : int, RandomState instance or None, default=None
        Source of the seed of initialisation and training.
    verbose : int, default=0
        Above 0, prints a line an epoch.

    Attributes
    ----------
    history_ : list of dict
        ``epoch`` and ``train_loss`` of each epoch.
    n_iter_ : int
        Number of epochs.
    classes_ : ndarray of shape (n_classes,)
        Labels, when `y` was 1-d and held classes.
    n_features_in_ : int
        ``X.shape[1]`` in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, when `X` had names that are all strings.

    See Also
    --------
    RandomDeepFeatures : The same architecture with random weights.

    Notes
    -----
    An integer `random_state` gives the same bits in every process of a machine, whatever torch's
    global generator and number of threads: torch computes in one thread here, so use processes
    for parallel work. A fitted estimator keeps its weights as numpy arrays; pickles hold no code.
    Training is in float32. The default network transforms in the dtype of `X`, others in float32;
    features have the dtype of `X` if it is float32 or float64, else they are float64.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.feature_maps import TrainedDeepFeatures
    >>> X = np.random.default_rng(0).standard_normal((50, 4))
    >>> feature_map = TrainedDeepFeatures((8, 6), max_epochs=2, checkpoints=(0, 1), random_state=0)
    >>> feature_map.fit(X, X[:, 0]).transform(X).shape
    (50, 6)
    >>> [features.shape for features in feature_map.staged_transform(X)]
    [(50, 6), (50, 6)]
    >>> [row["epoch"] for row in feature_map.history_]
    [1, 2]
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (200,),
        activation: Any = "relu",
        *,
        module: Any = None,
        module_params: dict[str, Any] | None = None,
        layer: str | None = None,
        bias: bool = True,
        weight_covariance: Any = None,
        max_epochs: int = 20,
        lr: float = 1e-3,
        batch_size: int | None = 128,
        weight_decay: float = 0.0,
        loss: str = "auto",
        checkpoints: Any = None,
        device: str = "cpu",
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.module = module
        self.module_params = module_params
        self.layer = layer
        self.bias = bias
        self.weight_covariance = weight_covariance
        self.max_epochs = max_epochs
        self.lr = lr
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.loss = loss
        self.checkpoints = checkpoints
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> TrainedDeepFeatures:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Rows, or images (n_samples, channels, height, width).
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers, classes or one-hot rows; may be None if `max_epochs` is 0.

        Returns
        -------
        self : TrainedDeepFeatures

        Raises
        ------
        ImportError
            If the extra is not installed.
        ValueError, TypeError
            If the data or a parameter is not usable, or the training diverges.
        """
        options = check_training_options(self)
        check_module_arguments(self)
        checkpoints = check_checkpoints(self.checkpoints, options.max_epochs)
        sizes: tuple[int, ...] = ()
        activation = None
        if self.module is None:
            sizes = check_hidden_layer_sizes(self.hidden_layer_sizes)
            activation = _check_torch_name(check_activation(self.activation), self.activation)
        _require_torch()
        from sk_deepfeat.feature_maps._torch.determinism import check_device
        from sk_deepfeat.feature_maps._torch.training import train_network

        check_device(self.device)
        X, targets = self._validate_training_data(X, y)
        last = f"activation_{len(sizes)}" if self.module is None else ""
        spec = NetworkSpec(
            input_shape=X.shape[1:],
            out_features=1 if targets is None else targets.n_outputs,
            hidden_layer_sizes=sizes,
            activation=activation,
            bias=bool(self.bias),
            module=self.module,
            module_params=dict(self.module_params or {}),
            layer=last if self.layer is None else self.layer,
            seed=int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max)),
            device=self.device,
        )
        first: list[NDArray[Any]] = []
        if self.weight_covariance is not None:
            rng = np.random.RandomState(spec.seed)
            first = draw_layers(rng, sizes, spec.in_features, self.weight_covariance)
        training = train_network(spec, X, targets, options, checkpoints, first)
        self._spec, self._state = spec, training.state
        self._checkpoint_states = training.checkpoint_states
        self._checkpoint_epochs = checkpoints
        self._n_features_out = training.n_features_out
        self.history_ = training.history
        self.n_iter_ = len(training.history)
        if targets is not None and targets.classes is not None:
            self.classes_ = targets.classes
        elif hasattr(self, "classes_"):
            del self.classes_
        return self

    def transform(self, X: Any, out: Any = None) -> Any:
        """Return the activations of the layer, with the final weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows of the shape seen in `fit`. With `out`, anything with a shape and slices of rows,
            of which a block is read at a time.
        out : array of shape (n_samples, n_features_out), optional
            Where features are written, block by block, such as a memory map. Of float32 or float64.

        Returns
        -------
        array of shape (n_samples, n_features_out)
            `out` if it is given; else float32 if `X` is float32, else float64.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If `X` is sparse, not finite, or has rows of another shape than in `fit`, or `out` does
            not fit.
        """
        check_is_fitted(self)
        if out is not None:
            return transform_into(self.transform, X, out, self._n_features_out)
        return self._features(self._state, self._validate_rows(X))

    def staged_transform(self, X: Any) -> Iterator[NDArray[Any]]:
        """Yield the activations of the layer at each of the checkpoints, in their order.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows of the shape seen in `fit`.

        Yields
        ------
        ndarray of shape (n_samples, n_features_out)

        Raises
        ------
        ValueError
            If no checkpoints were asked for, or `X` is not usable.
        """
        check_is_fitted(self)
        if not self._checkpoint_states:
            raise ValueError(
                "staged_transform needs checkpoints; fit with checkpoints=(0, 1, 10), say."
            )
        rows = self._validate_rows(X)
        return (self._features(state, rows) for state in self._checkpoint_states)

    def at(self, *, epoch: float | None = None, layer: str | None = None) -> TrainedDeepFeatures:
        """Return a fitted copy that shows the same training at a checkpoint, or another layer.

        Nothing is trained again and weights are shared. `fit` on the copy is the whole training.

        Parameters
        ----------
        epoch : float, optional
            One of the checkpoints of `fit`; None keeps the final weights. A copy at an epoch has
            no checkpoints of its own.
        layer : str, optional
            As the parameter; None keeps the layer. ``"output"`` of the default network gives its
            own predictions.

        Returns
        -------
        TrainedDeepFeatures

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the epoch is no checkpoint, or the network has no such layer.

        Examples
        --------
        >>> import numpy as np
        >>> from sk_deepfeat.feature_maps import TrainedDeepFeatures
        >>> X = np.random.default_rng(0).standard_normal((50, 4))
        >>> network = TrainedDeepFeatures((8, 6), max_epochs=2, checkpoints=(0, 1), random_state=0)
        >>> network.fit(X, X[:, 0]).at(epoch=1, layer="activation_1").transform(X).shape
        (50, 8)
        """
        check_is_fitted(self)
        other = copy.copy(self)
        if epoch is not None:
            if epoch not in self._checkpoint_epochs:
                raise ValueError(
                    f"epoch={epoch!r} is none of the checkpoints {self._checkpoint_epochs}; fit "
                    "with checkpoints that hold it."
                )
            other._state = self._checkpoint_states[self._checkpoint_epochs.index(epoch)]
            other._checkpoint_states, other._checkpoint_epochs = [], ()
        if layer is not None:
            other.layer = layer
            other._spec = self._spec._replace(layer=layer)
            probe = np.zeros((1, *self._spec.input_shape), dtype=np.float32)
            other._n_features_out = other._features(other._state, probe).shape[1]
        return other

    def takes_classes(self, y: Any) -> bool:
        """Say whether `fit` would train on `y` by cross-entropy; nothing is trained.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            As for `fit`.

        Returns
        -------
        bool
            False where `max_epochs` is 0.

        Examples
        --------
        >>> from sk_deepfeat.feature_maps import TrainedDeepFeatures
        >>> feature_map = TrainedDeepFeatures()
        >>> feature_map.takes_classes([0, 1, 1]), feature_map.takes_classes([-1.0, 1.0, 1.0])
        (True, False)
        """
        return self.max_epochs != 0 and are_classes(np.asarray(y), self.loss)

    def linearization_layers(self) -> list[tuple[NDArray[Any], NDArray[Any] | None, Any]]:
        """Return the layers up to the chosen one as (weights, bias, activation).

        Rows are taken as flattened. A `module` must make an ``nn.Sequential`` of Linear, Conv2d,
        AvgPool2d, Flatten, Identity, Dropout and activations that have a counterpart in
        `sk_deepfeat.activations`; convolutions and pooling become dense matrices, and affine layers
        that follow each other one.

        Returns
        -------
        list of (ndarray of shape (units, fan_in), ndarray of shape (units,) or None, object)
            In float32, as they were trained, for the default network; in float64 for a `module`.

        Raises
        ------
        ValueError
            If a layer is not supported, which is named, or no layer of weights precedes the chosen
            one.
        """
        check_is_fitted(self)
        if self._spec.module is not None:
            _require_torch()
            from sk_deepfeat.feature_maps._torch.linearization import dense_layers

            return dense_layers(self._spec, self._state)
        kind, _, number = self._spec.layer.partition("_")
        if kind == "flatten":
            raise ValueError(
                "linearization_layers needs a layer of weights, but none precedes "
                f"layer={self._spec.layer!r}."
            )
        n_hidden = len(self._spec.hidden_layer_sizes) if kind == "output" else int(number)
        names = [f"hidden_{index}" for index in range(1, n_hidden + 1)]
        names += ["output"] if kind == "output" else []
        activations = [self._spec.activation] * len(names)
        if kind != "activation":
            activations[-1] = identity
        return [
            (self._state[f"{name}.weight"], self._state.get(f"{name}.bias"), activation)
            for name, activation in zip(names, activations, strict=True)
        ]

    def _validate_training_data(self, X: Any, y: Any) -> tuple[NDArray[Any], Targets | None]:
        if y is None:
            if self.max_epochs:
                raise ValueError(
                    f"{type(self).__name__} requires y to be passed, but the target y is None; "
                    "only max_epochs=0, an untrained network, needs no y."
                )
            return validate_data(self, X, dtype="numeric", allow_nd=True), None
        X, y = validate_data(self, X, y, dtype="numeric", allow_nd=True, multi_output=True)
        return X, encode_targets(y, self.loss)

    def _validate_rows(self, X: Any) -> NDArray[Any]:
        X = validate_data(self, X, dtype="numeric", allow_nd=True, reset=False)
        if X.shape[1:] != self._spec.input_shape:
            raise ValueError(
                f"X has rows of shape {X.shape[1:]}, but {type(self).__name__} was fitted with "
                f"rows of shape {self._spec.input_shape}."
            )
        return X

    def _features(self, state: dict[str, NDArray[Any]], X: NDArray[Any]) -> NDArray[Any]:
        _require_torch()
        from sk_deepfeat.feature_maps._torch.features import features_of_state

        dtype = np.float32 if X.dtype == np.float32 else np.float64
        return features_of_state(self._spec, state, X, dtype)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.target_tags.required = self.max_epochs != 0
        tags.target_tags.multi_output = True
        tags.input_tags.three_d_array = True
        return tags


def _require_torch() -> None:
    from sk_deepfeat.feature_maps._torch.requirements import require_extra

    require_extra("torch", "skorch")


def _check_torch_name(activation: Any, given: Any) -> Any:
    if not isinstance(getattr(activation, "torch_name", None), str):
        raise TypeError(
            f"activation={given!r} has no torch_name, so torch cannot compute it. Give a built-in "
            "name, or an activation object whose torch_name is the name of a class of torch.nn or "
            "of a function of torch."
        )
    return activation
