"""The card of an experiment: the message that shows it and is edited whenever it changes."""

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
    experiment: Experiment, *, now: datetime, web_link: str, position: QueuePosition | None = None
) -> Reply:
    """Return an experiment's card: name, status, what matters about it, and buttons for the next step.

    `position` is where a Pending experiment waits, if known.
    """
    status = experiment.status.label
    return Reply.of(
        Text(experiment.name, Tone.HEADING),
        Text(
            f"{status}, setting up its environment" if experiment.is_setting_up else status,
            _TONES.get(experiment.status, Tone.PLAIN),
        ),
        Fields(
            tuple(
                (label, value)
                for label, value in (
                    ("queue", _format_queue_position(position) if experiment.status is Status.PENDING else ""),
                    *_list_fields(experiment, now),
                )
                if value
            )
        ),
        Buttons(_list_buttons(experiment), (Link("Open in ClearML", web_link),) if web_link else ()),
        experiment_id=experiment.id,
    ).as_card()


async def load_card(context: Context, experiment: Experiment, position: QueuePosition | None = None) -> Reply:
    """Return the card of an experiment that was just read or created.

    Sends a request to ClearML only if the experiment is Pending and `position` is not given.
    """
    if position is None and experiment.status is Status.PENDING:
        position = await context.services.cards.find_queue_position(experiment)
    link = await context.services.experiments.get_web_link(experiment)
    return build_experiment_card(experiment, now=context.clock(), web_link=link, position=position)


def build_card_with_intro(sentence: Text | str, *more: Block | None, card: Reply) -> Reply:
    """Return a card below a sentence that says what happened, and below other blocks."""
    return Reply.of(sentence, *more, *card.blocks, experiment_id=card.experiment_id).as_card()


def build_superseded_card(experiment: Experiment) -> Reply:
    """Return the text that replaces a card when a newer card of the same experiment is below it."""
    return Reply.of(
        Text(f"See the newer card of “{experiment.name}” below.", Tone.SUBTLE),
        experiment_id=experiment.id,
    )


def build_deleted_card(experiment_id: str) -> Reply:
    """Return the text that replaces the card of an experiment that was deleted in ClearML."""
    return Reply.of(Text("This experiment was deleted in ClearML.", Tone.SUBTLE), experiment_id=experiment_id)


def _format_queue_position(position: QueuePosition | None) -> str:
    if position is None:
        return ""
    numbers = f"{position.number} of {position.waiting_count} in " if position.number else ""
    wait = f", {format_wait(position.wait_estimate)}" if position.wait_estimate else ""
    return f"{numbers}{position.queue_name}{wait}"


def _list_fields(experiment: Experiment, now: datetime) -> list[tuple[str, str]]:
    running_time = experiment.compute_running_time(now)
    container = experiment.container
    return [
        ("reason", experiment.status_reason if experiment.status in {Status.FAILED, Status.ABORTED} else ""),
        ("running time", format_duration(running_time) if running_time is not None else ""),
        ("iteration", str(experiment.last_iteration or "")),
        *(
            (f"{metric.metric}/{metric.variant}", f"{metric.value:.6g}")
            for metric in experiment.metrics[:_MAX_METRICS]
        ),
        ("worker", experiment.worker_id if running_time is not None else ""),
        ("changed", format_time_ago(experiment.status_changed, now)),
        ("owner", experiment.user_name),
        ("project", experiment.project_name),
        ("tags", ", ".join(experiment.tags)),
        ("id", experiment.short_id),
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
    log = Button("Show log", f"/log {experiment.id}")
    plot = Button("Plot", f"/plot {experiment.id}")
    match experiment.status:
        case Status.DRAFT:
            return (
                Button("Edit parameters…", f"/set {experiment.id}"),
                Button("Enqueue", f"/enqueue {experiment.id}"),
                Button("Edit container…", f"/container {experiment.id}"),
                Button("Show diff", f"/diff id={experiment.id}"),
                clone,
            )
        case Status.PENDING:
            return (Button("Dequeue", f"/dequeue {experiment.id}"), Button("Show queue", "/queue"), clone)
        case Status.RUNNING:
            return (
                log,
                plot,
                Button("Abort", f"/abort {experiment.id}"),
                Button("Watch", f"/watch {experiment.id}"),
            )
        case _:
            parameters = Button("Show parameters", f"/params id={experiment.id}")
            if experiment.status in {Status.FAILED, Status.ABORTED}:
                return (log, Button("Retry", f"/retry {experiment.id}"), clone, plot, parameters)
            return (plot, log, clone, parameters)
