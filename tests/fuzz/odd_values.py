"""Strategies: values that no argument is meant to have, and good values bent a little."""

import decimal
import fractions
import warnings
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from scipy import sparse

try:
    import pandas as pd
except ImportError:  # an extra
    pd = None

EXTREMES = False  # also numbers near the ends of floating point


class Unwilling:
    """Refuses to become an array."""

    def __array__(self, *_, **__):
        raise ValueError("X this object is no array")

    def __repr__(self):
        return "Unwilling()"


def _masked():
    return np.ma.masked_array([1.0, 2.0, 3.0], mask=[False, True, False])


_MAKERS = {
    "None": lambda: None,
    "True": lambda: True,
    "False": lambda: False,
    "np.True_": lambda: np.True_,
    "0": lambda: 0,
    "1": lambda: 1,
    "2": lambda: 2,
    "3": lambda: 3,
    "-1": lambda: -1,
    "1.5": lambda: 1.5,
    "0.5": lambda: 0.5,
    "-0.0": lambda: -0.0,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "-inf": lambda: float("-inf"),
    "1e308": lambda: 1e308,
    "5e-324": lambda: 5e-324,
    "10**400": lambda: 10**400,
    "1j": lambda: 1j,
    "''": lambda: "",
    "'a'": lambda: "a",
    "'1'": lambda: "1",
    "'optimal'": lambda: "optimal",
    "'r2'": lambda: "r2",
    "'ä{0}%s'": lambda: "ä{0}%s",
    "b'a'": lambda: b"a",
    "[]": lambda: [],
    "()": lambda: (),
    "{}": lambda: {},
    "{'a': 1}": lambda: {"a": 1},
    "{1, 2}": lambda: {1, 2},
    "[1, 'a']": lambda: [1, "a"],
    "[[1], [1, 2]]": lambda: [[1], [1, 2]],
    "[None]": lambda: [None],
    "[None, 1]": lambda: [None, 1],
    "[1.0, nan]": lambda: [1.0, float("nan")],
    "[1.0, -1.0]": lambda: [1.0, -1.0],
    "[[1.0, 2.0], [3.0, 4.0]]": lambda: [[1.0, 2.0], [3.0, 4.0]],
    "object()": object,
    "object": lambda: object,
    "len": lambda: len,
    "np.sin": lambda: np.sin,
    "range(3)": lambda: range(3),
    "iter": lambda: iter([1.0, 2.0]),
    "np.zeros(0)": lambda: np.zeros(0),
    "np.zeros((0, 3))": lambda: np.zeros((0, 3)),
    "np.zeros((3, 0))": lambda: np.zeros((3, 0)),
    "np.zeros((2, 2, 2))": lambda: np.zeros((2, 2, 2)),
    "np.array(3)": lambda: np.array(3),
    "np.array(3.5)": lambda: np.array(3.5),
    "np.array(['a'])": lambda: np.array(["a"]),
    "np.array([None])": lambda: np.array([None]),
    "np.array([1j])": lambda: np.array([1j]),
    "np.float16(2)": lambda: np.float16(2),
    "np.longdouble(2)": lambda: np.longdouble(2),
    "np.int8(2)": lambda: np.int8(2),
    "np.array([1, 2], object)": lambda: np.array([1, 2], dtype=object),
    "np.array([10**400], object)": lambda: np.array([10**400], dtype=object),
    "np.datetime64": lambda: np.datetime64("2020-01-01"),
    "np.timedelta64": lambda: np.timedelta64(3, "D"),
    "np.array([datetime64])": lambda: np.array(["2020-01-01"], dtype="M8[D]"),
    "structured": lambda: np.zeros(2, dtype=[("a", float), ("b", int)]),
    "np.matrix": lambda: np.asmatrix(np.eye(3)),
    "masked": _masked,
    "np.ma.masked": lambda: np.ma.masked,
    "Decimal": lambda: decimal.Decimal("1.5"),
    "Decimal('nan')": lambda: decimal.Decimal("nan"),
    "Fraction": lambda: fractions.Fraction(1, 3),
    "Path": lambda: Path("a"),
    "sparse": lambda: sparse.csr_array(np.eye(3)),
    "spmatrix": lambda: sparse.coo_matrix(np.eye(3)),
    "slice": lambda: slice(2),
    "Ellipsis": lambda: ...,
    "NotImplemented": lambda: NotImplemented,
    "memoryview": lambda: memoryview(b"ab"),
    "Unwilling()": Unwilling,
}
if pd is not None:
    _MAKERS |= {
        "pd.NA": lambda: pd.NA,
        "pd.NaT": lambda: pd.NaT,
        "Series": lambda: pd.Series([1.0, 2.0, 3.0]),
        "Series of text": lambda: pd.Series(["a", "b"]),
        "Series with NA": lambda: pd.Series([1, None], dtype="Int64"),
        "DataFrame": lambda: pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}),
    }


class Odd:
    """One of the values above, by its name, made afresh where it is used."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"<{self.name}>"

    def make(self):
        return _MAKERS[self.name]()


class Bent:
    """A good value changed in one way."""

    def __init__(self, value, how, factor):
        self.value, self.how, self.factor = value, how, factor

    def __repr__(self):
        return f"<{self.how} {self.factor:g} {self.value!r}>"

    def make(self):
        return _WAYS[self.how](made(self.value), self.factor)


def _scaled(values, factor):
    return np.asarray(values, dtype=np.float64) * factor


def _with_cell(cell):
    def changed(values, _):
        array = np.array(values, dtype=object if isinstance(cell, str) else np.float64)
        array = np.atleast_1d(array)
        if array.size:
            array[np.unravel_index(array.size // 2, array.shape)] = cell
        return array

    return changed


_WAYS = {
    "scaled": _scaled,
    "nan in": _with_cell(np.nan),
    "inf in": _with_cell(np.inf),
    "text in": _with_cell("a"),
    "zero in": _with_cell(0.0),
    "negative": lambda values, _: -np.asarray(values, dtype=np.float64),
    "as list": lambda values, _: np.asarray(values).tolist(),
    "as float16": lambda values, _: np.asarray(values).astype(np.float16),
    "as float32": lambda values, _: np.asarray(values).astype(np.float32),
    "as int": lambda values, _: np.asarray(values).astype(np.int64),
    "as bool": lambda values, _: np.asarray(values).astype(bool),
    "as object": lambda values, _: np.asarray(values).astype(object),
    "as complex": lambda values, _: np.asarray(values).astype(complex),
    "as text": lambda values, _: np.asarray(values).astype(str),
    "masked": lambda values, _: np.ma.masked_greater(np.asarray(values, dtype=float), 0.5),
    "transposed": lambda values, _: np.asarray(values).T,
    "one axis more": lambda values, _: np.asarray(values)[None],
    "one axis less": lambda values, _: np.ravel(values),
    "shorter": lambda values, _: np.atleast_1d(values)[:-1],
    "twice": lambda values, _: np.concatenate([np.atleast_1d(values)] * 2),
    "read only": lambda values, _: _read_only(values),
    "backwards": lambda values, _: np.atleast_1d(values)[::-1],
    "big endian": lambda values, _: np.asarray(values, dtype=">f8"),
}


def _read_only(values):
    array = np.array(values)
    array.flags.writeable = False
    return array


def made(value):
    """Return what an argument stands for, made afresh."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of casts, and of numpy's matrix
        if isinstance(value, (Odd, Bent)):
            return value.make()
        if callable(getattr(value, "fresh", None)):
            return value.fresh()
    return value


def odd_values():
    """Return all of the values above."""
    return [Odd(name) for name in sorted(_MAKERS)]


odd = st.sampled_from(odd_values())
_FACTORS = (1e-8, 1e-3, 1e4, 1e9, 1e-15, 1e15)
_EXTREME_FACTORS = (1e-60, 1e60, 1e-150, 1e150, 1e-300, 1e300)


def usual_or_extreme(usual, extreme):
    """Return the strategy of some values, the second of them only where extremes are wanted."""
    return st.deferred(lambda: st.sampled_from((*usual, *extreme) if EXTREMES else usual))


_factors = usual_or_extreme(_FACTORS, _EXTREME_FACTORS)


def can_bend(value):
    """Say whether a value is of numbers."""
    if isinstance(value, (bool, str)) or value is None:
        return False
    try:
        return np.asarray(value).dtype.kind in "iuf"
    except (TypeError, ValueError):
        return False


@st.composite
def bent(draw, value):
    """Draw a change of a value of numbers; anything else stays as it is."""
    if not can_bend(value):
        return value
    how = draw(st.sampled_from(sorted(_WAYS)))
    return Bent(value, how, draw(_factors) if how == "scaled" else 1.0)


@st.composite
def argument(draw, good):
    """Draw mostly a good value, sometimes one that is bent, or odd."""
    way = draw(st.integers(0, 9))
    if way == 9:
        return draw(odd)
    value = draw(good)
    return draw(bent(value)) if way >= 7 else value
