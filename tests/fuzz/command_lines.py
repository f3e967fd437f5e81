"""Strategies: files that are nearly tables, and the words of a command about them."""

import contextlib
import functools
import gzip
import io
import json
import os
import re
import shutil
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from judgement import Finding, TooLong, _place, require, time_limit
from odd_values import pd
from sklearn.datasets import load_diabetes, load_iris, load_wine

from sk_deepfeat.__main__ import main
from sk_deepfeat.command_line import running

_ROWS = 60
_SECONDS = 60.0  # pages are drawn, and thirty small refits made


@functools.cache
def _tables():
    """Return small real tables as text: numbers, classes, a name, gaps, households."""
    rng = np.random.default_rng(0)
    found = {}
    for name, load in (("diabetes", load_diabetes), ("iris", load_iris), ("wine", load_wine)):
        data = load()
        rows = rng.permutation(len(data.target))[:_ROWS]
        lines = [["target", "name", "group", "weight", *(f"x{k}" for k in range(4))]]
        for k, row in enumerate(rows):
            label = data.target[row] if name == "diabetes" else data.target_names[data.target[row]]
            numbers = [f"{value:.4g}" for value in data.data[row, :4]]
            if k % 9 == 0:
                numbers[1] = ""
            lines.append([str(label), f"town {k % 5}", str(k // 3), f"{1 + k % 3}", *numbers])
        found[name] = lines
    return found


_CELLS = (
    *("", "NA", "nan", "?", "inf", "-inf", "1e400", "1e308", "1e-320", "1" * 400, "-0", "0x1F"),
    *("1,5", "1.234,5", "1_000", "12%", "$5", "1e", "+-1", "٣", "½", "True", "false", "yes"),
    *("2020-01-01", "01.02.2020", "12:30", "2020-01-01T00:00:00Z", "1/2/2020", "<b>x</b>"),
    *('a"b', "a\nb", "a,b", "a;b", "a\tb", "'", "\\", "\0", "\ufeff", "\u202e", "😀", "é" * 300),
    *("=1+1", "-", ".", " ", "  7 ", "None", "null", "[1]", "{}", "%s", "{0}", "0", "1", "7.5"),
)
_HEADS = (
    *("", " ", "target", "x0", "a b", "ä", "<script>", "1", "x,0", 'x"0', "x" * 500, "nan", "\0"),
    *("Unnamed: 0", "x: missing", "%s", "{0}", "=", "\u202e", "index"),
)


class File:
    """A file by its recipe."""

    def __init__(self, name, content, grown):
        self.name, self.content, self.grown = name, content, grown

    def __repr__(self):
        shown = self.content if len(self.content) < 300 else self.content[:300] + b"..."
        return f"{self.name}: {self.grown}\n    {shown!r}"


@st.composite
def texts(draw):
    """Draw a table as text, changed in some places, and say how."""
    name = draw(st.sampled_from(["diabetes", "iris", "wine"]))
    rows = [list(row) for row in _tables()[name]]
    grown = [name]
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 1, 2, 3, 5]))):
        grown.append(draw(_changed_cells(rows)))
    separator = draw(st.sampled_from([*",,,,;\t| "]))
    quoting = draw(st.sampled_from(["none", "none", "all", "when needed"]))
    text = "\n".join(separator.join(_quoted(cell, quoting) for cell in row) for row in rows) + "\n"
    if separator == ";" and draw(st.booleans()):
        text = re.sub(r"(\d)\.(\d)", r"\1,\2", text)
        grown.append("decimal commas")
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 2]))):
        text, how = draw(_changed_text(text))
        grown.append(how)
    return text, grown


def _quoted(cell, quoting):
    if quoting == "all" or (quoting == "when needed" and re.search(r'[,;\t|"\n]', cell)):
        return '"' + cell.replace('"', '""') + '"'
    return cell


@st.composite
def _changed_cells(draw, rows):
    """Change rows in place; return how."""
    width = min(len(row) for row in rows)
    column = draw(st.integers(0, max(width - 1, 0)))
    line = draw(st.integers(1, max(len(rows) - 1, 1)))
    cell = draw(st.sampled_from(_CELLS))
    how = draw(
        st.sampled_from(
            *[
                ["cell"] * 3
                + ["column", "column of few", "head", "ragged short", "ragged long"]
                + ["few rows", "no rows", "drop column", "twice", "blank line", "numbers"]
                + ["empty column", "one row apart", "sorted", "dates", "huge"]
            ]
        )
    )
    if not rows or not width:
        return "nothing"
    body = rows[1:]
    if how == "cell" and line < len(rows):
        rows[line][column] = cell
    elif how == "column":
        for row in body:
            row[column] = cell
    elif how == "column of few":
        for k, row in enumerate(body):
            row[column] = cell if k % 2 else row[column]
    elif how == "head":
        rows[0][column] = draw(st.sampled_from(_HEADS))
    elif how == "ragged short" and line < len(rows):
        rows[line] = rows[line][:-1]
    elif how == "ragged long" and line < len(rows):
        rows[line] = [*rows[line], cell]
    elif how in ("few rows", "no rows"):
        del rows[draw(st.integers(2, 30)) if how == "few rows" else 1 :]
    elif how == "drop column":
        for row in rows:
            del row[column : column + 1]
    elif how == "twice":
        for row in rows:
            row.append(row[min(column, len(row) - 1)])
    elif how == "blank line":
        rows.insert(line, [""])
    elif how == "numbers":
        for k, row in enumerate(body):
            row[column] = str(k)
    elif how == "empty column":
        for row in body:
            row[column] = ""
    elif how == "one row apart" and line < len(rows):
        rows[line][column] = "1e9"
    elif how == "sorted":
        rows[1:] = sorted(body)
    elif how == "dates":
        for k, row in enumerate(body):
            row[column] = f"2020-01-{1 + k % 28:02d}"
    elif how == "huge":
        for k, row in enumerate(body):
            row[column] = f"{1 + k}e{draw(st.sampled_from([12, 30, 100])) if k == 0 else 12}"
    return f"{how} {column} {line} {cell!r}"


@st.composite
def _changed_text(draw, text):
    at = draw(st.integers(0, len(text)))
    how = draw(
        st.sampled_from(["quote", "NUL", "cut", "lines", "insert", "tail", "head", "spaces"])
    )
    if how == "quote":
        return text[:at] + '"' + text[at:], f"quote at {at}"
    if how == "NUL":
        return text[:at] + "\0" + text[at:], f"NUL at {at}"
    if how == "cut":
        return text[:at], f"cut at {at}"
    if how == "lines":
        end = draw(st.sampled_from(["\r\n", "\r", "\n\n", "\x0b"]))
        return text.replace("\n", end), f"lines end with {end!r}"
    if how == "insert":
        piece = draw(st.text(max_size=8))
        return text[:at] + piece + text[at:], f"{piece!r} at {at}"
    if how == "tail":
        return text + draw(st.sampled_from(["\n" * 5, "total,,,", "\x1a", " "])), "tail"
    if how == "head":
        return draw(st.sampled_from(["# comment\n", "\n\n", "\ufeff", "sep=;\n"])) + text, "head"
    return text.replace(",", ", "), "spaces"


@st.composite
def files(draw):
    """Draw a file that a command may be given."""
    kind = draw(
        st.sampled_from(["text"] * 8 + ["bytes", "gzip", "npz", "npz", "npz bytes", "parquet"])
    )
    if kind == "bytes":
        ends = draw(st.sampled_from([".csv", ".npz", ".parquet", ".csv.gz", ".txt", ".xlsx", ""]))
        return File("data" + ends, draw(st.binary(max_size=400)), ["random bytes"])
    if kind in ("npz", "npz bytes"):
        content, grown = draw(_npz())
        if kind == "npz bytes":
            content, how = draw(_damaged(content))
            grown = [*grown, how]
        return File("data.npz", content, grown)
    text, grown = draw(texts())
    if kind == "parquet":
        return draw(_parquet(text, grown))
    encoding = draw(
        st.sampled_from(
            ["utf-8"] * 6 + ["utf-8-sig", "utf-16", "cp1252", "latin-1", "utf-32", "utf-7"]
        )
    )
    content = text.encode(encoding, errors="replace")
    ends = draw(st.sampled_from([".csv"] * 5 + [".tsv", ".txt", ".CSV", ".csv"]))
    if kind == "gzip":
        content = gzip.compress(content, mtime=0)
        ends += ".gz"
        if draw(st.booleans()):
            content, how = draw(_damaged(content))
            grown = [*grown, how]
    elif draw(st.integers(0, 9)) == 0:
        content, how = draw(_damaged(content))
        grown = [*grown, how]
    return File("data" + ends, content, [*grown, encoding])


@st.composite
def _damaged(draw, content):
    at = draw(st.integers(0, max(len(content) - 1, 0)))
    how = draw(st.sampled_from(["cut", "flip", "drop", "repeat"]))
    if how == "cut":
        return content[:at], f"cut at {at}"
    if how == "flip":
        mask = draw(st.integers(1, 255))
        return content[:at] + bytes([content[at] ^ mask]) + content[at + 1 :], f"flip at {at}"
    if how == "drop":
        return content[:at] + content[at + draw(st.integers(1, 20)) :], f"drop at {at}"
    return content[:at] + content[max(at - 20, 0) :], f"repeat at {at}"


@st.composite
def _parquet(draw, text, grown):
    try:
        frame = pd.read_csv(io.StringIO(text))
        stream = io.BytesIO()
        frame.to_parquet(stream, index=False)
    except Exception:  # not every almost-table is one, and pyarrow is an extra
        return File("data.parquet", text.encode("utf-8", errors="replace"), grown)
    content = stream.getvalue()
    if draw(st.booleans()):
        content, how = draw(_damaged(content))
        grown = [*grown, how]
    return File("data.parquet", content, grown)


_ARRAYS = {
    "rows": lambda rng, n: rng.normal(size=(n, 3)),
    "images": lambda rng, n: rng.uniform(size=(n, 2, 2)),
    "target": lambda rng, n: rng.normal(size=n),
    "classes": lambda rng, n: np.array(["a", "b"])[rng.integers(0, 2, n)],
    "codes": lambda rng, n: rng.integers(0, 3, n),
    "two outputs": lambda rng, n: rng.normal(size=(n, 2)),
    "bools": lambda rng, n: rng.uniform(size=n) > 0.5,
    "gaps": lambda rng, n: np.where(rng.uniform(size=(n, 3)) < 0.1, np.nan, 1.0),
    "infinite": lambda rng, n: np.full((n, 3), np.inf),
    "constant": lambda rng, n: np.ones((n, 3)),
    "number": lambda rng, n: np.array(3.0),
    "empty": lambda rng, n: np.zeros((0, 3)),
    "no columns": lambda rng, n: np.zeros((n, 0)),
    "text": lambda rng, n: np.array([["a", "b"]] * n),
    "complex": lambda rng, n: np.ones((n, 2)) * 1j,
    "dates": lambda rng, n: np.arange(n).astype("M8[D]"),
    "structured": lambda rng, n: np.zeros(n, dtype=[("a", float)]),
    "objects": lambda rng, n: np.array([{"a": 1}] * n, dtype=object),
    "half": lambda rng, n: rng.normal(size=(n, 3)).astype(np.float16),
    "big endian": lambda rng, n: rng.normal(size=(n, 3)).astype(">f4"),
    "unsigned": lambda rng, n: rng.integers(0, 200, (n, 3)).astype(np.uint8),
    "huge": lambda rng, n: rng.normal(size=(n, 3)) * 1e12,
    "longdouble": lambda rng, n: rng.normal(size=(n, 3)).astype(np.longdouble),
    "bytes": lambda rng, n: np.array([b"a", b"b"] * n)[:n],
    "weights": lambda rng, n: rng.uniform(0, 2, n),
    "negative": lambda rng, n: -np.ones(n),
}


@st.composite
def _npz(draw):
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    n = draw(st.sampled_from([60, 60, 60, 60, 10, 1]))
    kinds = {
        "X": draw(st.sampled_from(["rows"] * 6 + ["images"] * 3 + sorted(_ARRAYS))),
        "y": draw(st.sampled_from(["target"] * 5 + ["classes", "codes"] * 2 + sorted(_ARRAYS))),
        "group": draw(st.sampled_from(["codes"] * 4 + sorted(_ARRAYS))),
        "weight": draw(st.sampled_from(["weights"] * 4 + sorted(_ARRAYS))),
    }
    if draw(st.integers(0, 7)) == 0:
        del kinds[draw(st.sampled_from(["X", "y"]))]
    lengths = {name: n - (draw(st.integers(0, 19)) == 0) for name in kinds}
    arrays = {name: _ARRAYS[kind](rng, lengths[name]) for name, kind in kinds.items()}
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    grown = [f"n={n}", str(kinds)]
    if draw(st.integers(0, 5)) == 0:
        name = draw(st.sampled_from(["X.npy", "y.npy", "../a.npy", "X", "é.npy", ""]))
        with zipfile.ZipFile(stream, "a") as archive, contextlib.suppress(Exception):
            archive.writestr(name, draw(st.binary(max_size=60)))
        grown.append(f"member {name!r}")
    return stream.getvalue(), grown


# Options, each with values that may do and values that do not.
_COLUMNS = ("target", "name", "group", "weight", "x0", "X", "y", "", "nothing", "ä", "a b")
_OPTIONS = {
    "--groups": ("group", "group", "name", *_COLUMNS),
    "--weights": ("weight", "weight", "x0", *_COLUMNS),
    "--drop": ("name", "x0", "x1", *_COLUMNS),
    "--task": ("auto", "classification", "regression", "regression", "a", ""),
    "--features": ("none", "random", "random", "auto", "trained", "a"),
    "--hidden-layer-sizes": ("5", "1", "3 4", "0", "-1", "a", "1.5", "nan", "1e3"),
    "--epochs": ("0", "1", "-1", "a", "2.5"),
    "--targets": ("0.1", "0.5 1000", "1e-9", "0", "-1", "nan", "inf", "a", "1e999"),
    "--seed": ("1", "0", "-1", "a", "1e3", "99999999999999999999", "4294967296"),
    "--population": ("leave-one-out", "gcv", "plug-in", "lanczos", "a", ""),
    "--json": ("",),
    "--data-home": ("nowhere",),
}
_OF_CURVE = {
    "--train-sizes": ("10", "5 10 20", "1", "25 1000", "0", "-5", "a", "1.5", "9" * 30),
    "--alphas": ("1", "0", "0.1 10", "1e-300", "1e300", "-1", "nan", "inf", "a"),
    "--repeats": ("1", "3", "0", "-1", "a"),
    "--n-jobs": ("1", "0", "a", "1.5"),
}
_OF_REPORT = {"--alpha": ("optimal", "1", "0", "1e-300", "1e300", "-1", "nan", "a", "")}
_OUTPUTS = ("out", "out", "out/deeper/still", "file", "", ".", "data.csv", "ä b", "dir/", "x" * 300)


class Command:
    """Words, and the file that they name."""

    def __init__(self, file, words):
        self.file, self.words = file, words

    def __repr__(self):
        return f"{' '.join(map(repr, self.words))}\n    with {self.file!r}"

    def run(self):
        """Run in a folder of its own; raise `Finding` for what must not be."""
        home, folder = os.getcwd(), tempfile.mkdtemp()
        try:
            os.chdir(folder)
            os.mkdir("dir")
            Path("file").write_text("kept")
            if self.file is not None:
                Path(self.file.name).write_bytes(self.file.content)
            before = _contents()
            status, out, err, categories = _run(self.words)
            _judge(self, status, out, err, categories, before)
        finally:
            os.chdir(home)
            shutil.rmtree(folder, ignore_errors=True)


def _contents():
    return {
        str(path): path.read_bytes() if path.is_file() else None for path in Path(".").rglob("*")
    }


def _run(words):
    """Return status, standard output and error, and the categories of warnings that were told."""
    out, err, categories = io.StringIO(), io.StringIO(), []
    told = running.print_warning

    def print_warning(message, category=UserWarning, *rest, **named):
        categories.append((category, str(message), rest[:2]))
        told(message, category, *rest, **named)

    running.print_warning = print_warning
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            with warnings.catch_warnings(), time_limit(_SECONDS):
                warnings.simplefilter("always")  # pytest makes errors of them
                status = main(words)
    except SystemExit as end:
        status = end.code
        require(status == 0 and {"-h", "--help"} & set(words), "SystemExit", words)
    except TooLong as error:
        raise Finding(f"hang in {_place(error)}", f"more than {_SECONDS:g} s") from error
    except Exception as error:
        raise Finding(
            f"traceback: {type(error).__name__} in {_place(error)}", str(error)
        ) from error
    finally:
        running.print_warning = told
    return status, out.getvalue(), err.getvalue(), categories


_BAD_WORDS = re.compile(
    r"Traceback|Error:|object at 0x|unsupported operand|unhashable|out of bounds|"
    r"has no attribute|truth value|not subscriptable|positional argument"
)


def _judge(command, status, out, err, categories, before):
    words = command.words
    for category, message, place in categories:
        if not issubclass(category, UserWarning) and not category.__module__.startswith("sklearn"):
            raise Finding(f"{category.__name__} told at {place}", message)
    require(status in (0, 2), f"exit status {status}", words)
    lines = err.splitlines()
    for line in lines:
        require(line.startswith("sk_deepfeat: "), "a line without the name", err)
    after = _contents()
    changed = {name for name in after if after[name] != before.get(name)}
    if status == 2:
        require(bool(lines), "no message", words)
        last = lines[-1]
        require(not _BAD_WORDS.search(last), f"words of the machine: {last[:150]}", last)
        require(_names_something(command, last), f"names nothing: {_general(last)}", last)
        require(out == "", "output of a command that failed", out)
        left = {name for name in changed if after[name] is not None}
        require(not left, "files of a command that failed", sorted(left))
    elif "--json" in words and not {"-h", "--help"} & set(words):
        try:
            json.loads(out, parse_constant=_refuse)
        except ValueError as error:
            raise Finding("wrong: JSON", f"{error}: {out[:300]}") from error
    removed = set(before) - set(after)
    require(not removed, "files that are gone", sorted(removed))


def _refuse(constant):
    raise ValueError(constant)


def _general(line):
    return re.sub(r"[\d.]+", "0", line)[:120]


def _names_something(command, line):
    named = {word for word in command.words if word.strip()}
    if command.file is not None:
        named.add(command.file.name)
    options = {
        *_OPTIONS,
        *_OF_CURVE,
        *_OF_REPORT,
        "--target",
        "--output",
        "argument",
        "data",
        "digits",
    }
    columns = ("column", "target", "X", "y", "rows", "row", "weights", "groups")
    return any(word in line for word in (*named, *options)) or any(
        re.search(rf"(?<!\w){word}(?!\w)", line) for word in columns
    )


@st.composite
def commands(draw):
    """Draw a command about a file, its options mostly such as serve."""
    file = draw(files()) if draw(st.integers(0, 19)) else None
    name = (
        file.name
        if file
        else draw(st.sampled_from(["nothing.csv", "dir", "", "a\0b", "report", "-"]))
    )
    command = draw(st.sampled_from([["curve"], ["curve"], [], ["report"]]))
    report = command == ["report"]
    words = [*command, name]
    if not (name.endswith(".npz")) or draw(st.integers(0, 5)) == 0:
        words += ["--target", draw(st.sampled_from(["target"] * 8 + ["name", "x0", *_COLUMNS]))]
    options = _OPTIONS | (_OF_REPORT if report else _OF_CURVE)
    given = draw(st.lists(st.sampled_from(sorted(options)), max_size=3, unique=True))
    if draw(st.integers(0, 29)) == 0:
        given.append(draw(st.sampled_from(sorted(_OF_CURVE | _OF_REPORT))))
        options = options | _OF_CURVE | _OF_REPORT
    for option in given:
        good, odd_one = options[option][:2], options[option]
        value = draw(st.sampled_from(odd_one if draw(st.integers(0, 1)) else good))
        words += [option, *([] if option == "--json" else value.split(" "))]
    if not report and "--repeats" not in words:
        words += ["--repeats", "1"]
    output = draw(st.sampled_from(_OUTPUTS)) if draw(st.integers(0, 3)) == 0 else "out"
    words += ["--output", output]
    if draw(st.integers(0, 39)) == 0:
        words.append(
            draw(st.sampled_from(["--help", "--nothing", "-x", "--", "extra", "--json=1"]))
        )
    return Command(file, words)
