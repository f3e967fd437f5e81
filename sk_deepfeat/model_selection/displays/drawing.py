"""matplotlib, imported when something is drawn, and what all displays look like."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sk_deepfeat.theory.validation import axes_of, real_number

N_SAMPLES = "n (training samples)"
ALPHA = "alpha (squared units of X)"
TEST_ERROR = "test error (squared units of y)"
ERRORS = {
    "mse": TEST_ERROR,
    "error_rate": "error rate (share of new rows)",
    "balanced_error": "error rate (mean over classes)",
    "log_loss": "log-loss (nats)",
}
"""What is drawn, by its metric."""

_END, _FIT = "end of reach", "size of the fit"
_LETTERS, _HANDLE = 13.0, 8  # of a legend in an inch, and the width of a handle in letters
_USUAL_SHARE = 0.775  # of the width of a figure that axes take before they are laid out
_BELOW = 0.5  # inches from the axes to the legend: numbers and a label stand between
_MARKERS = "osD^vP*X<>"
_LINES = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)))


class Look(NamedTuple):
    """How one series is drawn: told apart without its colour, too."""

    colour: Any
    marker: str
    line: Any


def import_pyplot(caller: str) -> Any:
    """Return matplotlib.pyplot, or raise ImportError that names `caller` and the remedy."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f'{caller} needs matplotlib: pip install "sk-deepfeat[plot]".') from error
    return plt


def check_axes(ax: Any, count: int, caller: str) -> None:
    """Refuse what is neither `count` matplotlib Axes nor None."""
    if ax is None:
        return
    one = count == 1 or (axes_of(ax) > 1 and isinstance(ax, (list, tuple)))
    given = [ax] if one else list(np.ravel(ax))
    if len(given) != count:
        raise ValueError(f"{caller} draws into {count} axes: ax must hold them; got {ax!r}.")
    if not all(hasattr(one, "plot") and hasattr(one, "figure") for one in given):
        raise TypeError(f"ax={ax!r} must be matplotlib Axes or None.")


def styles(count: int) -> list[Look]:
    """Return a colour, a marker and a line style for each of `count` series.

    The light end of viridis is left out: it does not stand against white.
    """
    from matplotlib import colormaps

    colours = colormaps["viridis"](np.linspace(0.0, 0.78, count))
    return [
        Look(colour, _MARKERS[k % len(_MARKERS)], _LINES[k % len(_LINES)])
        for k, colour in enumerate(colours)
    ]


def shade(ax: Any, places: Any, lower: Any, upper: Any, look: Look) -> Any:
    """Draw a band between the ends of intervals, and return it."""
    return ax.fill_between(places, lower, upper, color=look.colour, alpha=0.18, lw=0, zorder=1)


def alpha_in_words(alpha: Any, each: str = "n") -> str:
    """Say in a legend which regularisation is shown: a number, or the best for `each`.

    None stands for fitted ones of each output.
    """
    if alpha is None:
        return "the fitted alphas"
    if isinstance(alpha, str):
        return f"best alpha for each {each}"
    return f"alpha = {real_number(alpha, 'alpha'):.4g}"


def intervals_in_words(level: float) -> str:
    """Say in a legend what `shade` shows."""
    return f"shaded: {100 * level:g} % intervals"


def mark_end_of_reach(ax: Any, sizes: Any, values: Any, known: Any, look: Look) -> None:
    """Set a bar where a curve stops being identified as n grows; go on thinly where it can."""
    last = known & ~np.append(known[1:], True)
    if not np.any(last):
        return
    beyond = ~known | last
    ax.plot(sizes, np.where(beyond, values, np.nan), color=look.colour, ls=look.line, lw=0.8)
    marks: dict[str, Any] = {"marker": "|", "ms": 16, "mew": 2.0, "ls": "none", "gid": _END}
    ax.plot(sizes[last], values[last], color=look.colour, zorder=4, **marks)


def end_of_reach_handle(ax: Any) -> list[Any]:
    """Return what stands for the bars of `mark_end_of_reach` in a legend, if there are any."""
    from matplotlib.lines import Line2D

    if not any(line.get_gid() == _END for line in ax.lines):
        return []
    look: dict[str, Any] = {"marker": "|", "ms": 10, "mew": 2.0, "ls": "none", "color": "0.3"}
    return [Line2D([], [], label="reach of the training set ends", **look)]


def plain_numbers(axis: Any) -> None:
    """Write 0.1, 1, 10 along a logarithmic axis, with numbers between them within two decades."""
    axis.set_major_formatter("{x:g}")
    low, high = sorted(axis.get_view_interval())
    # Within a decade the powers of ten alone would leave the axis without numbers.
    if not 0.0 < low < high < 100.0 * low:
        axis.set_minor_formatter("")
    elif high < 3.0 * low:
        axis.set_minor_formatter("{x:g}")
    else:  # so few that 90 and 100 do not touch
        digits = "2357" if high < 10.0 * low else "25"
        axis.set_minor_formatter(lambda x, _: f"{x:g}" if f"{x:e}"[0] in digits else "")


def mark_size(ax: Any, n_samples: float, *, low: bool = False, zorder: float = 0.0) -> Any:
    """Draw a thin line at the number of samples of the fit, labelled at its upper or lower end."""
    n_samples = real_number(n_samples, "n_fitted")
    line = ax.axvline(n_samples, color="0.55", lw=0.8, ls=(0, (4, 2)), zorder=zorder, gid=_FIT)
    ax.annotate(
        f"the fit: n = {n_samples:g}",
        (n_samples, 0.0 if low else 1.0),
        xycoords=ax.get_xaxis_transform(),
        xytext=(-3, 4 if low else -4),
        textcoords="offset points",
        rotation=90,
        ha="right",
        va="bottom" if low else "top",
        fontsize="small",
        color="0.3",
        bbox={"facecolor": "white", "alpha": 0.75, "lw": 0, "pad": 0.5},
    )
    return line


def finish(ax: Any, title: str, **legend: Any) -> None:
    """Write plain numbers along the errors' axis and put the legend below the axes.

    There it leaves the width of a narrow screen to the picture.
    """
    from matplotlib.transforms import ScaledTranslation

    plain_numbers(ax.yaxis)
    handles = legend.pop("handles", None) or ax.get_legend_handles_labels()[0]
    longest = max((len(handle.get_label()) for handle in handles), default=0)
    columns = max(1, int(_room(ax) * _LETTERS / (longest + _HANDLE)))
    below = ax.transAxes + ScaledTranslation(0.0, -_BELOW, ax.figure.dpi_scale_trans)
    ax.legend(
        handles=handles,
        title=title or None,
        fontsize="small",
        title_fontsize="small",
        frameon=False,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=below,
        ncols=columns,
        **legend,
    )


def _room(ax: Any) -> float:
    """Return the inches of width that axes share with no others."""
    return float(ax.get_position().width / _USUAL_SHARE * ax.figure.get_figwidth())
