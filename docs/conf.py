"""Settings of the documentation: python -m sphinx -W docs docs/_build/html."""

import os
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "sk_deepfeat"
author = "The sk_deepfeat developers"
project_copyright = author
release = version = installed_version("sk-deepfeat")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx-mathjax-offline",  # formulas are typeset without a network
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "breakable_titles",
    "change_fragments",
    "gallery_order",
    "members_by_question",
    "tuning_constants",
]
# The inventories of other projects need a network, and a missing one is a warning.
if os.environ.get("SK_DEEPFEAT_DOCS_INTERSPHINX"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "scipy": ("https://docs.scipy.org/doc/scipy", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
    }

exclude_patterns = ["_build", "changes/*", "_extensions"]
# sphinx-gallery copies the examples into auto_examples.
exclude_patterns += ["examples/*"]
templates_path = ["_templates"]
html_theme = "pydata_sphinx_theme"
html_title = "sk_deepfeat"
html_theme_options = {
    "show_prev_next": False,
    "navigation_with_keys": False,
    "navbar_align": "left",
    "header_links_before_dropdown": 5,
    "show_toc_level": 2,
}
html_static_path = ["_static"]
html_css_files = ["custom.css"]
# Pages without pages below them give the width of an empty sidebar to their tables.
_alone = ("index", "first_hour", "getting_started", "writing_a_plugin", "comparison", "benchmarks")
_alone += ("reproduction", "glossary", "how_it_works")
html_sidebars = {page: [] for page in (*_alone, "changes", "citing", "auto_examples/plot_*")}
html_show_sourcelink = False
add_module_names = False
toc_object_entries_show_parents = "hide"  # methods by their bare names in the list on the right
default_role = "py:obj"

# A reference to something of ours that does not exist is an error. Names in single backticks that
# are parameters or other projects' are none; sk_deepfeat's own must be found.
nitpicky = True
nitpick_ignore_regex = [
    ("py:obj", r"(?!sk_deepfeat\.).*"),
    (r"py:.*", r"(sklearn|numpy|scipy|joblib|torch|torchvision|python)\..*"),
]

autosummary_generate = True
autodoc_typehints = "none"
# Members are listed by the template of autosummary, each on the page of its class.
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": ["../examples"],
    "gallery_dirs": ["auto_examples"],
    "filename_pattern": "plot_",
    "within_subsection_order": "gallery_order.position",
    "minigallery_sort_order": "gallery_order.position",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "min_reported_time": 1,
    "doc_module": ("sk_deepfeat",),
    "backreferences_dir": "generated/gallery",
}
