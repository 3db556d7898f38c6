"""Looking at runs: pictures of their scalars."""

import math
from collections.abc import Sequence

from clearml_chatops.handlers.arguments import ExperimentReference, ExperimentWords, PlainWord, Words
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.lines import Word, join_words
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.wording import shortened, shown_value
from clearml_chatops.models.experiments import Metric
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Buttons, Fields, Picture, Reply, Table, Text, Tone
from clearml_chatops.models.scalars import LineSummary
from clearml_chatops.services.experiments.plots import Comparison, Plot

PLOTS = CommandFamily("Plots")
_LONGEST_CAPTION = 900
"""Characters; Telegram takes 1024 below a picture."""

_MOST_NAMED = 12
_MOST_ASKED_FOR = 40
"""Scalars that a button asks for; it is one line."""


@PLOTS.command("plot", role=Role.VIEWER, examples=("/plot", "/plot 4f2a", "/plot baseline loss accuracy"))
async def plot(context: Context, experiment: ExperimentReference = "", metrics: Words = ()) -> Reply:
    """Draw what a run reported over its iterations.

    Args:
        experiment: Id, beginning of an id, name, web link or "last"; nothing for the current one.
        metrics: Only what has one of these words in its name, as loss/train; nothing for all.
    """
    shown, drawn = await context.services.plots.plot(experiment, metrics)
    if not drawn.png and not drawn.single_values:
        return Reply.of(f"“{shown.name}” has reported no scalars.", about=shown.id)
    next_ones = [Word(shown.id), *(Word(name, quoted=True) for name in drawn.left_out[:_MOST_ASKED_FOR])]
    return Reply.of(
        _picture(f"plot-{shown.short_id}.png", drawn),
        _single_values(drawn.single_values),
        _left_out(drawn.left_out, f"/plot {shown.short_id} <name>"),
        Buttons((Button("Draw the next", f"/plot {join_words(next_ones)}"),)) if drawn.left_out else None,
        about=shown.id,
    )


@PLOTS.command("compare", role=Role.VIEWER, examples=("/compare 4f2a 81c0", "/compare baseline last metric=loss"))
async def compare(context: Context, experiments: ExperimentWords, *, metric: PlainWord = "") -> Reply:
    """Draw the same scalars of 2 to 6 experiments together, and list the parameters that differ.

    Args:
        experiments: Ids, names or web links, one after the other.
        metric: Only what has this in its name; several with commas between.
    """
    wanted = [word for word in metric.split(",") if word]
    comparison = await context.services.plots.compare(experiments, wanted)
    return Reply.of(
        _picture("compare.png", comparison.plot) or "None of them has reported scalars.",
        _left_out(comparison.plot.left_out, "/compare … metric=<name>"),
        _parameters(comparison) or "All their parameters are the same.",
    )


def _picture(name: str, plot: Plot) -> Picture | None:
    return Picture(name, plot.png, _caption(plot.lines)) if plot.png else None


def _caption(lines: Sequence[LineSummary]) -> str:
    """The lines in words, as many as there is room for."""
    told: list[str] = []
    for line in lines:
        sentence = _sentence(line)
        if sum(map(len, told)) + len(told) + len(sentence) > _LONGEST_CAPTION:
            break
        told.append(sentence)
    more = len(lines) - len(told)
    return "\n".join([*told, f"… and {more} more"] if more else told)


def _sentence(line: LineSummary) -> str:
    if line.lowest is None or line.highest is None:
        return f"{shortened(line.name)}: no finite values"
    return (
        f"{shortened(line.name)}: last {_number(line.last)}, "
        f"lowest {_number(line.lowest)}, highest {_number(line.highest)}"
    )


def _single_values(values: Sequence[Metric]) -> Fields | None:
    """What was reported once for the whole run."""
    return Fields(tuple((item.name, _number(item.value)) for item in values)) if values else None


def _left_out(names: Sequence[str], how: str) -> Text | None:
    if not names:
        return None
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return Text(f"Not drawn: {', '.join(names[:_MOST_NAMED])}{more}. Ask with {how}.", Tone.QUIET)


def _parameters(comparison: Comparison) -> Table | None:
    if not comparison.parameters:
        return None
    return Table(
        ("parameter", *comparison.labels),
        tuple((item.name, *map(shown_value, item.values)) for item in comparison.parameters),
    )


def _number(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else "not a number" if math.isnan(value) else "infinite"
