"""What the readers of files hand over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sk_deepfeat.command_line.column_kinds import Column


@dataclass
class FoundRows:
    """Inputs, targets and what belongs to rows, as a file holds them."""

    X: Any
    y: Any
    is_table: bool
    target_name: str
    groups: Any = None
    weights: Any = None
    columns: list[Column] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
