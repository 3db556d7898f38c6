r"""Figures with large text and few colours, readable on a phone. The only module that imports matplotlib.

Texts come from outside and are shown unchanged: `$`, `_` and `\` are not markup here.
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

from clearml_chatops.models.figures import MAX_PANELS, Bar, Line, Panel

_DOTS_PER_INCH = 100
_WIDTH_INCHES = 12.8
_HEIGHTS_INCHES = {1: 8.0, 2: 12.0, 3: 15.0}
"""By the number of rows of panels."""

_MAX_PANELS_IN_ONE_COLUMN = 3
_LINE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Distinguishable for colour-blind people too (Okabe and Ito)."""

_LINE_STYLES = ("-", "--", ":", "-.")
_BAR_COLOUR, _MARKED_BAR_COLOUR = "#0072B2", "#D55E00"
_MAX_LEGEND_ENTRIES = 8
"""For a panel over the full width; half as many in a panel of half the width."""

_LEGEND_OFFSET_POINTS = -44
"""From the axes to the legend, which leaves room for the tick labels."""

_MAX_LABEL_LENGTH = 44
_MAX_BAR_TEXT_LENGTH = 76
_MAX_TITLE_LENGTH = 100
_TITLE_LINE_LENGTH = 54
_REPLACEMENT_CHARACTER = "\N{REPLACEMENT CHARACTER}"
_MAX_DRAWABLE_VALUE = 1e300
"""Axes overflow with larger values."""

_ASIAN_FONTS = ("Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "Source Han Sans SC")
_installed_fonts = {font.name for font in fontManager.ttflist}

mpl.rcParams.update(
    {
        "text.parse_math": False,
        "font.family": ["DejaVu Sans", *(face for face in _ASIAN_FONTS if face in _installed_fonts)],
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
# Characters that no font has are drawn as boxes; a warning in the log for each helps nobody.
warnings.filterwarnings("ignore", message="Glyph .* missing from font")


def render_curves_png(title: str, panels: Sequence[Panel]) -> bytes:
    return _render_png(build_curves_figure(title, panels))


def build_curves_figure(title: str, panels: Sequence[Panel]) -> Figure:
    """Return a figure of panels, in two columns if there are more than three."""
    if not 1 <= len(panels) <= MAX_PANELS:
        message = f"a figure has 1 to {MAX_PANELS} panels, not {len(panels)}"
        raise ValueError(message)
    columns = 1 if len(panels) <= _MAX_PANELS_IN_ONE_COLUMN else 2
    rows = math.ceil(len(panels) / columns)
    figure = _build_figure(title, height=_HEIGHTS_INCHES[rows])
    for subplot_number, panel in enumerate(panels, 1):
        _draw_panel(figure.add_subplot(rows, columns, subplot_number), panel, columns=columns)
    figure.supxlabel("iteration")
    return figure


def render_bars_png(title: str, bars: Sequence[Bar]) -> bytes:
    """Return a PNG of horizontal bars, each with its label and text."""
    figure = _build_figure(title, height=1.8 + 1.3 * len(bars))
    axes = figure.add_subplot()
    positions = range(len(bars))
    axes.barh(positions, 1, color="#eeeeee", height=0.8)
    shares = [min(max(bar.share or 0, 0), 1) for bar in bars]
    axes.barh(
        positions,
        shares,
        color=[_MARKED_BAR_COLOUR if bar.is_highlighted else _BAR_COLOUR for bar in bars],
        height=0.8,
        alpha=0.6,
    )
    for position, bar in zip(positions, bars, strict=True):
        axes.text(0.015, position, _clean_text(bar.text, _MAX_BAR_TEXT_LENGTH), va="center", clip_on=True)
    axes.set_yticks(positions, [_clean_text(bar.label, _MAX_LABEL_LENGTH // 2) for bar in bars])
    axes.set_xlim(0, 1)
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.set_xticks([])
    axes.spines[:].set_visible(False)
    axes.tick_params(left=False)
    return _render_png(figure)


def _build_figure(title: str, *, height: float) -> Figure:
    figure = Figure(
        figsize=(_WIDTH_INCHES, height), dpi=_DOTS_PER_INCH, layout=ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.15)
    )
    figure.suptitle("\n".join(wrap(_clean_text(title, _MAX_TITLE_LENGTH), _TITLE_LINE_LENGTH)))
    return figure


def _render_png(figure: Figure) -> bytes:
    picture = BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _draw_panel(axes: Axes, panel: Panel, *, columns: int) -> None:
    axes.set_title(_clean_text(panel.title, _MAX_LABEL_LENGTH // columns), loc="left")
    axes.grid(alpha=0.3)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.margins(x=0.02)
    drawn_lines = [line for number, line in enumerate(panel.lines) if _draw_line(axes, line, number)]
    if not drawn_lines:
        axes.text(0.5, 0.5, "no finite values", transform=axes.transAxes, ha="center", va="center", alpha=0.6)
        axes.set(xticks=[], yticks=[])
        return
    iterations = {x for line in drawn_lines for x in line.x}
    if len(iterations) == 1:
        (iteration,) = iterations
        axes.set_xlim(iteration - 1, iteration + 1)
    if len(panel.lines) > 1 or panel.lines[0].label not in panel.title:
        _draw_legend(axes, [line.label for line in drawn_lines], columns)


def _draw_line(axes: Axes, line: Line, number: int) -> bool:
    """Draw the finite values of a line; return whether there are any."""
    values = [y if abs(y) < _MAX_DRAWABLE_VALUE else math.nan for y in line.y]
    finite = [math.isfinite(y) for y in values]
    if not any(finite):
        return False
    # A point between two gaps is not part of any stroke and needs a marker to be visible.
    isolated = [
        index
        for index, is_finite in enumerate(finite)
        if is_finite and not any(finite[max(index - 1, 0) : index]) and not any(finite[index + 1 : index + 2])
    ]
    axes.plot(
        line.x,
        values,
        color=_LINE_COLOURS[number % len(_LINE_COLOURS)],
        linestyle=_LINE_STYLES[number // len(_LINE_COLOURS) % len(_LINE_STYLES)],
        marker="o" if isolated else "",
        markevery=isolated or None,
    )
    return True


def _draw_legend(axes: Axes, labels: Sequence[str], columns: int) -> None:
    """Draw the legend below the axes, where it hides no curve."""
    label_length, entry_limit = _MAX_LABEL_LENGTH // columns, _MAX_LEGEND_ENTRIES // columns
    shown_labels = [_clean_text(label, label_length) for label in labels[:entry_limit]]
    hidden_count = len(labels) - len(shown_labels)
    offset = ScaledTranslation(0, _LEGEND_OFFSET_POINTS / 72, axes.figure.dpi_scale_trans)
    # The labels are numbers first, because matplotlib leaves out labels that start with _.
    legend = axes.legend(
        axes.get_lines()[:entry_limit],
        [str(number) for number in range(len(shown_labels))],
        title=f"and {hidden_count} more" if hidden_count else None,
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=axes.transAxes + offset,
        ncols=1 if max(map(len, shown_labels)) > label_length // 2 else 2,
        frameon=False,
        borderaxespad=0,
    )
    for text, label in zip(legend.get_texts(), shown_labels, strict=True):
        text.set_text(label)


def _clean_text(text: str, max_length: int) -> str:
    """Return the text on one line, cut to `max_length`, with undrawable characters replaced."""
    line = "".join(
        character if character.isprintable() else _REPLACEMENT_CHARACTER for character in " ".join(text.split())
    )
    return line if len(line) <= max_length else line[: max_length - 1] + "…"
