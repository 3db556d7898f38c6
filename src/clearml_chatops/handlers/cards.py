"""The card of an experiment."""

from datetime import datetime

from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.wording import ago, shown_wait, span
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.queues import PlaceInQueue
from clearml_chatops.models.replies import Block, Button, Buttons, Fields, Reply, Text, Tone

_MOST_METRICS = 4
_TONES = {
    Status.COMPLETED: Tone.SUCCESS,
    Status.FAILED: Tone.FAILURE,
    Status.ABORTED: Tone.WARNING,
}


def experiment_card(
    experiment: Experiment, *, now: datetime, web_link: str, place: PlaceInQueue | None = None
) -> Reply:
    """What one wants to know of an experiment at a glance, and what one may do with it next.

    `place` is where it waits, if it does and that is known.
    """
    return Reply.of(
        Text(experiment.name, Tone.HEADING),
        Text(_status(experiment), _TONES.get(experiment.status, Tone.PLAIN)),
        Fields(
            tuple(
                (label, value)
                for label, value in (
                    ("waits", _waits(place) if experiment.status is Status.PENDING else ""),
                    *_card_fields(experiment, now),
                    ("web", web_link),
                )
                if value
            )
        ),
        Buttons(_card_buttons(experiment)),
        about=experiment.id,
    ).as_card()


async def card_of(context: Context, experiment: Experiment, place: PlaceInQueue | None = None) -> Reply:
    """The card of an experiment that was just read, or made.

    No request to ClearML, but for one that waits where `place` is not given.
    """
    if place is None and experiment.status is Status.PENDING:
        place = await context.services.cards.place_of(experiment)
    link = await context.services.experiments.web_link(experiment)
    return experiment_card(experiment, now=context.clock(), web_link=link, place=place)


def introduced_card(sentence: Text | str, *more: Block | None, card: Reply) -> Reply:
    """A card below what has just become of its experiment."""
    return Reply.of(sentence, *more, *card.blocks, about=card.experiment_id).as_card()


def superseded_card(experiment: Experiment) -> Reply:
    """What is left of a card when a newer one of the same experiment stands further down."""
    return Reply.of(
        Text(f"“{experiment.name}”: its card is further down.", Tone.QUIET),
        about=experiment.id,
    )


def deleted_card(experiment_id: str) -> Reply:
    """What is left of the card of an experiment that ClearML no longer has."""
    return Reply.of(Text("This experiment was deleted in ClearML.", Tone.QUIET), about=experiment_id)


def _status(experiment: Experiment) -> str:
    word = experiment.status.word
    return f"{word}: its environment is being set up" if experiment.is_setting_up else word


def _waits(place: PlaceInQueue | None) -> str:
    if place is None:
        return ""
    where = f"{place.number} of {place.waiting} in" if place.number else "in"
    how_long = f", {shown_wait(place.wait)}" if place.wait else ""
    return f"{where} {place.queue_name}{how_long}"


def _card_fields(experiment: Experiment, now: datetime) -> list[tuple[str, str]]:
    running_time = experiment.running_time(now)
    container = experiment.container
    return [
        ("id", experiment.id),
        ("project", experiment.project_name),
        ("owner", experiment.user_name),
        ("changed", ago(experiment.status_changed, now)),
        ("reason", experiment.status_reason if experiment.status in {Status.FAILED, Status.ABORTED} else ""),
        ("tags", ", ".join(experiment.tags)),
        ("worker", experiment.worker_id if running_time is not None else ""),
        ("running time", span(running_time) if running_time is not None else ""),
        ("iteration", str(experiment.last_iteration or "")),
        *(
            (f"{metric.metric}/{metric.variant}", f"{metric.value:.6g}")
            for metric in experiment.metrics[:_MOST_METRICS]
        ),
        ("image", container.image),
        ("container arguments", container.arguments),
        ("setup script", container.setup_shell_script),
        ("code", _code(experiment)),
        ("parameters", f"{len(experiment.parameters)} (see /params)" if experiment.parameters else ""),
    ]


def _code(experiment: Experiment) -> str:
    script = experiment.script
    at = " ".join(part for part in (script.branch, script.commit[:8]) if part)
    return " ".join(part for part in (script.repository, at, script.entry_point) if part)


def _card_buttons(experiment: Experiment) -> tuple[Button, ...]:
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
            over = (clone, log, plot, Button("Parameters", f"/params id={experiment.id}"))
            failed = experiment.status in {Status.FAILED, Status.ABORTED}
            return (*over, Button("Retry", f"/retry {experiment.id}")) if failed else over
