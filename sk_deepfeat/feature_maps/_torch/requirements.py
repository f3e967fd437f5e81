"""Ask whether the extra is installed."""

from __future__ import annotations

from importlib import import_module


def require_extra(*packages: str) -> None:
    """Raise ImportError, naming the extra, unless every package can be imported.

    Parameters
    ----------
    *packages : str
        Names of packages of the extra.

    Raises
    ------
    ImportError
        If one is missing.
    """
    for package in packages:
        try:
            import_module(package)
        except ImportError as error:
            raise ImportError(
                f"TrainedDeepFeatures needs {package}, which cannot be imported: {error}. "
                'Install the extra: pip install "sk-deepfeat[torch]"'
            ) from error
