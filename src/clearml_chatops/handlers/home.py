"""The welcome, and an overview of what belongs to a person."""

from clearml_chatops.handlers.arguments import SingleWord
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.formatting import NO_VALUE, format_count, format_time_ago
from clearml_chatops.handlers.gpus import format_gpu_state
from clearml_chatops.handlers.links import build_linked_reply
from clearml_chatops.handlers.queues import build_entries_table
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Block, Button, Buttons, Fields, Reply, Table, Text, Tone
from clearml_chatops.services.people.home import Home
from clearml_chatops.services.workers.worker_ids import parse_worker_gpus

HOME = CommandFamily("Home")
_PLATFORM_NAMES = {"slack": "Slack", "telegram": "Telegram"}
_FIRST_STEPS = (
    Button("Find experiments", "/find"),
    Button("Clone…", "/clone"),
    Button("Edit parameters…", "/set"),
    Button("Enqueue", "/enqueue"),
    Button("Home", "/home"),
    Button("Help", "/help"),
)
_SHORTCUTS = (
    Button("Find experiments", "/find"),
    Button("Clone…", "/clone"),
    Button("Show queue", "/queue"),
    Button("Show workers", "/worker"),
    Button("Show watch list", "/watching"),
    Button("Show account", "/whoami"),
    Button("Help", "/help"),
    Button("Refresh", "/home", in_place=True),
)


@HOME.command("start", role=Role.VIEWER, examples=("/start",), takes_secret=True)
async def start(context: Context, code: SingleWord = "") -> Reply:
    """Start here: what the bot does, and your first steps.

    Args:
        code: A code from /link on another platform, to link this account.
    """
    if code:
        return build_linked_reply(await context.services.links.redeem_code(code, context.message.sender))
    return Reply.of(
        Text("Welcome", Tone.HEADING),
        "Clone, change and run ClearML experiments here, and get notified when they start and how they end.",
        "Find an experiment, clone it, change its parameters, and enqueue the clone:",
        _build_allowed_buttons(context, _FIRST_STEPS),
    )


@HOME.command("home", role=Role.VIEWER, examples=("/home",))
async def home(context: Context) -> Reply:
    """Show your queue, runs, workers and account, and the bot's GPUs."""
    overview = await context.services.home.load_home()
    return Reply.of(
        _build_account_fields(overview),
        *_build_queue_blocks(context, overview),
        *_build_run_blocks(context, overview),
        *_build_gpu_blocks(overview),
        _build_allowed_buttons(context, _SHORTCUTS),
    )


def _build_account_fields(overview: Home) -> Fields:
    account = overview.account
    platforms = dict.fromkeys(identity.platform for identity in overview.identities)
    return Fields(
        (
            ("you", f"{account.person.name}, {account.person.role.label}"),
            ("ClearML user", account.clearml_name),
            ("queue", account.queue.queue_name if account.queue else "none yet (create one with /queue create)"),
            ("linked on", ", ".join(_PLATFORM_NAMES.get(item, item) for item in platforms)),
        )
    )


def _build_queue_blocks(context: Context, overview: Home) -> list[Block | None]:
    queue = overview.queue
    if queue is None:
        was_deleted = overview.account.queue is not None
        return (
            [Text("Your queue was deleted. Create a new one with /queue create.", Tone.WARNING)]
            if was_deleted
            else []
        )
    workers = tuple(
        (item.id, parse_worker_gpus(item.id) or NO_VALUE, item.experiment_name or "idle")
        for item in overview.workers
    )
    return [
        Text(f"{queue.name}: {format_count(len(queue.entries), 'experiment')} waiting", Tone.HEADING),
        build_entries_table(context, queue),
        Table(("worker", "GPUs", "running"), workers)
        if workers
        else Text("No worker listens on it. Start one with /worker start.", Tone.WARNING),
    ]


def _build_run_blocks(context: Context, overview: Home) -> list[Block]:
    runs = (*overview.active, *overview.finished)
    if not runs:
        return [Text("You have no runs yet.", Tone.SUBTLE)]
    return [
        Text("Runs", Tone.HEADING),
        Table(("id", "name", "status", "changed"), tuple(_build_row(context, item) for item in runs)),
        Buttons(tuple(Button(item.name, f"/show {item.id}") for item in runs)),
    ]


def _build_gpu_blocks(overview: Home) -> list[Block]:
    if not overview.gpus:
        return []
    states = tuple((f"GPU {use.gpu.index}", format_gpu_state(use)) for use in overview.gpus)
    return [Text("GPUs", Tone.HEADING), Fields(states)]


def _build_row(context: Context, item: Experiment) -> tuple[str, ...]:
    return (item.short_id, item.name, item.status.label, format_time_ago(item.status_changed, context.clock()))


def _build_allowed_buttons(context: Context, buttons: tuple[Button, ...]) -> Buttons:
    """Return those of the buttons that the person is allowed to use."""
    found = {button: context.registry.get(button.command) for button in buttons}
    return Buttons(tuple(button for button, item in found.items() if item and item.role <= context.person.role))
