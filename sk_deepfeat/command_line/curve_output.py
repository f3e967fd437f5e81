"""What a learning curve leaves behind: a table and a picture in a folder, and the table printed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.model_selection import RidgeLearningCurve, RidgeLearningCurveDisplay


def check_folder(output: Path) -> None:
    """Raise ValueError if the folder can neither be written to nor made."""
    for folder in (output, *output.parents):
        if folder.exists():
            if not folder.is_dir():
                raise ValueError(f"--output {folder} is a file; name a folder.")
            if not os.access(folder, os.W_OK):
                raise ValueError(f"--output {output}: {folder} cannot be written to.")
            break


def write_curve(result: RidgeLearningCurve, output: Path) -> None:
    """Write both files under other names first, so that nothing is left half-written."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    frame = result.to_frame()
    display = RidgeLearningCurveDisplay.from_result(result)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output) as scratch:
        table, picture = Path(scratch) / "table.csv", Path(scratch) / "picture.png"
        frame.to_csv(table, index=False)
        display.figure_.savefig(picture, dpi=120)
        os.replace(table, output / "learning_curve.csv")
        os.replace(picture, output / "learning_curve.png")
    plt.close(display.figure_)


def print_curve(
    result: RidgeLearningCurve,
    groups: str | None = None,
    classes: NDArray[Any] | None = None,
) -> None:
    """Print the table, what its errors are of, and how far the predictions are off."""
    frame = result.to_frame()
    print(frame.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    if classes is not None:
        print(
            f"errors are error rates: shares of rows misclassified, of {classes.size} classes from "
            f"{classes[0]} to {classes[-1]}; --task regression takes y for numbers"
        )
    if groups is not None:
        print(f"errors are those of rows of new groups; {groups} names the group of each row")
    relative = np.abs(frame["relative_error"].dropna())
    if relative.empty:
        print("relative error of the prediction: no cell is identifiable")
        return
    print(
        f"relative error of the prediction: median {100 * np.median(relative):.1f} %, "
        f"worst {100 * relative.max():.1f} % over {relative.size} cells"
    )
