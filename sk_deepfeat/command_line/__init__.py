"""What ``python -m sk_deepfeat`` does: arguments and data in, a learning curve or a report out."""

from sk_deepfeat.command_line.running import run

__all__ = ["run"]
