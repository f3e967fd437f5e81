"""TrainedDeepFeatures: a hidden layer of a network trained with torch."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.feature_maps.checkpoints import check_checkpoints
from sk_deepfeat.feature_maps.fit_tasks import CallbackSupportMixin, FitTasks, with_callbacks
from sk_deepfeat.feature_maps.fitting import (
    array_rows,
    default_layers,
    describe_network,
    is_data_set,
    require_torch,
    rows_as_fitted,
    training_data,
)
from sk_deepfeat.feature_maps.into_array import check_out, transform_into
from sk_deepfeat.feature_maps.kept_network import KeptNetworkMixin
from sk_deepfeat.feature_maps.perceptron_layers import perceptron_layers
from sk_deepfeat.feature_maps.saving import SavedFeaturesMixin
from sk_deepfeat.feature_maps.targets import are_classes
from sk_deepfeat.feature_maps.training_options import (
    TrainingOptions,
    check_module_arguments,
    check_pool,
    check_training_options,
)
from sk_deepfeat.feature_maps.weight_law import draw_layers


class TrainedDeepFeatures(
    KeptNetworkMixin,
    SavedFeaturesMixin,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
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
        The layer whose activations are the features. None is the last hidden
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
        Rows of an optimiser step; None for all. A DataLoader has its own.
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
        1 shows a bar of progress while the network is trained, and for a long `transform`; 2 prints
        a line an epoch in place of the former.
    pool : {"flatten", "mean", "max"}, default="flatten"
        What becomes of activations with more than two axes: every entry is a feature, or the mean
        or maximum over all positions of each channel is. Channels come first after convolutions,
        (n, channels, height, width), and features last in sequences of tokens, (n, tokens,
        features): the modules that computed the activation decide, and where they do not agree
        the layer is refused.

    Attributes
    ----------
    history_ : list of dict
        ``epoch`` and ``train_loss`` of each epoch.
    n_iter_ : int
        Number of epochs.
    classes_ : ndarray of shape (n_classes,)
        Labels, when `y` was 1-d and held classes.
    n_features_in_ : int
        ``X.shape[1]`` in `fit`; of items of a data set, the first axis.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, when `X` had names that are all strings.

    See Also
    --------
    RandomDeepFeatures : The same architecture with random weights.

    Notes
    -----
    An integer `random_state` gives the same bits in every process of a machine, whatever torch's
    global generator and number of threads: torch computes in one thread here, so use processes
    for parallel work. A fitted estimator keeps its weights as numpy arrays. `save` writes them to a
    file that anyone may open; a pickle runs code, as every pickle does.
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

    _kept_attributes = (
        "_spec",
        "_state",
        "_checkpoint_states",
        "_checkpoint_epochs",
        "_n_features_out",
        "history_",
        "n_iter_",
        "classes_",
        "n_features_in_",
        "feature_names_in_",
        "_sklearn_output_config",
    )

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
        pool: str = "flatten",
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
        self.pool = pool

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> TrainedDeepFeatures:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Rows, or images (n_samples, channels, height, width). Or a Dataset or DataLoader of
            torch, or a SliceDataset of skorch, with items x or (x, y), which are read a batch at a
            time.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers, classes or one-hot rows; may be None if `max_epochs` is 0, or the items of a
            data set bring them.

        Returns
        -------
        self : TrainedDeepFeatures

        Raises
        ------
        ImportError
            If the extra is not installed.
        ValueError, TypeError
            If the data or a parameter is not usable, which two rows tell before training; or if
            the training diverges. An estimator that was fitted before then stays as it was, as it
            does where a user interrupts the training.
        """
        options = check_training_options(self)
        tasks = FitTasks(self, options.max_epochs, X, y)
        # Into a copy, so that a fit which is interrupted or refused leaves what was there.
        learned = copy.copy(self)
        learned._learn(X, y, options, tasks)
        self.__dict__.clear()
        self.__dict__.update(learned.__dict__)
        tasks.end(lambda: learned._fitted_attributes())
        return self

    def _learn(self, X: Any, y: Any, options: TrainingOptions, tasks: FitTasks) -> None:
        check_module_arguments(self)
        checkpoints = check_checkpoints(self.checkpoints, options.max_epochs)
        layers = default_layers(self)
        require_torch()
        from sk_deepfeat.feature_maps._torch.training import train_network

        rows, targets = training_data(self, X, y)
        spec = self._spec = describe_network(self, layers, rows, targets)
        self.__dict__.pop("classes_", None)
        if targets is not None and targets.classes is not None:
            self.classes_ = targets.classes

        def take(training: Any) -> dict[str, Any]:
            self._state = training.state
            self._checkpoint_states = training.checkpoint_states
            self._checkpoint_epochs = checkpoints[: len(training.checkpoint_states)]
            self._n_features_out = training.n_features_out
            self.history_ = training.history
            self.n_iter_ = len(training.history)
            return self._fitted_attributes()

        first: list[NDArray[Any]] = []
        if self.weight_covariance is not None:
            rng = np.random.RandomState(spec.seed)
            widths = spec.hidden_layer_sizes
            first = draw_layers(rng, widths, spec.in_features, self.weight_covariance)
        take(train_network(spec, rows, targets, options, checkpoints, tasks, take, first))

    def transform(self, X: Any, out: Any = None) -> Any:
        """Return the activations of the layer, with the final weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows of the shape seen in `fit`; or a data set or loader, in the order of the data set.
            With `out`, anything with a shape and slices of rows, of which a block is read at a
            time.
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
            If `X` is sparse, not finite, or has rows of another shape than in `fit`, is a loader
            that shuffles, or `out` does not fit.
        """
        check_is_fitted(self)
        require_torch()
        if out is None or is_data_set(X):
            rows = rows_as_fitted(self, X)
            if out is not None:
                check_out(out, (rows.shape[0], self._n_features_out))
            return self._features(self._state, rows, out)
        quiet = copy.copy(self).set_params(verbose=0)
        return transform_into(quiet.transform, X, out, self._n_features_out, self.verbose)

    def staged_transform(self, X: Any) -> Iterator[NDArray[Any]]:
        """Yield the activations of the layer at each of the checkpoints, in their order.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            As for `transform`.

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
        rows = rows_as_fitted(self, X)
        return (self._features(state, rows) for state in self._checkpoint_states)

    def at(
        self, *, epoch: float | None = None, layer: str | None = None, pool: str | None = None
    ) -> TrainedDeepFeatures:
        """Return a fitted copy that shows the same training at a checkpoint, or another layer.

        Nothing is trained again and weights are shared. `fit` on the copy is the whole training.

        Parameters
        ----------
        epoch : float, optional
            One of the checkpoints of `fit`; None keeps the final weights. A copy at an epoch has
            no checkpoints of its own.
        layer, pool : str, optional
            As the parameters; None keeps them. The layer ``"output"`` of the default network gives
            its own predictions.

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
        if layer is not None or pool is not None:
            layer = self._spec.layer if layer is None else layer
            pool = self._spec.pool if pool is None else pool
            check_pool(pool)
            other._spec = self._spec._replace(layer=layer, pool=pool)
            other.layer, other.pool = layer, pool
            probe = array_rows(np.zeros((1, *self._spec.input_shape), dtype=np.float32))
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
            require_torch()
            from sk_deepfeat.feature_maps._torch.linearization import dense_layers

            return dense_layers(self._spec, self._state)
        return perceptron_layers(self._spec, self._state)

    def _features(self, state: dict[str, NDArray[Any]], rows: Any, out: Any = None) -> Any:
        require_torch()
        from sk_deepfeat.feature_maps._torch.features import features_of_state

        return features_of_state(self._spec, state, rows, out, self.verbose)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.target_tags.required = self.max_epochs != 0
        tags.target_tags.multi_output = True
        tags.input_tags.three_d_array = True
        return tags
