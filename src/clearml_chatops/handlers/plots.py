"""Commands that plot the metrics of experiments."""

import math
from collections.abc import Sequence

from clearml_chatops.handlers.arguments import ExperimentReference, ExperimentWords, SingleWord, Words
from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.formatting import format_value, shortened
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.models.experiments import Metric
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Buttons, Fields, Picture, Reply, Table, Text, Tone
from clearml_chatops.models.scalars import CurveSummary
from clearml_chatops.services.experiments.plots import Comparison, Plot

PLOTS = CommandFamily("Plots")
_MAX_CAPTION_LENGTH = 900
"""Characters; Telegram allows 1024 in a caption."""

_MAX_NAMES = 12
_MAX_BUTTON_METRICS = 40
"""Metrics that one button names in its command line."""


@PLOTS.command("plot", role=Role.VIEWER, examples=("/plot", "/plot 4f2a", "/plot baseline loss accuracy"))
async def plot(context: Context, experiment: ExperimentReference = "", metrics: Words = ()) -> Reply:
    """Plot a run's metrics.

    Args:
        experiment: Id, start of an id, name, web link or "last". Default: the current one.
        metrics: Only metrics with one of these words in their name, like loss/train. Default: all.
    """
    found, drawn = await context.services.plots.plot(experiment, metrics)
    if not drawn.png and not drawn.single_values:
        return Reply.of(f"“{found.name}” hasn't reported any metrics.", experiment_id=found.id)
    next_words = [Word(found.id), *(Word(name, quoted=True) for name in drawn.omitted[:_MAX_BUTTON_METRICS])]
    return Reply.of(
        _build_picture(f"plot-{found.short_id}.png", drawn),
        _build_single_values(drawn.single_values),
        _build_omitted_text(drawn.omitted, f"/plot {found.short_id} <name>"),
        Buttons((Button("Plot more", f"/plot {join_words(next_words)}"),)) if drawn.omitted else None,
        experiment_id=found.id,
    )


@PLOTS.command("compare", role=Role.VIEWER, examples=("/compare 4f2a 81c0", "/compare baseline last metric=loss"))
async def compare(context: Context, experiments: ExperimentWords, *, metric: SingleWord = "") -> Reply:
    """Plot the metrics of 2 to 6 experiments together, and list the parameters that differ.

    Args:
        experiments: Ids, names or web links, with spaces between them.
        metric: Only metrics with this in their name; separate several with commas.
    """
    metrics = [word for word in metric.split(",") if word]
    comparison = await context.services.plots.compare(experiments, metrics)
    return Reply.of(
        _build_picture("compare.png", comparison.plot) or "None of them has reported any metrics.",
        _build_omitted_text(comparison.plot.omitted, "/compare … metric=<name>"),
        _build_parameters_table(comparison) or "Their parameters don't differ.",
    )


def _build_picture(name: str, plot: Plot) -> Picture | None:
    return Picture(name, plot.png, _format_caption(plot.lines)) if plot.png else None


def _format_caption(lines: Sequence[CurveSummary]) -> str:
    """Describe the curves in words, as many as fit into a caption."""
    sentences: list[str] = []
    for line in lines:
        sentence = _format_line_summary(line)
        if sum(map(len, sentences)) + len(sentences) + len(sentence) > _MAX_CAPTION_LENGTH:
            break
        sentences.append(sentence)
    more = len(lines) - len(sentences)
    return "\n".join([*sentences, f"… and {more} more"] if more else sentences)


def _format_line_summary(line: CurveSummary) -> str:
    if line.lowest is None or line.highest is None:
        return f"{shortened(line.name)}: no finite values"
    return (
        f"{shortened(line.name)}: last {_format_number(line.last)}, "
        f"lowest {_format_number(line.lowest)}, highest {_format_number(line.highest)}"
    )


def _build_single_values(values: Sequence[Metric]) -> Fields | None:
    """Return the values that were reported once for the whole run."""
    return Fields(tuple((item.name, _format_number(item.value)) for item in values)) if values else None


def _build_omitted_text(names: Sequence[str], command: str) -> Text | None:
    if not names:
        return None
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return Text(f"Not plotted: {', '.join(names[:_MAX_NAMES])}{more}. Plot them with {command}.", Tone.SUBTLE)


def _build_parameters_table(comparison: Comparison) -> Table | None:
    if not comparison.parameters:
        return None
    return Table(
        ("parameter", *comparison.labels),
        tuple((item.name, *map(format_value, item.values)) for item in comparison.parameters),
    )


def _format_number(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else "not a number" if math.isnan(value) else "infinite"
