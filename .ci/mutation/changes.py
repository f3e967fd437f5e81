"""What a mutant changes: one operator, comparison, constant or call argument of one file."""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
# Calls that do not ask in which order their arguments come, and a keyword that only checks lengths.
SYMMETRIC = {
    "maximum",
    "minimum",
    "max",
    "min",
    "multiply",
    "add",
    "broadcast_arrays",
    "isinstance",
    "clip",
    "fmin",
    "fmax",
}
SYMMETRIC |= {"allclose", "isclose", "array_equal", "broadcast_shapes", "gcd", "zip", "hypot"}
CHECKS = {"strict"}
LARGE = 100.0  # of a number, to which another one makes no difference
# Calls that word, warn, type or tell progress: their arguments are not a prediction's.
WORDS = {"warn", "warn_caller", "TypeVar", "NamedTuple", "cast", "overload", "stage", "format"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, what it says, and the nodes that lead to it."""

    path: Path
    scope: str  # qualified name of the function, empty in a module, the class's name in a class
    line: int
    change: str
    lines: tuple[int, ...]  # whoever runs one of them runs the change
    function_lines: tuple[int, ...]  # first lines of the functions around it, innermost first
    in_body: bool  # of a function, where it can be swapped in place
    order: int  # of its node in the walk of the file
    choice: int  # of the changes of that node

    def tree(self, source: str) -> ast.Module:
        """Return the file's tree with the change made."""
        tree = ast.parse(source)
        for order, place in enumerate(places(tree)):
            if order == self.order:
                new = list(replacements(place.node))[self.choice]
                put(place.parent, place.node, ast.copy_location(new, place.node))
                return ast.fix_missing_locations(tree)
        raise ValueError(f"{self.path} has no node {self.order}: it was edited since")


@dataclass
class Place:
    """A node that may be changed, and what is around it."""

    node: ast.AST
    parent: ast.AST
    statement: ast.stmt | None
    scopes: tuple[ast.AST, ...]  # classes and functions around it, outermost first
    in_body: bool


def places(tree: ast.Module) -> Iterator[Place]:
    """Walk the code that decides numbers: no annotation, message, decorator or check of types."""
    yield from _walk(tree, tree, None, (), False)


def _walk(
    node: ast.AST,
    parent: ast.AST,
    statement: ast.stmt | None,
    scopes: tuple[ast.AST, ...],
    in_body: bool,
) -> Iterator[Place]:
    if isinstance(node, (ast.Raise, ast.Assert, ast.JoinedStr, ast.Import, ast.ImportFrom)):
        return
    if isinstance(node, ast.Call) and _name(node.func) in WORDS:
        return
    if isinstance(node, ast.keyword) and node.arg in CHECKS:
        return
    if isinstance(node, ast.Assign) and any(_name(item) == "__all__" for item in node.targets):
        return
    if isinstance(node, ast.stmt):
        statement = node
    yield Place(node, parent, statement, scopes, in_body)
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        inner = (*scopes, node)
        if isinstance(node, FUNCTIONS):
            for value in (*node.args.defaults, *node.args.kw_defaults):
                if value is not None:
                    yield from _walk(value, node.args, statement, inner, False)
        for child in node.body:
            yield from _walk(child, node, None, inner, isinstance(node, FUNCTIONS))
        return
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _walk(child, node, statement, scopes, in_body)


def replacements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield each wrong version of one node."""
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        operator = ARITHMETIC.get(type(node.op))
        if operator is not None and not _is_text(node):
            yield _with(node, op=operator())
        if isinstance(node.op, ast.MatMult) and isinstance(node, ast.BinOp):
            yield _with(node, left=node.right, right=node.left)
    elif isinstance(node, ast.UnaryOp):
        yield copy.deepcopy(node.operand)
    elif isinstance(node, ast.Compare):
        for index, operation in enumerate(node.ops):
            ops = list(node.ops)
            ops[index] = COMPARISONS[type(operation)]()
            yield _with(node, ops=ops)
    elif isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, (int, float)):
            yield ast.Constant(node.value + 1 if abs(node.value) <= LARGE else node.value // 1000)
    elif isinstance(node, ast.Call):
        ordered = len(node.args) >= 2 and _name(node.func) not in SYMMETRIC
        if ordered and not any(isinstance(arg, ast.Starred) for arg in node.args[:2]):
            first, second, *others = node.args
            if ast.dump(first) != ast.dump(second):
                yield _with(node, args=[second, first, *others])
        for index, keyword in enumerate(node.keywords):
            if keyword.arg is not None and keyword.arg not in CHECKS:
                yield _with(node, keywords=node.keywords[:index] + node.keywords[index + 1 :])


def mutants_of(path: Path, root: Path, lines: set[int] | None = None) -> list[Mutant]:
    """Return every mutant of a file, or those on some lines."""
    made: list[Mutant] = []
    for order, place in enumerate(places(ast.parse(path.read_text(encoding="utf-8")))):
        if place.statement is None and not isinstance(place.node, ast.expr):
            continue
        for choice, new in enumerate(replacements(place.node)):
            mutant = _mutant(path.relative_to(root), place, new, order, choice)
            if lines is None or not lines.isdisjoint(mutant.lines):
                made.append(mutant)
    return made


def _mutant(path: Path, place: Place, new: ast.AST, order: int, choice: int) -> Mutant:
    node = place.node
    named = [scope for scope in place.scopes if isinstance(scope, (*FUNCTIONS, ast.ClassDef))]
    functions = [scope for scope in reversed(named) if isinstance(scope, FUNCTIONS)]
    lines = set(range(node.lineno, (node.end_lineno or node.lineno) + 1))  # type: ignore[attr-defined]
    if place.statement is not None:
        lines.add(place.statement.lineno)
    if functions and not place.in_body:  # a default value: every line of its function needs it
        lines = {item.lineno for item in ast.walk(functions[0]) if isinstance(item, ast.stmt)}
    return Mutant(
        path=path,
        scope=".".join(scope.name for scope in named),
        line=node.lineno,  # type: ignore[attr-defined]
        change=_words(node, new),
        lines=tuple(sorted(lines)),
        function_lines=tuple(_first_line(function) for function in functions),
        in_body=place.in_body and bool(functions),
        order=order,
        choice=choice,
    )


def put(parent: ast.AST, old: ast.AST, new: ast.AST) -> None:
    """Replace a child of a node."""
    for field, value in ast.iter_fields(parent):
        if value is old:
            setattr(parent, field, new)
        elif isinstance(value, list) and any(item is old for item in value):
            setattr(parent, field, [new if item is old else item for item in value])


def _first_line(function: ast.AST) -> int:
    """Return the line at which Python's code object begins, which is the first decorator's."""
    return min([function.lineno, *(item.lineno for item in function.decorator_list)])  # type: ignore[attr-defined]


def _words(old: ast.AST, new: ast.AST) -> str:
    """Say what a change is."""
    if not (isinstance(old, ast.Call) and isinstance(new, ast.Call)):
        return f"{_short(old)} -> {_short(new)}"
    if len(old.keywords) == len(new.keywords):
        first, second, *_ = old.args
        return f"{_short(old.func)}: {_short(first)} and {_short(second)} exchanged"
    gone = [keyword.arg for keyword in old.keywords if keyword not in new.keywords]
    return f"{_short(old.func)}: without {gone[0]}"


def _short(node: ast.AST) -> str:
    return " ".join(ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).split())


def _with(node: ast.AST, **fields: object) -> ast.AST:
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_text(node: ast.BinOp | ast.AugAssign) -> bool:
    """Whether a sum or remainder is of words or of types."""
    sides = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.value]
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and (side.value is None or isinstance(side.value, str)))
        for side in sides
    )
