"""Tables from files: what is read, what is done to columns, and what is refused in one line."""

from decimal import Decimal

import numpy as np
import pytest
from customers import N_ROWS, customers
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.command_line.arguments import parse
from sk_deepfeat.command_line.curve import fit_features
from sk_deepfeat.command_line.model import fit_model, model_of

pd = pytest.importorskip("pandas", reason="tables are read through pandas")


def changed(**columns):
    return customers().assign(**columns)


def test_what_is_done_to_each_column(write, loaded):
    data = loaded(write(), "--target", "price", "--groups", "household", "--weights", "weight")
    done = {column.name: column.treatment for column in data.columns}
    assert list(done) == [
        *("customer", "customer_id", "age", "income", "town", "letter", "plan", "country"),
        "nothing",
    ]
    assert done["customer"] == "left out: every value occurs once, as in identifiers"
    assert done["customer_id"] == "left out: numbers the rows, and says nothing else"
    missing = int(customers().age.isna().sum())
    assert done["age"].startswith(f"number: {missing} missing values filled with the median")
    assert done["income"] == "number: scaled"
    assert done["town"].endswith(": one column each, 31 in fewer than 10 rows share one")
    assert done["letter"] == "category of 2 levels: one column each"
    assert done["plan"].endswith("is a level, too")
    assert done["country"] == "left out: always EU"
    assert done["nothing"] == "left out: every value is missing"
    assert list(data.X.columns) == ["age", "income", "town", "letter", "plan"]
    assert data.target == "price" and data.weights.shape == data.groups.shape == (N_ROWS,)


def test_numbers_of_the_columns(write, loaded):
    """Filled, marked and scaled; one column a level, and one for rare ones: by hand."""
    data = loaded(write(), "--target", "price", "--drop", "household", "weight", "income")
    model = fit_model(model_of(parse(["report", "data.csv"]), data), data)
    found, frame = model[:-1].transform(data.X), customers()
    age = frame.age.fillna(frame.age.median())
    gap = frame.age.isna()
    wanted = [(each - each.mean()) / each.std(ddof=0) for each in (age, gap)]
    town = frame.town.where(~frame.town.str.startswith("Village"), "rare")
    wanted += [town == level for level in ("Oslo", "Paris", "Rome", "rare")]
    wanted += [~frame.letter, frame.letter]
    wanted += [frame.plan == "basic", frame.plan == "pro", frame.plan.isna()]
    np.testing.assert_allclose(found, np.stack(wanted, axis=1).astype(float), atol=1e-12)
    assert model[-1].feature_names_in_.tolist() == [
        *("age", "missingindicator_age", "town = Oslo", "town = Paris", "town = Rome"),
        *("town: rare levels", "letter = False", "letter = True"),
        *("plan = basic", "plan = pro", "plan: missing"),
    ]


def test_columns_whose_names_look_like_made_ones(write, loaded):
    """A column may be called as scikit-learn would call one that marks gaps."""
    frame = customers().assign(missingindicator_age=np.sqrt(np.arange(N_ROWS)))
    data = loaded(write(frame=frame), "--target", "price")
    model = fit_model(model_of(parse(["report", "data.csv"]), data), data)
    assert not hasattr(model[-1], "feature_names_in_") and model[-1].test_error_ > 0


def test_columns_are_fitted_on_rows_they_may_see(write, loaded):
    """Neither scales nor levels come from rows that are measured."""
    plain = loaded(write(), "--target", "price")
    arguments = parse(["curve", "data.csv", "--target", "price"])
    stages = fit_features(arguments, plain)
    seen = stages.feature_map[0].named_transformers_["numbers"][1].n_samples_seen_
    assert np.all(seen == N_ROWS // 4) and len(stages.targets) == N_ROWS - N_ROWS // 4
    transformer = stages.feature_map[0]
    rows = np.flatnonzero(np.isin(plain.y, stages.targets))
    other = plain.X.copy()
    other.loc[rows, "income"] *= 1e3
    other.loc[rows, "town"] = "Elsewhere"
    plain.X = other
    again = fit_features(arguments, plain).feature_map[0]
    for name in ("numbers", "categories"):
        first, second = transformer.named_transformers_[name], again.named_transformers_[name]
        if name == "numbers":
            np.testing.assert_array_equal(first[1].mean_, second[1].mean_)
        else:
            assert [list(c) for c in first.categories_] == [list(c) for c in second.categories_]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("data.parquet", {}),
        ("data.tsv", {"sep": "\t"}),
        ("data.csv.gz", {}),
        ("data.csv", {"sep": ";", "decimal": ","}),
        ("data.csv", {"sep": "|"}),
        ("data.csv", {"encoding": "utf-8-sig"}),
        ("data.csv", {"encoding": "cp1252"}),
        ("data.txt", {"encoding": "utf-16", "sep": "\t"}),
    ],
)
def test_every_kind_of_file_is_the_same_table(write, loaded, name, options):
    frame = changed(plan="Größe").rename(columns={"income": "Größe"})
    frame.loc[::7, "plan"] = "naïve"
    words = ["--target", "price", "--groups", "household"]
    plain = loaded(write("plain.csv", frame), *words)
    data = loaded(write(name, frame, **options), *words)
    pd.testing.assert_frame_equal(data.X, plain.X, rtol=1e-12)
    np.testing.assert_allclose(data.y, plain.y, rtol=1e-12)
    np.testing.assert_array_equal(data.groups, plain.groups)
    assert data.columns == plain.columns
    told = "; ".join(data.notes)
    assert ("decimals are written with a comma" in told) == ("decimal" in options)
    assert ("separated by" in told) == (options.get("sep") in (";", "|") or ".txt" in name)
    assert ("UTF-16" in told) == (options.get("encoding") == "utf-16")
    assert ("Windows-1252" in told) == (options.get("encoding") == "cp1252")


def test_points_between_thousands(tmp_path, loaded):
    numbers = np.random.default_rng(0).integers(10**5, 10**7, 60)
    lines = [f"{n // 100:,}.{n % 100:02d}".translate(str.maketrans(",.", ".,")) for n in numbers]
    rows = "".join(f"{line};{k % 7},5\n" for k, line in enumerate(lines))
    (tmp_path / "data.csv").write_text("preis;x\n" + rows)
    data = loaded(tmp_path / "data.csv", "--target", "preis")
    np.testing.assert_allclose(data.y, numbers / 100)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("town", ["--drop", "customer"]),
        ("plan", []),
        ("letter", []),
        ("price", []),
    ],
)
def test_targets_of_every_kind(write, loaded, column, words):
    frame = customers().fillna({"plan": "none"})
    data = loaded(write(frame=frame), "--target", column, *words)
    assert data.of_classes == (column != "price")
    np.testing.assert_array_equal(data.y, frame[column])


BAD_TABLES = {
    "mixed": (
        lambda: changed(age=["unknown" if k == 16 else k % 50 for k in range(N_ROWS)]),
        "column 'age' mixes numbers and text: 0 in row 1, 'unknown' in row 17 (1 of 600 are text)",
    ),
    "dates": (
        lambda: changed(since=pd.date_range("2020-01-01", periods=N_ROWS).strftime("%d.%m.%Y")),
        "column 'since' holds dates or times, such as 01.01.2020; make numbers of them",
    ),
    "units": (
        lambda: changed(income=[f"${k}.50" for k in range(N_ROWS)]),
        "column 'income' holds numbers written as text, such as '$0.50'",
    ),
    "thousands": (
        lambda: changed(income=[f"{1000 + k:,}" for k in range(N_ROWS)]),
        "column 'income' holds numbers written as text, such as '1,000'",
    ),
    "numbers as text": (
        lambda: changed(income=[f"00{k}" for k in range(N_ROWS)]).astype({"income": "str"}),
        "column 'income' holds numbers written as text, such as '000'; store them as plain",
    ),
    "infinite": (
        lambda: changed(income=[np.inf if k == 3 else k for k in range(N_ROWS)]),
        "column 'income' holds 1 infinite values, the first in row 4",
    ),
    "missing target": (
        lambda: changed(price=[np.nan if k in (3, 8) else k for k in range(N_ROWS)]),
        "the target 'price' is missing in 2 of 600 rows, the first in row 4; leave these rows out",
    ),
    "dates as target": (
        lambda: changed(price=pd.date_range("2020-01-01", periods=N_ROWS).astype(str)),
        "the target 'price' holds dates or times, such as 2020-01-01; predict a number",
    ),
    "one value": (lambda: changed(price=3), "price is constant, 3.0; there is nothing to predict"),
    "text as target": (
        lambda: changed(price=[f"text {k}" for k in range(N_ROWS)]),
        "the target 'price' holds text that is different in every row, such as 'text 0'",
    ),
    "few rows": (lambda: customers()[:40], "has 40 rows, which are too few; at least 50 are"),
    "same names": (
        lambda: customers().rename(columns={"age": "a", "income": "a"}),
        "gives more than one column the same name: a; give each its own",
    ),
    "nothing else": (
        lambda: customers()[["country", "customer", "price"]],
        "has no column to predict price from (country: left out: always EU; customer: left out",
    ),
}


@pytest.mark.parametrize("command", ["curve", "report"])
@pytest.mark.parametrize("kind", BAD_TABLES)
def test_bad_tables_are_one_line(run, write, tmp_path, command, kind):
    pytest.importorskip("matplotlib", reason="the command line draws")
    frame, message = BAD_TABLES[kind]
    output = tmp_path / "out"
    name = "data.parquet" if kind == "numbers as text" else "data.csv"
    path = write(name, frame())
    status, out, err = run(command, path, "--target", "price", "--output", str(output))
    assert status == 2 and out == "" and message in err
    assert len(err.splitlines()) == 1 and not output.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "which column is to be predicted? --target NAME, one of customer, customer_id, age,"),
        (["--target", "prise"], "data.csv holds no such column, but customer, "),
        (["--target", "Prise"], "Did you mean price?"),
        (["--target", "price", "--groups", "house"], "--groups house: "),
        (["--target", "nothin"], "Did you mean nothing?"),
        (["--target", "price", "--drop", "aeg"], "--drop aeg: "),
        (["--target", "price", "--drop", "price"], "--drop price: this column is the target"),
        (["--target", "price", "--groups", "price"], "name a column twice: price, price"),
        (["--target", "price", "--groups", "age"], "--groups age: groups has "),
        (["--target", "price", "--weights", "town"], "--weights town must hold one number for"),
        (["--target", "price", "--weights", "age"], "values that are missing, infinite or negati"),
        (["--target", "town", "--task", "regression"], "town must be real numbers for --task re"),
    ],
)
def test_names_that_are_not_there_or_will_not_do(run, write, words, message):
    status, out, err = run("report", write(), *words)
    assert status == 2 and out == "" and message in err and len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("data.csv", b"", "is empty"),
        ("data.csv", bytes(range(256)), "holds no text"),
        ("data.csv", b"a\n1\n2\n", "has one column alone, 'a'; fields are separated by commas,"),
        ("data.csv", b"a,b\n", "has a header, a, b, and no rows"),
        ("data.csv", b"1,2\n3,4\n", "has no header: its first line holds numbers, 1, 2"),
        ("data.csv", b"a,b\n" + b"1,2\n" * 60 + b"1,2,3\n", "cannot be read as a table: "),
        ("data.csv", b"a;b\n" + b"1,5;2.5\n" * 60, "with a comma in 'a' and with a point in 'b'"),
        ("data.csv.gz", b"no", "cannot be read: "),
        ("data.parquet", b"no", "cannot be read as Parquet: "),
        ("data.xlsx", b"no", "sheets cannot be read; save the table as CSV"),
    ],
)
def test_files_that_are_no_tables(run, tmp_path, name, content, message):
    if "parquet" in name:
        pytest.importorskip("pyarrow", reason="Parquet is read through pyarrow")
    (tmp_path / name).write_bytes(content)
    status, out, err = run("curve", str(tmp_path / name), "--target", "a")
    assert status == 2 and out == "" and message in err and len(err.splitlines()) == 1


def test_types_of_parquet(write, loaded):
    """Categories, decimals, integers and booleans that may be missing."""
    rng = np.random.default_rng(0)
    whole = pd.array(rng.integers(0, 50, N_ROWS), dtype="Int64")
    whole[::9] = pd.NA
    flag = pd.array(rng.random(N_ROWS) < 0.5, dtype="boolean")
    flag[::7] = pd.NA
    frame = pd.DataFrame(
        {
            "decimal": [Decimal(k) / 4 for k in range(N_ROWS)],
            "whole": whole,
            "flag": flag,
            "grade": pd.Categorical(rng.choice(["a", "b"], N_ROWS)),
            "code": rng.choice(["01", "02", "03"], N_ROWS),
            "y": rng.normal(size=N_ROWS),
        }
    )
    data = loaded(write("data.parquet", frame), "--target", "y")
    kinds = {column.name: column.kind for column in data.columns}
    assert kinds == {
        **dict.fromkeys(["decimal", "whole"], "number"),
        **dict.fromkeys(["flag", "grade", "code"], "category"),
    }
    np.testing.assert_array_equal(data.X.decimal, np.arange(N_ROWS) / 4)
    assert data.X.whole.isna().sum() == 67 and data.X.flag.isna().sum() == 86
    grades = loaded(write("data.parquet", frame), "--target", "grade")
    assert grades.of_classes and set(grades.y) == {"a", "b"}


def test_rows_of_weight_zero_are_left_out(write, loaded):
    weight = np.where(np.arange(N_ROWS) % 3 == 0, 0.0, 2.0)
    words = ["--target", "price", "--weights", "weight", "--groups", "household"]
    data = loaded(write(frame=changed(weight=weight)), *words)
    assert len(data.y) == len(data.X) == len(data.groups) == 400
    assert data.notes == ["200 rows of weight 0 are left out"]


def test_a_dump_of_an_index_is_no_column(write, loaded):
    frame = customers()
    frame.insert(0, "Unnamed: 0", np.arange(N_ROWS))
    data = loaded(write(frame=frame), "--target", "price")
    assert data.columns[0].treatment == "left out: numbers the rows, and says nothing else"


def test_question_marks_are_missing(write, loaded):
    age = ["?" if k % 5 == 0 else k % 60 for k in range(N_ROWS)]
    data = loaded(write(frame=changed(age=age)), "--target", "price")
    assert data.X.age.isna().sum() == 120


def test_a_model_is_unfitted_before_its_data(write, loaded):
    model = model_of(parse(["report", "data.csv"]), loaded(write(), "--target", "price"))
    with pytest.raises(NotFittedError):
        check_is_fitted(model[0])
