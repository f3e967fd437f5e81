"""What ``python -m sk_deepfeat`` does: arguments and data in, a learning curve or a report out."""

from sk_deepfeat.command_line.arguments import parse
from sk_deepfeat.command_line.curve import run_curve
from sk_deepfeat.command_line.messages import print_error, print_interrupted, print_warning
from sk_deepfeat.command_line.report import run_report

__all__ = ["parse", "print_error", "print_interrupted", "print_warning", "run_curve", "run_report"]
