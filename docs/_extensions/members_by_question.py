"""The directive ``class-page``: a class, and its methods under headings that say what for."""

import importlib
import inspect

from sphinx.util.docutils import SphinxDirective

GROUPS = {
    "Fitting": ("fit", "partial_fit", "fit_transform", "fit_feature_map", "draw"),
    "Predicting": (
        *("predict", "predict_proba", "decision_function", "score"),
        *("transform", "staged_transform", "at", "get_feature_names_out"),
    ),
    "Which error?": (
        *("predict_test_error", "predict_score", "predict_train_error", "predict_class_errors"),
        *("predict_decomposition", "test_error", "train_error", "class_errors"),
        *("decomposition", "interval", "cautious_error", "error_rate", "squared_error", "risk"),
    ),
    "How many samples, which alpha?": ("required_samples", "required_groups", "optimal_alpha"),
    "Is it right?": ("reachable", "calibration_check"),
    "Drawing": ("from_fitted", "from_estimator", "from_result", "from_predictions", "plot"),
    "Behind the answers": (
        *("answer", "class_answer", "predict_kappa", "kappa", "degrees_of_freedom", "eigenvalues"),
        *("linearization_layers",),
    ),
}
REST = "More"
FEWEST = 4  # methods that are worth headings

# What scikit-learn and Python give every class is not listed.
BASES = (
    *("BaseEstimator", "RegressorMixin", "ClassifierMixin", "MultiOutputMixin"),
    *("TransformerMixin", "MetaEstimatorMixin", "tuple", "UserWarning"),
)
LEFT_OUT = (
    *("get_metadata_routing", "set_output", "set_fit_request", "set_score_request"),
    *("set_predict_request", "set_transform_request", "set_partial_fit_request"),
)


def methods_of(cls):
    """Return the documented public methods of a class that are ours."""
    found = []
    for name in dir(cls):
        owner = next(base for base in cls.__mro__ if name in vars(base)) if name[0] != "_" else None
        if owner is None or owner.__name__ in (*BASES, "object") or name in LEFT_OUT:
            continue
        method = getattr(cls, name)
        if (inspect.isfunction(method) or inspect.ismethod(method)) and inspect.getdoc(method):
            found.append(name)
    return found


def grouped(names):
    """Return headings and the names below them; none for few names or a single heading."""
    if len(names) < FEWEST:
        return {}
    groups = {title: [name for name in order if name in names] for title, order in GROUPS.items()}
    groups[REST] = sorted(set(names) - {name for group in groups.values() for name in group})
    found = {title: group for title, group in groups.items() if group}
    return found if len(found) > 1 else {}


class ClassPage(SphinxDirective):
    """Document a class; its arguments are the module and the name."""

    required_arguments = 2

    def run(self):
        """Return the nodes of the class, and of its groups of methods."""
        module, name = self.arguments
        groups = grouped(methods_of(getattr(importlib.import_module(module), name)))
        apart = [method for group in groups.values() for method in group]
        lines = [f".. autoclass:: {name}", "   :members:"]
        lines += [f"   :inherited-members: {', '.join(BASES)}"]
        lines += [f"   :exclude-members: {', '.join([*LEFT_OUT, *apart])}", ""]
        for title, group in groups.items():
            lines += [title, "-" * len(title), ""]
            lines += [f".. automethod:: {name}.{method}\n" for method in group]
        text = "\n".join(lines)
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app):
    """Register the directive."""
    app.add_directive("class-page", ClassPage)
    return {"parallel_read_safe": True}
