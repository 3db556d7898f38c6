"""The card of an experiment."""

from datetime import datetime

from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.formatting import format_duration, format_time_ago, format_wait
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.queues import QueuePosition
from clearml_chatops.models.replies import Block, Button, Buttons, Fields, Link, Reply, Text, Tone

_MAX_METRICS = 4
_TONES = {
    Status.COMPLETED: Tone.SUCCESS,
    Status.FAILED: Tone.FAILURE,
    Status.ABORTED: Tone.WARNING,
}


def build_experiment_card(
    experiment: Experiment, *, now: datetime, web_link: str, place: QueuePosition | None = None
) -> Reply:
    """What one wants to know of an experiment at a glance, and what one may do with it next.

    `place` is where it waits, if it does and that is known.
    """
    return Reply.of(
        Text(experiment.name, Tone.HEADING),
        Text(_format_status(experiment), _TONES.get(experiment.status, Tone.PLAIN)),
        Fields(
            tuple(
                (label, value)
                for label, value in (
                    ("waits", _format_queue_place(place) if experiment.status is Status.PENDING else ""),
                    *_list_fields(experiment, now),
                )
                if value
            )
        ),
        Buttons(_list_buttons(experiment), (Link("Open in ClearML", web_link),) if web_link else ()),
        experiment_id=experiment.id,
    ).as_card()


async def load_card(context: Context, experiment: Experiment, place: QueuePosition | None = None) -> Reply:
    """The card of an experiment that was just read, or made.

    No request to ClearML, but for one that waits where `place` is not given.
    """
    if place is None and experiment.status is Status.PENDING:
        place = await context.services.cards.find_queue_position(experiment)
    link = await context.services.experiments.get_web_link(experiment)
    return build_experiment_card(experiment, now=context.clock(), web_link=link, place=place)


def build_card_with_intro(sentence: Text | str, *more: Block | None, card: Reply) -> Reply:
    """A card below what has just become of its experiment."""
    return Reply.of(sentence, *more, *card.blocks, experiment_id=card.experiment_id).as_card()


def build_superseded_card(experiment: Experiment) -> Reply:
    """What is left of a card when a newer one of the same experiment stands further down."""
    return Reply.of(
        Text(f"“{experiment.name}”: its card is further down.", Tone.SUBTLE),
        experiment_id=experiment.id,
    )


def build_deleted_card(experiment_id: str) -> Reply:
    """What is left of the card of an experiment that ClearML no longer has."""
    return Reply.of(Text("This experiment was deleted in ClearML.", Tone.SUBTLE), experiment_id=experiment_id)


def _format_status(experiment: Experiment) -> str:
    word = experiment.status.label
    return f"{word}: its environment is being set up" if experiment.is_setting_up else word


def _format_queue_place(place: QueuePosition | None) -> str:
    if place is None:
        return ""
    position = f"{place.number} of {place.waiting_count} in" if place.number else "in"
    how_long = f", {format_wait(place.wait_estimate)}" if place.wait_estimate else ""
    return f"{position} {place.queue_name}{how_long}"


def _list_fields(experiment: Experiment, now: datetime) -> list[tuple[str, str]]:
    running_time = experiment.compute_running_time(now)
    container = experiment.container
    return [
        ("id", experiment.id),
        ("project", experiment.project_name),
        ("owner", experiment.user_name),
        ("changed", format_time_ago(experiment.status_changed, now)),
        ("reason", experiment.status_reason if experiment.status in {Status.FAILED, Status.ABORTED} else ""),
        ("tags", ", ".join(experiment.tags)),
        ("worker", experiment.worker_id if running_time is not None else ""),
        ("running time", format_duration(running_time) if running_time is not None else ""),
        ("iteration", str(experiment.last_iteration or "")),
        *(
            (f"{metric.metric}/{metric.variant}", f"{metric.value:.6g}")
            for metric in experiment.metrics[:_MAX_METRICS]
        ),
        ("image", container.image),
        ("container arguments", container.arguments),
        ("setup script", container.setup_shell_script),
        ("code", _format_code(experiment)),
        ("parameters", f"{len(experiment.parameters)} (see /params)" if experiment.parameters else ""),
    ]


def _format_code(experiment: Experiment) -> str:
    script = experiment.script
    version = " ".join(part for part in (script.branch, script.commit[:8]) if part)
    return " ".join(part for part in (script.repository, version, script.entry_point) if part)


def _list_buttons(experiment: Experiment) -> tuple[Button, ...]:
    clone = Button("Clone", f"/clone {experiment.id}")
    log = Button("Log", f"/log {experiment.id}")
    plot = Button("Plot", f"/plot {experiment.id}")
    match experiment.status:
        case Status.DRAFT:
            return (
                Button("Set…", f"/set {experiment.id}"),
                Button("Container…", f"/container {experiment.id}"),
                Button("Enqueue", f"/enqueue {experiment.id}"),
                Button("Diff", f"/diff id={experiment.id}"),
                clone,
            )
        case Status.PENDING:
            return (Button("Dequeue", f"/dequeue {experiment.id}"), Button("Queue", "/queue"), clone)
        case Status.RUNNING:
            return (
                log,
                plot,
                Button("Abort", f"/abort {experiment.id}"),
                Button("Watch", f"/watch {experiment.id}"),
            )
        case _:
            finished_buttons = (clone, log, plot, Button("Parameters", f"/params id={experiment.id}"))
            failed = experiment.status in {Status.FAILED, Status.ABORTED}
            return (*finished_buttons, Button("Retry", f"/retry {experiment.id}")) if failed else finished_buttons
