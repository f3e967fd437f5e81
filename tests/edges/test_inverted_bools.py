"""`~` is for arrays: of a bool it is a number, and a DeprecationWarning from Python 3.12 on."""

import ast
from pathlib import Path

import sk_deepfeat

FILES = sorted(Path(sk_deepfeat.__file__).parent.rglob("*.py"))


def is_bool(annotation):
    return isinstance(annotation, ast.Name) and annotation.id == "bool"


def names_of_bools(tree):
    """Return the functions, properties and fields of classes that are annotated as bool."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and is_bool(node.returns):
            yield node.name
        if isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.AnnAssign) and is_bool(part.annotation):
                    yield part.target.id


def inverted(tree, bools):
    """Yield the lines where one of them is inverted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
            operand = node.operand.func if isinstance(node.operand, ast.Call) else node.operand
            if isinstance(operand, ast.Attribute) and operand.attr in bools:
                yield node.lineno
            if isinstance(operand, ast.Name) and operand.id in bools:
                yield node.lineno


def test_no_attribute_that_is_a_bool_is_inverted():
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
    bools = {name for tree in trees.values() for name in names_of_bools(tree)}
    assert {"shows_all", "truncated"} <= bools
    found = [
        f"{path.name}:{line}" for path, tree in trees.items() for line in inverted(tree, bools)
    ]
    assert not found


def test_no_argument_that_is_a_bool_is_inverted():
    found = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                given = [*node.args.args, *node.args.kwonlyargs]
                bools = {arg.arg for arg in given if is_bool(arg.annotation)}
                found += [f"{path.name}:{line}" for line in inverted(node, bools)]
    assert not found


def test_what_is_sought_would_be_found():
    tree = ast.parse("class A:\n    all: bool\n\n\nx = ~curve.all & ~all(3)")
    assert list(inverted(tree, set(names_of_bools(tree)))) == [5, 5]
