"""Fourier features of a Matérn kernel."""

import numpy as np
from scipy.stats import multivariate_t
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.validation import check_is_fitted, validate_data

from sk_deepfeat.activations import cos


class FourierFeatures(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """cos and sin of random frequencies, whose inner products are a Matérn kernel.

    Frequencies follow the spectral density of the kernel, Student's t distribution with 2 ν degrees
    of freedom. The products of the features of two rows, divided by `n_frequencies`, tend to
    ``sklearn.gaussian_process.kernels.Matern(length_scale, nu=smoothness)``.

    Parameters
    ----------
    n_frequencies : int, default=100
        Half the number of features.
    smoothness : float, default=1.5
        ν of the kernel; infinity is the Gaussian kernel.
    length_scale : float, default=1.0
        Length scale of the kernel, in the units of the inputs.
    random_state : int, RandomState instance or None, default=None
        Source of the frequencies.

    Attributes
    ----------
    frequencies_ : ndarray of shape (n_frequencies, n_features_in_)
        In radians per unit of the inputs.
    """

    def __init__(self, n_frequencies=100, *, smoothness=1.5, length_scale=1.0, random_state=None):
        self.n_frequencies = n_frequencies
        self.smoothness = smoothness
        self.length_scale = length_scale
        self.random_state = random_state

    def fit(self, X, y=None):
        """Draw the frequencies for inputs of the width of `X`; `y` is ignored."""
        check_scalar(self.n_frequencies, "n_frequencies", (int, np.integer), min_val=1)
        for name in ("smoothness", "length_scale"):
            check_scalar(
                getattr(self, name),
                name,
                (int, float, np.integer, np.floating),
                min_val=0,
                include_boundaries="neither",
            )
        X = validate_data(self, X)
        law = multivariate_t(np.zeros(X.shape[1]), df=2 * self.smoothness, allow_singular=False)
        drawn = law.rvs(self.n_frequencies, random_state=check_random_state(self.random_state))
        self.frequencies_ = np.reshape(drawn, (self.n_frequencies, -1)) / self.length_scale
        self._n_features_out = 2 * self.n_frequencies
        return self

    def transform(self, X):
        """Return cos and sin of the frequencies, shape (n_samples, 2 n_frequencies)."""
        check_is_fitted(self)
        angles = validate_data(self, X, reset=False) @ self.frequencies_.T
        return np.hstack([np.cos(angles), np.sin(angles)])

    def linearization_layers(self):
        """Return the features as one layer of cosines, for populations from weights."""
        check_is_fitted(self)
        weights = np.vstack([self.frequencies_, self.frequencies_])
        phases = np.repeat([0.0, -0.5 * np.pi], self.n_frequencies)
        return [(weights, phases, cos)]
