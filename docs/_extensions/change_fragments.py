"""The directive ``change-fragments``: the files of docs/changes, by kind, under the version."""

from pathlib import Path

from sphinx.util.docutils import SphinxDirective

# What the fragments are called in their file names, and as headings; in this order.
KINDS = {"feature": "New", "change": "Changed", "fix": "Fixed", "removal": "Removed"}


class ChangeFragments(SphinxDirective):
    """List the fragments of a folder; its only argument, beside the document."""

    required_arguments = 1

    def run(self):
        """Return the nodes of a version and its changes."""
        folder = Path(self.env.srcdir) / self.arguments[0]
        found = {kind: [] for kind in KINDS}
        for path in sorted(folder.glob("*.*.md")):
            kind = path.name.split(".")[1]
            if kind not in KINDS:
                raise self.error(f"{path.name}: the kind must be one of {', '.join(KINDS)}.")
            self.env.note_dependency(str(path))
            found[kind].append(path.read_text(encoding="utf-8"))
        lines = [f"Version {self.config.version}", "-" * 60, ""]
        for kind, texts in found.items():
            if texts:
                lines += [f".. rubric:: {KINDS[kind]}", ""]
            for text in texts:
                # Markdown's code is one backtick, that of reStructuredText two.
                first, *rest = text.strip().replace("`", "``").splitlines()
                lines += [f"* {first}", *(f"  {line}" for line in rest), ""]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def setup(app):
    """Register the directive."""
    app.add_directive("change-fragments", ChangeFragments)
    return {"parallel_read_safe": True}
