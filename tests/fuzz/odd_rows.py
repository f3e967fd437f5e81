"""Strategies: rows, targets, weights and groups, most of them usable, in every container."""

import numpy as np
from hypothesis import strategies as st
from odd_values import Odd, made, odd, pd, usual_or_extreme
from scipy import sparse

# What becomes of a table, and of the container it lies in.
_CHANGES = (
    *("none",) * 8,
    *("constant column", "duplicate columns", "duplicate rows", "zero rows", "all zero"),
    *("all equal", "huge offset", "one huge", "sparse entries", "integers", "rank one"),
    *("nan", "inf", "text", "none cell", "denormal"),
)
_SCALES = (*(1.0,) * 8, 1e-3, 1e6, 1e-12, 1e12)
_EXTREME_SCALES = (1e-60, 1e60, 1e-160, 1e160, 1e300)
_KINDS = (
    *("array",) * 8,
    *("float32", "float16", "int", "bool", "object", "list", "tuple", "fortran", "strided"),
    *("read only", "big endian", "masked", "matrix", "csr", "csc", "coo", "csr_matrix", "complex"),
    *("text", "one axis", "three axes", "no rows", "no columns"),
    *("frame", "frame of ints", "frame with odd names", "frame with same names"),
    *(
        "frame with levels",
        "frame of text",
        "frame of dates",
        "frame with NA",
        "frame of categories",
    ),
    *("frame with odd index", "frame of sparse"),
)


class Rows:
    """A table by its recipe; `make` returns it."""

    def __init__(self, n, p, seed, change, scale, kind):
        self.n, self.p, self.seed = n, p, seed
        self.change, self.scale, self.kind = change, scale, kind

    def __repr__(self):
        return (
            f"Rows({self.n}, {self.p}, {self.seed}, {self.change!r}, {self.scale:g}, {self.kind!r})"
        )

    def values(self):
        X = np.random.default_rng(self.seed).normal(size=(self.n, self.p)) * self.scale
        return _changed(X, self.change)

    def fresh(self):
        return _contained(self.values(), self.kind)


def _changed(X, change):
    if X.size == 0 or change == "none":
        return X
    if change == "constant column":
        X[:, 0] = 1000.0 / 3
    elif change == "duplicate columns":
        X = np.repeat(X, 2, axis=1)
    elif change == "duplicate rows":
        X[len(X) // 2 :] = X[: len(X) - len(X) // 2]
    elif change == "zero rows":
        X[::2] = 0.0
    elif change == "all zero":
        X[:] = 0.0
    elif change == "all equal":
        X[:] = X[0, 0]
    elif change == "huge offset":
        X += 1e9
    elif change == "one huge":
        X[0, 0] = 1e6
    elif change == "one of a trillion":
        X[0, 0] = 1e12
    elif change == "sparse entries":
        X[np.abs(X) < np.median(np.abs(X)) * 2] = 0.0
    elif change == "integers":
        with np.errstate(over="ignore"):
            X = np.clip(np.round(X), -1e9, 1e9)
    elif change == "rank one":
        X = np.outer(X[:, 0], np.arange(1, X.shape[1] + 1))
    elif change in ("text", "none cell"):
        X = X.astype(object)
        X[0, -1] = "a" if change == "text" else None
    else:
        X[0, -1] = {"nan": np.nan, "inf": np.inf, "denormal": 5e-324}[change]
    return X


def _floats(X):
    return np.asarray(X, dtype=np.float64)


def _contained(X, kind):
    if kind.startswith("frame") and pd is not None:
        return _frame(X, kind)
    simple = {
        "object": lambda: X.astype(object),
        "list": X.tolist,
        "tuple": lambda: tuple(map(tuple, X)),
        "fortran": lambda: np.asfortranarray(X),
        "strided": lambda: np.repeat(X, 2, axis=0)[::2],
        "one axis": X.ravel,
        "three axes": lambda: X[:, :, None],
        "no rows": lambda: X[:0],
        "no columns": lambda: X[:, :0],
        "text": lambda: X.astype(str),
    }
    if kind in simple:
        return simple[kind]()
    if X.dtype == object:
        return X
    with np.errstate(all="ignore"):
        if kind in ("float32", "float16", "int", "bool", "complex"):
            if kind == "float16":  # scikit-learn's look for NaN warns of infinities in it
                X = np.clip(X, -1e4, 1e4)
            return np.nan_to_num(X).astype(kind) if kind == "int" else X.astype(kind)
    if kind == "read only":
        X.flags.writeable = False
    elif kind == "big endian":
        return X.astype(">f8")
    elif kind == "masked":
        return np.ma.masked_greater(X, np.quantile(X, 0.9) if X.size else 0.0)
    elif kind == "matrix":
        return np.asmatrix(X)
    elif kind in ("csr", "csc", "coo"):
        return getattr(sparse, f"{kind}_array")(X)
    elif kind == "csr_matrix":
        return sparse.csr_matrix(X)
    return X


def _frame(X, kind):
    frame = pd.DataFrame(X)
    p = frame.shape[1]
    frame.columns = [f"x{k}" for k in range(p)]
    if kind == "frame of ints":
        frame.columns = range(p)
    elif kind == "frame with odd names":
        frame.columns = [("a", 1, None, 2.5, "", "ä{}%", True, "x")[k % 8] for k in range(p)]
    elif kind == "frame with same names":
        frame.columns = ["a"] * p
    elif kind == "frame with levels":
        frame.columns = pd.MultiIndex.from_tuples([("a", k) for k in range(p)])
    elif kind == "frame of text" and p:
        frame["x0"] = frame["x0"].astype(str)
    elif kind == "frame of dates" and p:
        frame["x0"] = pd.date_range("2020-01-01", periods=len(frame))
    elif kind == "frame with NA" and p and X.dtype != object:
        frame["x0"] = pd.array([None, *range(1, len(frame))][: len(frame)], dtype="Int64")
    elif kind == "frame of categories" and p:
        frame["x0"] = pd.Categorical(["a", "b"] * (len(frame) // 2) + ["a"] * (len(frame) % 2))
    elif kind == "frame with odd index":
        frame.index = [0] * len(frame)
    elif kind == "frame of sparse" and X.dtype != object:
        frame = frame.astype(pd.SparseDtype(float, 0.0))
    return frame


_TARGETS = (
    *("linear",) * 8,
    *("constant", "zero", "integers", "two values", "two outputs", "three outputs", "column"),
    *("nan", "inf", "text", "bools", "object", "series", "list", "short", "long"),
    *("three axes", "scalar", "no columns", "complex", "float32", "masked", "sparse", "frame"),
    *("heavy tail", "dates", "mixed", "one apart", "none"),
)
_LABELS = (
    *("two", "three", "text", "bools") * 3,
    *("one class", "all different", "floats", "rare", "nan", "none", "mixed", "column", "list"),
    *("two axes", "short", "series", "categories", "negative", "object", "empty names", "huge"),
    *("bytes", "masked", "dates", "inf"),
)


class Targets:
    """Targets of some rows, by their recipe."""

    def __init__(self, rows, kind, seed):
        self.rows, self.kind, self.seed = rows, kind, seed

    def __repr__(self):
        return f"Targets({self.kind!r}, {self.seed})"

    def fresh(self):
        rng = np.random.default_rng(self.seed)
        n = self.rows.n
        plain = np.random.default_rng(self.rows.seed).normal(size=(n, self.rows.p))
        y = plain[:, :1].sum(axis=1) + 0.3 * rng.normal(size=n)
        return _target(y, self.kind, rng)


def _target(y, kind, rng):
    n = y.size
    makers = {
        "linear": lambda: y,
        "constant": lambda: np.full(n, 7.3),
        "zero": lambda: np.zeros(n),
        "integers": lambda: np.round(3 * y).astype(int),
        "two values": lambda: np.where(y > 0, 1.0, -1.0),
        "two outputs": lambda: np.c_[y, rng.normal(size=n)],
        "three outputs": lambda: np.c_[y, np.zeros(n), 1e6 * y],
        "column": lambda: y[:, None],
        "huge": lambda: y * 1e120,
        "tiny": lambda: y * 1e-120,
        "nan": lambda: np.where(np.arange(n) == 1, np.nan, y),
        "inf": lambda: np.where(np.arange(n) == 1, np.inf, y),
        "text": lambda: np.where(y > 0, "a", "b"),
        "bools": lambda: y > 0,
        "object": lambda: y.astype(object),
        "series": lambda: y if pd is None else pd.Series(y, index=[0] * n),
        "list": y.tolist,
        "short": lambda: y[:-1],
        "long": lambda: np.r_[y, 1.0],
        "three axes": lambda: y[:, None, None],
        "scalar": lambda: 1.0,
        "no columns": lambda: np.zeros((n, 0)),
        "complex": lambda: y + 1j,
        "float32": lambda: y.astype(np.float32),
        "masked": lambda: np.ma.masked_greater(y, 1.0),
        "sparse": lambda: sparse.csr_array(y[:, None]),
        "frame": lambda: y if pd is None else pd.DataFrame({"a": y, "b": y}),
        "heavy tail": lambda: rng.standard_t(1.1, size=n),
        "dates": lambda: np.arange(n).astype("M8[D]"),
        "mixed": lambda: np.array(["a" if k % 2 else 1.0 for k in range(n)], dtype=object),
        "one apart": lambda: np.r_[np.zeros(max(n - 1, 0)), 1.0][:n],
        "none": lambda: None,
    }
    return makers[kind]()


class Labels(Targets):
    """Labels of some rows, by their recipe."""

    def __repr__(self):
        return f"Labels({self.kind!r}, {self.seed})"

    def fresh(self):
        rng = np.random.default_rng(self.seed)
        n = self.rows.n
        plain = np.random.default_rng(self.rows.seed).normal(size=(n, self.rows.p))
        score = plain[:, :1].sum(axis=1) + 0.5 * rng.normal(size=n)
        return _labels(score, self.kind, n)


def _labels(score, kind, n):
    codes = np.digitize(score, [-0.5, 0.5])
    index = np.arange(n)
    names = np.array(["a", "b", "ä"])
    makers = {
        "two": lambda: (score > 0).astype(int),
        "three": lambda: codes,
        "text": lambda: names[codes],
        "bools": lambda: score > 0,
        "one class": lambda: np.zeros(n, dtype=int),
        "all different": lambda: index,
        "floats": lambda: np.where(score > 0, 1.0, 2.0),
        "rare": lambda: np.where(index == 0, 5, (score > 0).astype(int)),
        "nan": lambda: np.where(index == 1, np.nan, np.sign(score)),
        "none": lambda: np.array([None if k == 1 else "a" for k in range(n)], dtype=object),
        "mixed": lambda: np.array(["a" if k % 2 else 1 for k in range(n)], dtype=object),
        "column": lambda: codes[:, None],
        "list": lambda: names[codes].tolist(),
        "two axes": lambda: np.c_[codes, codes],
        "short": lambda: codes[:-1],
        "series": lambda: codes if pd is None else pd.Series(codes, index=[0] * n),
        "categories": lambda: codes if pd is None else pd.Categorical(names[codes]),
        "negative": lambda: np.where(score > 0, 1, -1),
        "object": lambda: codes.astype(object),
        "empty names": lambda: np.where(score > 0, "", " "),
        "huge": lambda: np.where(score > 0, 2**62, -(2**62)),
        "bytes": lambda: np.where(score > 0, b"a", b"b"),
        "masked": lambda: np.ma.masked_equal(codes, 2),
        "dates": lambda: codes.astype("M8[D]"),
        "inf": lambda: np.where(score > 0, np.inf, 1.0),
    }
    return makers[kind]()


_WEIGHTS = (
    *("none",) * 12,
    *("ones", "uniform", "integers", "some zero", "all zero", "negative", "nan", "inf"),
    *("one huge", "short", "text", "scalar", "column", "list", "bools", "object", "one row"),
)
_GROUPS = (
    *("none",) * 12,
    *("few", "pairs", "text", "one", "all different", "nan", "missing", "short", "column"),
    *("two axes", "list", "tuples", "floats", "mixed", "one large", "blocks", "word", "dates"),
    *("categories", "bools", "huge", "bytes"),
)


class OfRows:
    """Weights or groups of some rows, by their recipe."""

    def __init__(self, what, rows, kind):
        self.what, self.rows, self.kind = what, rows, kind

    def __repr__(self):
        return f"{self.what}({self.kind!r})"

    def fresh(self):
        rng = np.random.default_rng(self.rows.seed + 1)
        made_of = _weights if self.what == "Weights" else _groups
        return made_of(self.rows.n, self.kind, rng)


def _weights(n, kind, rng):
    uniform = rng.uniform(0.5, 2.0, size=n)
    index = np.arange(n)
    makers = {
        "none": lambda: None,
        "ones": lambda: np.ones(n),
        "uniform": lambda: uniform,
        "integers": lambda: rng.integers(0, 3, size=n),
        "some zero": lambda: np.where(index % 3 == 0, 0.0, uniform),
        "all zero": lambda: np.zeros(n),
        "negative": lambda: -uniform,
        "nan": lambda: np.where(index == 1, np.nan, uniform),
        "inf": lambda: np.where(index == 1, np.inf, uniform),
        "huge": lambda: uniform * 1e200,
        "tiny": lambda: uniform * 1e-200,
        "one huge": lambda: np.where(index == 0, 1e12, uniform),
        "short": lambda: uniform[:-1],
        "text": lambda: np.array(["a"] * n),
        "scalar": lambda: 2.0,
        "column": lambda: uniform[:, None],
        "list": uniform.tolist,
        "bools": lambda: uniform > 1.0,
        "object": lambda: uniform.astype(object),
        "one row": lambda: (index == 0).astype(float),
    }
    return makers[kind]()


def _groups(n, kind, rng):
    index = np.arange(n)
    few = rng.integers(0, max(n // 4, 1), size=n)
    makers = {
        "none": lambda: None,
        "few": lambda: few,
        "pairs": lambda: index // 2,
        "text": lambda: np.char.add("g", few.astype(str)),
        "one": lambda: np.zeros(n, dtype=int),
        "all different": lambda: index,
        "nan": lambda: np.where(index == 1, np.nan, few),
        "missing": lambda: np.array([None if k == 1 else "a" for k in range(n)], dtype=object),
        "short": lambda: few[:-1],
        "column": lambda: few[:, None],
        "two axes": lambda: np.c_[few, few],
        "list": few.tolist,
        "tuples": lambda: [(int(k), "a") for k in few],
        "floats": lambda: few + 0.5,
        "mixed": lambda: [int(k) if k % 2 else str(k) for k in few],
        "one large": lambda: np.where(index < 0.8 * n, 0, index),
        "blocks": lambda: "blocks",
        "word": lambda: "a",
        "dates": lambda: few.astype("M8[D]"),
        "categories": lambda: few if pd is None else pd.Series(pd.Categorical(few)),
        "bools": lambda: few > 0,
        "huge": lambda: few.astype(np.uint64) + np.uint64(2**63),
        "bytes": lambda: np.char.add("g", few.astype(str)).astype(bytes),
    }
    return makers[kind]()


_scales = usual_or_extreme(_SCALES, _EXTREME_SCALES)
_changes = usual_or_extreme(_CHANGES, ("one of a trillion",))
_target_kinds = usual_or_extreme(_TARGETS, ("huge", "tiny"))
_weight_kinds = usual_or_extreme(_WEIGHTS, ("huge", "tiny"))
seeds = st.integers(0, 2**20)


@st.composite
def rows(draw):
    """Draw a table of up to 48 rows and 8 columns, seldom a few more."""
    n = draw(st.sampled_from([1, 2, 3, 4, 5, 7, 10, 12, 16, 20, 24, 30, 40, 48]))
    p = draw(st.sampled_from([1, 1, 2, 3, 4, 5, 6, 8, 20, 60]))
    return Rows(
        n,
        p,
        draw(seeds),
        draw(_changes),
        draw(_scales),
        draw(st.sampled_from(_KINDS)),
    )


@st.composite
def fit_arguments(draw, classes=False):
    """Draw X, y, and sometimes weights and groups."""
    table = draw(rows())
    if draw(st.integers(0, 14)) == 0:
        classes = not classes
    kinds, maker = (st.sampled_from(_LABELS), Labels) if classes else (_target_kinds, Targets)
    given = {
        "X": table,
        "y": maker(table, draw(kinds), draw(seeds)),
        "sample_weight": OfRows("Weights", table, draw(_weight_kinds)),
        "groups": OfRows("Groups", table, draw(st.sampled_from(_GROUPS))),
    }
    if draw(st.integers(0, 11)) == 0:
        given[draw(st.sampled_from(sorted(given)))] = draw(odd)
    return {
        name: value
        for name, value in given.items()
        if isinstance(value, Odd) or name in ("X", "y") or made(value) is not None
    }
