r"""How pictures look: big letters, few colours, readable on a phone. The only module that imports matplotlib.

Texts come from outside and are shown as they are: `$`, `_` and `\` are no markup here.
"""

import math
import warnings
from collections.abc import Sequence
from io import BytesIO
from textwrap import wrap

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from clearml_chatops.models.figures import MOST_PANELS, Bar, Line, Panel

_DOTS_PER_INCH = 100
_WIDTH = 12.8
_HEIGHTS = {1: 8.0, 2: 12.0, 3: 15.0}
"""Inches, by the number of panels one below the other."""

_MOST_IN_ONE_COLUMN = 3
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Told apart also by people who do not see all colours (Okabe and Ito)."""

_STYLES = ("-", "--", ":", "-.")
_QUIET, _MARKED = "#0072B2", "#D55E00"
_MOST_NAMED_LINES = 8
"""In a panel as wide as the picture; half of it in one half as wide."""

_BELOW_THE_NUMBERS = -44
"""Points from the axes to the names of the lines, with room for the numbers between."""

_LONGEST_LABEL = 44
_LONGEST_BAR = 76
_LONGEST_TITLE = 100
_WIDEST_TITLE = 54
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"
_BEYOND_DRAWING = 1e300
"""Axes of values beyond it overflow."""

_ASIAN_FACES = ("Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "Source Han Sans SC")
_installed = {font.name for font in fontManager.ttflist}

mpl.rcParams.update(
    {
        "text.parse_math": False,
        "font.family": ["DejaVu Sans", *(face for face in _ASIAN_FACES if face in _installed)],
        "font.size": 20,
        "axes.titlesize": 24,
        "axes.unicode_minus": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "figure.titlesize": 28,
        "legend.fontsize": 20,
        "lines.linewidth": 3,
        "lines.markersize": 10,
    }
)
# A sign that no font has is drawn as a box; a line in the log for each tells nobody anything.
warnings.filterwarnings("ignore", message="Glyph .* missing from font")


def curves_png(title: str, panels: Sequence[Panel]) -> bytes:
    return _png(curves_figure(title, panels))


def curves_figure(title: str, panels: Sequence[Panel]) -> Figure:
    """Panels below one another, in two columns where they are many."""
    if not 1 <= len(panels) <= MOST_PANELS:
        message = f"a picture has 1 to {MOST_PANELS} panels, not {len(panels)}"
        raise ValueError(message)
    columns = 1 if len(panels) <= _MOST_IN_ONE_COLUMN else 2
    rows = math.ceil(len(panels) / columns)
    figure = _figure(title, height=_HEIGHTS[rows])
    for place, panel in enumerate(panels, 1):
        _draw_panel(figure.add_subplot(rows, columns, place), panel, columns=columns)
    figure.supxlabel("iteration")
    return figure


def bars_png(title: str, bars: Sequence[Bar]) -> bytes:
    """Bars from left to right, each with its words."""
    figure = _figure(title, height=1.8 + 1.3 * len(bars))
    axes = figure.add_subplot()
    places = range(len(bars))
    axes.barh(places, 1, color="#eeeeee", height=0.8)
    shares = [min(max(bar.share or 0, 0), 1) for bar in bars]
    axes.barh(places, shares, color=[_MARKED if bar.marked else _QUIET for bar in bars], height=0.8, alpha=0.6)
    for place, bar in zip(places, bars, strict=True):
        axes.text(0.015, place, _shown(bar.text, _LONGEST_BAR), va="center", clip_on=True)
    axes.set_yticks(places, [_shown(bar.label, _LONGEST_LABEL // 2) for bar in bars])
    axes.set_xlim(0, 1)
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.set_xticks([])
    axes.spines[:].set_visible(False)
    axes.tick_params(left=False)
    return _png(figure)


def _figure(title: str, *, height: float) -> Figure:
    figure = Figure(
        figsize=(_WIDTH, height), dpi=_DOTS_PER_INCH, layout=ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.15)
    )
    figure.suptitle("\n".join(wrap(_shown(title, _LONGEST_TITLE), _WIDEST_TITLE)))
    return figure


def _png(figure: Figure) -> bytes:
    picture = BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _draw_panel(axes: Axes, panel: Panel, *, columns: int) -> None:
    axes.set_title(_shown(panel.title, _LONGEST_LABEL // columns), loc="left")
    axes.grid(alpha=0.3)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.margins(x=0.02)
    drawn = [line for number, line in enumerate(panel.lines) if _draw_line(axes, line, number)]
    if not drawn:
        axes.text(0.5, 0.5, "no finite values", transform=axes.transAxes, ha="center", va="center", alpha=0.6)
        axes.set(xticks=[], yticks=[])
        return
    iterations = {x for line in drawn for x in line.x}
    if len(iterations) == 1:
        (only,) = iterations
        axes.set_xlim(only - 1, only + 1)
    if len(panel.lines) > 1 or panel.lines[0].label not in panel.title:
        _name_lines(axes, [line.label for line in drawn], columns)


def _draw_line(axes: Axes, line: Line, number: int) -> bool:
    """Draws what is finite of a line; whether that is anything."""
    values = [y if abs(y) < _BEYOND_DRAWING else math.nan for y in line.y]
    finite = [math.isfinite(y) for y in values]
    if not any(finite):
        return False
    # A point between two gaps belongs to no stroke, and would not be seen without a dot.
    alone = [
        place
        for place, there in enumerate(finite)
        if there and not any(finite[max(place - 1, 0) : place]) and not any(finite[place + 1 : place + 2])
    ]
    axes.plot(
        line.x,
        values,
        color=_COLOURS[number % len(_COLOURS)],
        linestyle=_STYLES[number // len(_COLOURS) % len(_STYLES)],
        marker="o" if alone else "",
        markevery=alone or None,
    )
    return True


def _name_lines(axes: Axes, labels: Sequence[str], columns: int) -> None:
    """The names below the axes, where they hide no curve."""
    widest, most = _LONGEST_LABEL // columns, _MOST_NAMED_LINES // columns
    shown = [_shown(label, widest) for label in labels[:most]]
    more = len(labels) - len(shown)
    below = ScaledTranslation(0, _BELOW_THE_NUMBERS / 72, axes.figure.dpi_scale_trans)
    # Given as numbers first: a name that begins with _ would be left out.
    legend = axes.legend(
        axes.get_lines()[:most],
        [str(number) for number in range(len(shown))],
        title=f"and {more} more" if more else None,
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=axes.transAxes + below,
        ncols=1 if max(map(len, shown)) > widest // 2 else 2,
        frameon=False,
        borderaxespad=0,
    )
    for text, label in zip(legend.get_texts(), shown, strict=True):
        text.set_text(label)


def _shown(text: str, longest: int) -> str:
    """On one line, cut, with a sign for what cannot be drawn."""
    line = "".join(sign if sign.isprintable() else _UNKNOWN for sign in " ".join(text.split()))
    return line if len(line) <= longest else line[: longest - 1] + "…"
