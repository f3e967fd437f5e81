import numpy as np
import pytest

from sk_deepfeat.theory import ridge_risk, solve_kappa
from sk_deepfeat.theory.equivalents import risk as risk_module

P = 60
EIGENVALUES = np.arange(1, P + 1) ** -1.0
COEFS = np.random.default_rng(1).normal(size=P)
PSI = EIGENVALUES * COEFS
NOISE = 0.5
RHO = float(np.sum(EIGENVALUES * COEFS**2) + NOISE)
PARTS = ("bias", "variance", "noise_variance", "noise")


def simulate(n, alpha, fit_intercept, repeats=600):
    """Mean and standard error of (test error, train error, squared norm) over training sets."""
    rng = np.random.default_rng(n)
    found = []
    for _ in range(repeats):
        X = rng.normal(size=(n, P)) * np.sqrt(EIGENVALUES)
        y = X @ COEFS + np.sqrt(NOISE) * rng.normal(size=n)
        mean_x, mean_y = (X.mean(axis=0), y.mean()) if fit_intercept else (np.zeros(P), 0.0)
        Xc, yc = X - mean_x, y - mean_y
        w = np.linalg.solve(Xc.T @ Xc + alpha * np.eye(P), Xc.T @ yc)
        offset = mean_y - mean_x @ w
        test = np.sum(EIGENVALUES * (w - COEFS) ** 2) + NOISE + offset**2
        found.append((test, np.mean((yc - Xc @ w) ** 2), w @ w))
    return np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(repeats)


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize(("n", "alpha"), [(15, 1.0), (60, 1.0), (60, 0.1), (200, 1e-6)])
def test_agrees_with_refits(n, alpha, fit_intercept):
    """Within four standard errors, plus 2 % for the finite size of the equivalents."""
    mean, error = simulate(n, alpha, fit_intercept)
    risk = ridge_risk(EIGENVALUES, PSI, RHO, n, alpha, fit_intercept=fit_intercept)
    found = np.array([risk.test_error, risk.train_error, risk.coef_norm2])
    assert np.all(np.abs(found - mean) < 4 * error + 0.02 * mean), found / mean


def test_slow_formulas():
    """Every field from its formula, written out with one kappa at a time."""
    n = np.array([10.0, 60.0, 300.0])
    risk = ridge_risk(EIGENVALUES, PSI, RHO, n, 0.3)
    for i, rows in enumerate(n):
        kappa = float(solve_kappa(EIGENVALUES, rows, 0.3))
        shrink = EIGENVALUES / (EIGENVALUES + kappa)
        df1, df2 = shrink.sum(), (shrink**2).sum()
        bias = kappa**2 * np.sum(EIGENVALUES * COEFS**2 / (EIGENVALUES + kappa) ** 2)
        gamma = df2 / rows
        test = (bias + NOISE) / (1 - gamma)
        w = PSI / (EIGENVALUES + kappa)
        norm = w @ w + test / rows * np.sum(EIGENVALUES / (EIGENVALUES + kappa) ** 2)
        expected = {
            "kappa": kappa,
            "df1": df1,
            "df2": df2,
            "test_error": test,
            "train_error": (0.3 / (rows * kappa)) ** 2 * test,
            "bias": bias,
            "variance": bias * gamma / (1 - gamma),
            "noise_variance": NOISE * gamma / (1 - gamma),
            "noise": NOISE,
            "coef_norm2": norm,
        }
        for name, value in expected.items():
            np.testing.assert_allclose(getattr(risk, name)[i], value, rtol=1e-10, err_msg=name)


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_parts_sum_to_the_error(fit_intercept):
    n = np.array([1, 2, 30, 60, 61, 1000])[:, None]
    alpha = np.array([1e-3, 1.0, 1e6])
    risk = ridge_risk(EIGENVALUES, PSI, RHO, n, alpha, fit_intercept=fit_intercept)
    assert risk.test_error.shape == (6, 3)
    total = sum(getattr(risk, part) for part in PARTS)
    np.testing.assert_allclose(total, risk.test_error, rtol=1e-13)
    assert all(np.all(getattr(risk, part) >= 0) for part in PARTS)


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e6])
def test_scaling_law(scale):
    """(φ, alpha) -> (cφ, c²alpha) leaves the errors as they are."""
    alpha = np.array([0.0, 1e-3, 1.0, 1e3])
    risk = ridge_risk(EIGENVALUES, PSI, RHO, 40, alpha)
    scaled = ridge_risk(scale**2 * EIGENVALUES, scale * PSI, RHO, 40, scale**2 * alpha)
    for name in ("test_error", "train_error", "df1", "df2", *PARTS):
        np.testing.assert_allclose(getattr(scaled, name), getattr(risk, name), rtol=1e-10)
    np.testing.assert_allclose(scaled.coef_norm2, risk.coef_norm2 / scale**2, rtol=1e-10)


def test_zero_eigenvalues_and_order_do_not_matter():
    order = np.random.default_rng(0).permutation(P + 5)
    eigenvalues, psi = np.r_[EIGENVALUES, np.zeros(5)][order], np.r_[PSI, np.zeros(5)][order]
    left, right = (
        ridge_risk(eigenvalues, psi, RHO, 20, 0.1),
        ridge_risk(EIGENVALUES, PSI, RHO, 20, 0.1),
    )
    for name, a, b in zip(left._fields, left, right, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, err_msg=name)


def test_ridgeless_limits():
    n = np.array([20, 59, 60, 61, 300])
    exact = ridge_risk(EIGENVALUES, PSI, RHO, n, 0.0)
    near = ridge_risk(EIGENVALUES, PSI, RHO, n, 1e-12)
    assert np.isinf(exact.test_error[2])
    others = [0, 1, 3, 4]
    np.testing.assert_allclose(exact.test_error[others], near.test_error[others], rtol=1e-6)
    np.testing.assert_allclose(exact.train_error[others], near.train_error[others], atol=1e-9)
    assert exact.kappa[3] == 0 and exact.bias[3] == 0 and exact.df2[3] == pytest.approx(P)
    # classical: least squares with n > p
    np.testing.assert_allclose(exact.test_error[4], NOISE / (1 - P / 300), rtol=1e-12)
    np.testing.assert_allclose(exact.train_error[4], NOISE * (1 - P / 300), rtol=1e-12)
    noiseless = ridge_risk(EIGENVALUES, PSI, RHO - NOISE, n, 0.0)
    np.testing.assert_array_equal(noiseless.test_error[2:], 0.0)


def test_ridgeless_with_intercept_compares_one_row_less():
    risk = ridge_risk(EIGENVALUES, PSI, RHO, [P, P + 1, P + 2], 0.0, fit_intercept=True)
    assert np.isfinite(risk.test_error[0]) and np.isinf(risk.test_error[1])
    assert np.isfinite(risk.test_error[2])


def test_intercept_rule():
    n = np.array([2, 10, 100])
    with_intercept = ridge_risk(EIGENVALUES, PSI, RHO, n, 0.7, fit_intercept=True)
    centred = ridge_risk(EIGENVALUES, PSI, RHO, n - 1, 0.7)
    np.testing.assert_allclose(
        with_intercept.test_error, (1 + 1 / n) * centred.test_error, rtol=1e-12
    )
    np.testing.assert_allclose(
        with_intercept.train_error, (1 - 1 / n) * centred.train_error, rtol=1e-12
    )
    one = ridge_risk(EIGENVALUES, PSI, RHO, 1, 0.7, fit_intercept=True)
    assert float(one.test_error) == pytest.approx(2 * RHO)
    assert float(one.train_error) == 0.0 and float(one.coef_norm2) == 0.0


def test_small_errors_keep_their_digits():
    """Without noise the bias is followed far below the rounding of the target's moment."""
    psi = EIGENVALUES**2
    rho = float(np.sum(psi**2 / EIGENVALUES))
    risk = ridge_risk(EIGENVALUES, psi, rho, 1e9, 1.0)
    kappa = risk.kappa
    expected = kappa**2 * np.sum(EIGENVALUES**3 / (EIGENVALUES + kappa) ** 2)
    assert expected < 1e-15
    np.testing.assert_allclose(risk.bias, expected, rtol=1e-10)
    assert float(risk.noise) == 0.0


@pytest.mark.parametrize("seed", range(10))
def test_noise_below_the_rounding_of_the_target_is_none(seed):
    """Else the peak at n = rank would be infinite, with a sign of rounding, without any noise."""
    coefs = np.random.default_rng(seed).normal(size=P)
    psi = EIGENVALUES * coefs
    risk = ridge_risk(EIGENVALUES, psi, float(np.sum(EIGENVALUES * coefs**2)), P, 0.0)
    assert float(risk.noise) == 0.0 and float(risk.test_error) == 0.0


def test_several_outputs():
    rng = np.random.default_rng(3)
    coefs = rng.normal(size=(P, 2))
    psi = EIGENVALUES[:, None] * coefs
    rho = psi.T @ coefs + np.array([[1.0, 0.3], [0.3, 0.5]])
    n, alpha = np.array([[20], [90]]), np.array([0.1, 1.0, 10.0])
    risk = ridge_risk(EIGENVALUES, psi, rho, n, alpha)
    assert risk.test_error.shape == (2, 3, 2, 2) and risk.kappa.shape == (2, 3)
    for k in range(2):
        alone = ridge_risk(EIGENVALUES, psi[:, k], rho[k, k], n, alpha)
        for name in ("test_error", "train_error", "coef_norm2", *PARTS):
            np.testing.assert_allclose(
                getattr(risk, name)[..., k, k], getattr(alone, name), rtol=1e-10
            )
    mixed = ridge_risk(EIGENVALUES, psi.sum(axis=1), rho.sum(), n, alpha)
    np.testing.assert_allclose(risk.test_error.sum(axis=(-2, -1)), mixed.test_error, rtol=1e-10)


@pytest.mark.parametrize("entries", [1, 3 * P, 5 * P + 1])
def test_blocks_of_cells_do_not_matter(entries, monkeypatch):
    n, alpha = np.array([[1], [20], [60], [90]]), np.array([0.0, 0.3, 1.0, 7.0])
    expected = ridge_risk(EIGENVALUES, PSI, RHO, n, alpha)
    monkeypatch.setattr(risk_module, "_BLOCK_ENTRIES", entries)
    for name, values in ridge_risk(EIGENVALUES, PSI, RHO, n, alpha)._asdict().items():
        np.testing.assert_allclose(values, getattr(expected, name), rtol=1e-12)


@pytest.mark.parametrize("signal", [1.0 + 5e-7, 1.0 + 2e-6])
def test_how_much_of_the_target_rounding_may_explain(signal):
    """A millionth beyond all of it is no noise; more belongs to no population."""
    psi = PSI * np.sqrt(signal * 3.0 / (RHO - NOISE))
    if signal > 1.0 + 1e-6:
        with pytest.raises(ValueError, match="explain more of the target"):
            ridge_risk(EIGENVALUES, psi, 3.0, 20, 0.1)
    else:
        assert ridge_risk(EIGENVALUES, psi, 3.0, 20, 0.1).noise == 0.0


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_a_target_that_is_zero(fit_intercept):
    """Alone, and beside another output."""
    n, alpha = np.array([[1], [20], [60], [90]]), np.array([0.0, 1.0])
    options = {"fit_intercept": fit_intercept}
    none = ridge_risk(EIGENVALUES, np.zeros(P), 0.0, n, alpha, **options)
    for name in ("test_error", "train_error", "coef_norm2", *PARTS):
        np.testing.assert_array_equal(getattr(none, name), 0.0)
    beside = ridge_risk(
        EIGENVALUES, np.c_[PSI, np.zeros(P)], np.diag([RHO, 0.0]), n, alpha, **options
    )
    alone = ridge_risk(EIGENVALUES, PSI, RHO, n, alpha, **options)
    for name in ("test_error", "train_error", "coef_norm2", *PARTS):
        found = getattr(beside, name)
        np.testing.assert_allclose(found[..., 0, 0], getattr(alone, name), rtol=1e-12)
        np.testing.assert_array_equal(found[..., 1, :], 0.0)
        np.testing.assert_array_equal(found[..., :, 1], 0.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((EIGENVALUES, PSI[:-1], RHO), "one row per eigenvalue"),
        ((EIGENVALUES, PSI, np.eye(2)), "target_second_moment must have shape"),
        ((EIGENVALUES, np.c_[PSI, PSI], [[1.0, 0.0], [1.0, 1.0]]), "symmetric"),
        ((EIGENVALUES, PSI, -1.0), "cannot be negative"),
        ((EIGENVALUES, PSI, np.nan), "must be finite"),
        ((EIGENVALUES, PSI, 0.5 * (RHO - NOISE)), "explain more of the target"),
    ],
)
def test_bad_population(arguments, message):
    with pytest.raises(ValueError, match=message):
        ridge_risk(*arguments, 10, 1.0)
