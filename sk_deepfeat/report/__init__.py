"""A fitted ridge's answers about its own error as one self-contained page."""

from sk_deepfeat.report.writing import write_report

__all__ = ["write_report"]
