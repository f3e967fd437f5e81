"""What can be larger than what, at whatever is asked."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from training_draws import WITH_INTERVALS, silently, trainings

pytestmark = pytest.mark.random_examples

ROUNDED = 1.0 + 1e-9
sizes = st.floats(0.0, 1.5).map(lambda power: 10.0**power)  # of n, over a tenth of the rows


def asked(training, size, powers):
    """Return a number of samples and alphas of all orders of magnitude."""
    n = max(2.0, np.round(0.1 * size * training.n))
    scale = float(np.square(training.X).sum() / training.n)
    return n, scale * 10.0 ** np.asarray(powers)


powers = st.lists(st.floats(-6.0, 4.0), min_size=1, max_size=5)


@hypothesis.given(training=trainings(), size=sizes, powers=powers)
def test_noise_and_training_error_are_below_the_test_error(training, size, powers):
    ridge = training.fit()
    n, alphas = asked(training, size, powers)
    error, train = ridge.predict_test_error(n, alphas), ridge.predict_train_error(n, alphas)
    parts = ridge.predict_decomposition(n, alphas)
    known = ~np.isnan(error)
    assert np.all(train[known] >= 0) and np.all(train[known] <= error[known] * ROUNDED)
    assert not np.any(parts.noise > error * ROUNDED)
    assert np.all(parts.bias_and_noise[known] <= error[known] * ROUNDED)
    assert np.all(np.isnan(train[~known])) and np.all(np.isnan(parts.bias_and_noise[~known]))


@hypothesis.given(
    training=trainings(populations=st.sampled_from(WITH_INTERVALS)),
    size=sizes,
    powers=powers,
    levels=st.tuples(st.floats(0.01, 0.99), st.floats(0.01, 0.99)),
)
def test_errors_lie_in_their_intervals(training, size, powers, levels):
    ridge = training.fit()
    n, alphas = asked(training, size, powers)
    narrow, wide = sorted(levels)
    error, lower, upper = ridge.predict_test_error(n, alphas, return_interval=True, level=narrow)
    _, lowest, highest = ridge.predict_test_error(n, alphas, return_interval=True, level=wide)
    known = ~np.isnan(error)
    ordered = np.stack([lowest, lower, error, upper, highest])[:, known]
    assert np.all(ordered[1:] >= ordered[:-1] / ROUNDED)
    assert np.all(ordered >= 0)
    assert not np.any(np.isnan(ordered))


@hypothesis.given(training=trainings(), size=sizes, powers=powers)
def test_no_alpha_is_better_than_the_best(training, size, powers):
    ridge = training.fit()
    n, alphas = asked(training, size, powers)
    least = float(silently(lambda: ridge.predict_test_error(n, "optimal")))
    best = float(silently(lambda: ridge.optimal_alpha(n)))
    tried = ridge.predict_test_error(n, alphas)
    if np.isnan(best):
        assert np.isnan(least)
        return
    # Beyond the training size what is least by chance is not believed.
    if n <= training.n or training.population == "plug-in":
        assert not np.any(tried < least * (1.0 - 1e-6))
        assert ridge.predict_test_error(n, best) <= least * (1.0 + 1e-6)


@hypothesis.given(training=trainings(), share=st.floats(0.05, 0.95), fixed=st.booleans())
def test_required_samples_suffice_and_one_fewer_does_not(training, share, fixed):
    ridge = training.fit()
    alpha = training.alpha if fixed else "optimal"
    n = np.unique(np.round(np.geomspace(2, training.n, 8)))
    known = silently(lambda: ridge.predict_test_error(n, alpha))
    known = known[np.isfinite(known)]
    hypothesis.assume(known.size > 1 and np.ptp(known) > 1e-6 * known.max())
    target = known.min() + share * np.ptp(known)
    needed = silently(lambda: ridge.required_samples(target, alpha))
    assert np.isfinite(needed) and needed == np.round(needed)
    at = silently(lambda: ridge.predict_test_error([needed, max(needed - 1, 1)], alpha))
    assert at[0] <= target * (1.0 + 1e-6)
    assert needed == 1 or np.isnan(at[1]) or at[1] >= target * (1.0 - 1e-6)


@hypothesis.given(training=trainings(), size=sizes, powers=powers)
def test_kappa_rises_with_alpha_and_falls_with_n(training, size, powers):
    ridge = training.fit()
    n, alphas = asked(training, size, powers)
    alphas = np.sort(alphas)
    kappa = ridge.predict_kappa(n * np.array([1.0, 1.01, 1.3, 2.0])[:, None], alphas)
    along_alpha, along_n = np.diff(kappa, axis=1), np.diff(kappa, axis=0)
    least = 1e-9 * np.nanmax(kappa, initial=0.0)
    assert not np.any(along_alpha < -least)
    assert not np.any(along_n > least)


@hypothesis.given(training=trainings(), size=sizes, powers=powers)
def test_the_best_error_does_not_rise_with_n(training, size, powers):
    ridge = training.fit()
    n = np.unique(np.round(training.n * np.array([0.2, 0.4, 0.7, 1.0, 0.1 * size, 3.0])))
    n = n[n >= 2]
    least = silently(lambda: ridge.predict_test_error(n, "optimal"))
    least = least[~np.isnan(least)]
    assert np.all(least[1:] <= least[:-1] * (1.0 + 1e-6))
