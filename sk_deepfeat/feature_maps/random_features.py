"""RandomDeepFeatures: a deep network with random Gaussian weights."""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.validation import check_is_fitted, validate_data

from sk_deepfeat.feature_maps.forward import NumpyLayer, forward_pass
from sk_deepfeat.feature_maps.into_array import transform_into
from sk_deepfeat.feature_maps.network_shape import check_activation, check_hidden_layer_sizes
from sk_deepfeat.feature_maps.saving import SavedFeaturesMixin
from sk_deepfeat.feature_maps.weight_law import draw_weights, split_by_layer
from sk_deepfeat.theory.validation import FloatArray, is_finite, is_whole, real_array

_MOST_BIAS = 1e100
_NO_WEIGHTS = (
    "This %(name)s instance is not fitted yet and has no weights: call draw(n_features) for inputs "
    "of that width, or fit(X)."
)


class RandomDeepFeatures(
    SavedFeaturesMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Features of a deep network with random Gaussian weights.

    Layer l maps x to f(W_l x + b_l). The rows of W_l, of shape (units, fan_in), are independent
    N(0, C_l), the entries of b_l independent N(0, bias_scale²).

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(1000,)
        Units of each layer; the features are those of the last one.
    activation : str, activation object or callable, default="relu"
        f: a name (see ``sk_deepfeat.plugins.available("activations")``), an object of
        `sk_deepfeat.activations`, or a function of an array, entry by entry.
    weight_covariance : None, array, float, callable, or list of these, default=None
        C_l. A list or tuple has one entry per layer; anything else serves every layer.

        - None: the identity divided by fan_in.
        - array of shape (fan_in, fan_in): symmetric positive semi-definite.
        - array of shape (fan_in,): the diagonal of C_l.
        - float g: diagonal, C_kk = k^-g / Σ_j j^-g, k = 1 … fan_in.
        - callable: called with the list of the weights of the earlier layers (empty for the
          first), returns any of the above.
    bias_scale : float, default=0.0
        Standard deviation of the biases, at most 1e100; 0 means that there are none.
    random_state : int, RandomState instance or None, default=None
        Source of the weights; an int makes them reproducible.

    Attributes
    ----------
    weights_ : list of ndarray of shape (units, fan_in)
        In float64.
    biases_ : list of ndarray of shape (units,) or of None
        In float64.
    n_features_in_ : int
        Columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, when `X` had names that are all strings.

    See Also
    --------
    TrainedDeepFeatures : The same architecture with trained weights.

    Notes
    -----
    float32 input gives float32 features, any other input float64 features. Rows are transformed
    in blocks: beyond the features and the weights, less than 64 MiB are needed for any number of
    rows, unless a single row of activations is larger.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.feature_maps import RandomDeepFeatures
    >>> X = np.random.default_rng(0).standard_normal((5, 3))
    >>> feature_map = RandomDeepFeatures((20, 10), activation="tanh", random_state=0)
    >>> feature_map.fit_transform(X).shape
    (5, 10)
    >>> [weights.shape for weights in feature_map.weights_]
    [(20, 3), (10, 20)]
    >>> feature_map.get_feature_names_out()[:2]
    array(['randomdeepfeatures0', 'randomdeepfeatures1'], dtype=object)
    """

    _kept_attributes = (
        "weights_",
        "biases_",
        "n_features_in_",
        "feature_names_in_",
        "_activation",
        "_n_features_out",
        "_sklearn_output_config",
    )

    def __init__(
        self,
        hidden_layer_sizes: Any = (1000,),
        activation: Any = "relu",
        *,
        weight_covariance: Any = None,
        bias_scale: float = 0.0,
        random_state: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.weight_covariance = weight_covariance
        self.bias_scale = bias_scale
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> RandomDeepFeatures:
        """Draw the weights for inputs of the width of `X`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Only its width is used.
        y : None
            Ignored.

        Returns
        -------
        self : RandomDeepFeatures

        Raises
        ------
        ValueError, TypeError
            If `X` or a parameter is not usable; the message names it.
        """
        law = self._checked_law()
        X = _numbers(validate_data(self, X, dtype="numeric"))
        return self._draw(X.shape[1], *law)

    def draw(self, n_features: int) -> RandomDeepFeatures:
        """Draw the weights for inputs of a width, as `fit` does for rows of it.

        Parameters
        ----------
        n_features : int
            Columns of the inputs.

        Returns
        -------
        self : RandomDeepFeatures
            Fitted, with the weights that `fit` would have drawn.

        Raises
        ------
        ValueError, TypeError
            If `n_features` or a parameter is not usable; the message names it.

        Examples
        --------
        >>> from sk_deepfeat import RandomDeepFeatures
        >>> feature_map = RandomDeepFeatures((20, 10), "tanh", random_state=0).draw(3)
        >>> [weights.shape for weights in feature_map.weights_]
        [(20, 3), (10, 20)]
        """
        law = self._checked_law()
        if not is_whole(n_features):
            shape = getattr(n_features, "shape", None)
            given = f"={n_features!r}" if shape is None else f" of shape {shape}"
            raise TypeError(
                f"n_features{given} must be an integer, the width of the inputs; fit(X) takes rows."
            )
        if n_features < 1:
            raise ValueError(f"n_features={n_features!r} must be at least 1.")
        if hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        self.n_features_in_ = int(n_features)
        return self._draw(self.n_features_in_, *law)

    def _checked_law(self) -> tuple[tuple[int, ...], Any, list[Any]]:
        """Return widths, the activation object and one covariance per layer."""
        sizes = check_hidden_layer_sizes(self.hidden_layer_sizes)
        activation = check_activation(self.activation)
        _check_bias_scale(self.bias_scale)
        return sizes, activation, split_by_layer(self.weight_covariance, len(sizes))

    def _draw(
        self, fan_in: int, sizes: tuple[int, ...], activation: Any, covariances: list[Any]
    ) -> RandomDeepFeatures:
        rng = check_random_state(self.random_state)
        weights: list[FloatArray] = []
        biases: list[FloatArray | None] = []
        for size, covariance in zip(sizes, covariances, strict=True):
            weights.append(draw_weights(rng, (size, fan_in), covariance, weights))
            biases.append(self.bias_scale * rng.standard_normal(size) if self.bias_scale else None)
            fan_in = size
        self.weights_, self.biases_ = weights, biases
        self._activation = activation
        self._n_features_out = sizes[-1]
        # Layers cast to float32 by the first transform that needs them. The dict itself is never
        # replaced, so that transform leaves the attributes of the estimator equal.
        self._single_precision: dict[int, tuple[Any, Any, NumpyLayer]] = {}
        return self

    def transform(self, X: Any, out: Any = None) -> Any:
        """Return the activations of the last layer.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs. With `out`, anything with a shape and slices of rows: a memory map, or an array
            of h5py, zarr or dask, of which a block is read at a time.
        out : array of shape (n_samples, hidden_layer_sizes[-1]), optional
            Where features are written, block by block: a memory map for those of more rows than
            memory holds. Of float32 or float64.

        Returns
        -------
        array of shape (n_samples, hidden_layer_sizes[-1])
            `out` if it is given; else float32 if `X` is float32, else float64.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If `X` is sparse, not finite, or of another width than in `fit`, or `out` does not fit.
        """
        check_is_fitted(self, msg=_NO_WEIGHTS)
        if out is not None:
            return transform_into(self.transform, X, out, self._n_features_out)
        # Not dtype=[float64, float32]: that would copy integers as a whole.
        X = _numbers(validate_data(self, X, dtype="numeric", reset=False))
        return forward_pass(X, self._layers(X.dtype == np.float32))

    def linearization_layers(
        self,
    ) -> list[tuple[FloatArray, FloatArray | None, Any]]:
        """Return the layers as (weights, bias, activation), the first layer first.

        Returns
        -------
        list of (ndarray of shape (units, fan_in), ndarray of shape (units,) or None, object)
        """
        check_is_fitted(self, msg=_NO_WEIGHTS)
        return [
            (weights, bias, self._activation)
            for weights, bias in zip(self.weights_, self.biases_, strict=True)
        ]

    def _layers(self, single_precision: bool) -> list[NumpyLayer]:
        layers = [NumpyLayer(*layer) for layer in self.linearization_layers()]
        if not single_precision:
            return layers
        for index, layer in enumerate(layers):
            known = self._single_precision.get(index)
            # Weights that a user has put in their place are cast anew.
            if known is None or known[0] is not layer.weights or known[1] is not layer.bias:
                bias = None if layer.bias is None else layer.bias.astype(np.float32)
                cast = NumpyLayer(layer.weights.astype(np.float32), bias, layer.activation)
                self._single_precision[index] = (layer.weights, layer.bias, cast)
        return [self._single_precision[index][2] for index in range(len(layers))]

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "_single_precision" in state:
            state["_single_precision"] = {}
        return state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _check_bias_scale(bias_scale: Any) -> None:
    check_scalar(bias_scale, "bias_scale", (int, float, np.integer, np.floating), min_val=0)
    if not is_finite(bias_scale) or float(bias_scale) > _MOST_BIAS:
        raise ValueError(
            f"bias_scale == {reprlib.repr(bias_scale)}, must be finite, not negative, and at most "
            f"{_MOST_BIAS:g}."
        )


def _numbers(X: Any) -> Any:
    """Return X, of which scikit-learn lets frames with categories pass as objects."""
    return real_array(X, "X") if X.dtype.kind == "O" else X
