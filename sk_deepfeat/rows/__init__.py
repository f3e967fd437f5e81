"""Rows of features and targets, as they come from outside, on their way into an estimator."""

from sk_deepfeat.rows.blocks import RowBlock, RowSource
from sk_deepfeat.rows.classes import check_class_rows
from sk_deepfeat.rows.copies import ExactCopies, exact_copies
from sk_deepfeat.rows.group_parts import deal_groups
from sk_deepfeat.rows.groups import check_groups, row_labels, warn_of_the_largest
from sk_deepfeat.rows.namespaces import (
    ArrayPlace,
    in_main_memory,
    in_numpy,
    labels_at,
    place_of,
    require_same_place,
    with_numpy_attributes,
)
from sk_deepfeat.rows.on_workers import current_client, learn_on_workers, sum_on_workers
from sk_deepfeat.rows.progress import told_rows
from sk_deepfeat.rows.row_sample import sample_rows
from sk_deepfeat.rows.sources import is_array, row_source
from sk_deepfeat.rows.targets import look_like_classes, target_kind, warn_of_classes
from sk_deepfeat.rows.validation import check_rows, check_weights, require_targets

__all__ = [
    "ArrayPlace",
    "ExactCopies",
    "RowBlock",
    "RowSource",
    "check_class_rows",
    "check_groups",
    "check_rows",
    "check_weights",
    "current_client",
    "deal_groups",
    "exact_copies",
    "in_main_memory",
    "in_numpy",
    "is_array",
    "labels_at",
    "learn_on_workers",
    "look_like_classes",
    "place_of",
    "require_same_place",
    "require_targets",
    "row_labels",
    "row_source",
    "sample_rows",
    "sum_on_workers",
    "target_kind",
    "told_rows",
    "warn_of_classes",
    "warn_of_the_largest",
    "with_numpy_attributes",
]
