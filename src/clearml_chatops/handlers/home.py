"""Where one begins: the welcome, and all that is one's own at a glance."""

from clearml_chatops.handlers.arguments import PlainWord
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.gpus import state_of_card
from clearml_chatops.handlers.links import linked_reply
from clearml_chatops.handlers.queues import entries_table
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.wording import NOTHING, ago, count
from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Block, Button, Buttons, Fields, Reply, Table, Text, Tone
from clearml_chatops.services.people.home import Home
from clearml_chatops.services.workers.worker_ids import cards_named_in

HOME = CommandFamily("Home")
_STEPS = (
    Button("Find", "/find"),
    Button("Clone…", "/clone"),
    Button("Set…", "/set"),
    Button("Enqueue", "/enqueue"),
    Button("Home", "/home"),
    Button("Help", "/help"),
)
_DOORS = (
    Button("Find", "/find"),
    Button("Clone…", "/clone"),
    Button("Queue", "/queue"),
    Button("Workers", "/worker"),
    Button("Watching", "/watching"),
    Button("Who am I", "/whoami"),
    Button("Help", "/help"),
    Button("Refresh", "/home", in_place=True),
)


@HOME.command("start", role=Role.VIEWER, examples=("/start",), takes_secret=True)
async def start(context: Context, code: PlainWord = "") -> Reply:
    """Begin here: what the bot is for, and the first steps.

    Args:
        code: A code that /link made on another platform, to be known here too.
    """
    if code:
        return linked_reply(await context.services.links.use_code(code, context.message.sender))
    return Reply.of(
        Text("Welcome", Tone.HEADING),
        "I clone, change and run ClearML experiments, and tell you when yours start and how they end.",
        "Find an experiment, clone it, set what shall be otherwise, and enqueue the copy:",
        _allowed(context, _STEPS),
    )


@HOME.command("home", role=Role.VIEWER, examples=("/home",))
async def home(context: Context) -> Reply:
    """Show your queue, your runs, your workers, the GPUs and who you are."""
    shown = await context.services.home.home()
    return Reply.of(
        _about_me(shown),
        *_queue_blocks(context, shown),
        *_run_blocks(context, shown),
        *_gpu_blocks(shown),
        _allowed(context, _DOORS),
    )


def _about_me(shown: Home) -> Fields:
    account = shown.account
    platforms = dict.fromkeys(identity.platform for identity in shown.identities)
    return Fields(
        (
            ("you", f"{account.person.name}, {account.person.role.word}"),
            ("ClearML user", account.clearml_name),
            ("queue", account.queue.queue_name if account.queue else "none yet; /queue create makes one"),
            ("known on", ", ".join(platforms)),
        )
    )


def _queue_blocks(context: Context, shown: Home) -> list[Block | None]:
    queue = shown.queue
    if queue is None:
        was_deleted = shown.account.queue is not None
        return [Text("Your queue was deleted; /queue create makes another.", Tone.WARNING)] if was_deleted else []
    workers = tuple(
        (item.id, cards_named_in(item.id) or NOTHING, item.experiment_name or "idle") for item in shown.workers
    )
    return [
        Text(f"{queue.name}: {count(len(queue.entries), 'experiment')} waiting", Tone.HEADING),
        entries_table(context, queue),
        Table(("worker", "cards", "runs"), workers)
        if workers
        else Text("No worker listens on it; /worker start makes one.", Tone.WARNING),
    ]


def _run_blocks(context: Context, shown: Home) -> list[Block]:
    runs = (*shown.active, *shown.finished)
    if not runs:
        return [Text("You have no runs yet.", Tone.QUIET)]
    return [
        Text("Runs", Tone.HEADING),
        Table(("id", "name", "status", "changed"), tuple(_row(context, item) for item in runs)),
        Buttons(tuple(Button(item.name, f"/show {item.id}") for item in runs)),
    ]


def _gpu_blocks(shown: Home) -> list[Block]:
    if not shown.gpus:
        return []
    states = tuple((f"card {use.gpu.index}", state_of_card(use)) for use in shown.gpus)
    return [Text("GPUs", Tone.HEADING), Fields(states)]


def _row(context: Context, item: Experiment) -> tuple[str, ...]:
    return (item.short_id, item.name, item.status.word, ago(item.status_changed, context.clock()))


def _allowed(context: Context, buttons: tuple[Button, ...]) -> Buttons:
    """The buttons that the person may press."""
    found = {button: context.registry.get(button.command) for button in buttons}
    return Buttons(tuple(button for button, item in found.items() if item and item.role <= context.person.role))
