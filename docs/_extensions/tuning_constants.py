"""The directive ``tuning-constants``: every statistical constant, its value, meaning and reason."""

import ast
from pathlib import Path
from typing import NamedTuple

from sphinx.util.docutils import SphinxDirective


class Constant(NamedTuple):
    """One assignment of the module, which may give several names their values."""

    names: tuple[str, ...]
    values: tuple[str, ...]
    meaning: str
    why: str


def constants(path):
    """Return the constants of a module, each with the two paragraphs of its docstring."""
    body = ast.parse(Path(path).read_text(encoding="utf-8")).body
    found = []
    for node, after in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.Assign):
            continue
        if not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)):
            raise ValueError(f"{path}:{node.lineno}: the constant has no docstring")
        meaning, separator, why = after.value.value.partition("\n\nWhy: ")
        if not separator:
            raise ValueError(f"{path}:{node.lineno}: the docstring has no paragraph 'Why: '")
        (target,) = node.targets
        several = isinstance(target, ast.Tuple)
        names = [item.id for item in (target.elts if several else [target])]
        values = [ast.unparse(item) for item in (node.value.elts if several else [node.value])]
        texts = (" ".join(text.split()) for text in (meaning, why))
        found.append(Constant(tuple(names), tuple(values), *texts))
    return found


class TuningConstants(SphinxDirective):
    """List the constants of a module; its only argument, beside the document."""

    required_arguments = 1

    def run(self):
        """Return a description list."""
        path = (Path(self.env.srcdir) / self.arguments[0]).resolve()
        self.env.note_dependency(str(path))
        lines = []
        for constant in constants(path):
            pairs = zip(constant.names, constant.values, strict=True)
            lines += [", ".join(f"``{name}`` = {value}" for name, value in pairs)]
            lines += [f"   {constant.meaning}", "", f"   *Why:* {constant.why}", ""]
        return self.parse_text_to_nodes("\n".join(lines))


def setup(app):
    """Register the directive."""
    app.add_directive("tuning-constants", TuningConstants)
    return {"parallel_read_safe": True}
