"""What people want when they type a verb that isn't a command, as data.

To add a verb, add it to a row. A new row needs words, a short answer, and the commands that it offers, the
likeliest first. Nothing here runs a command: each offer is a button.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offer:
    label: str
    command: str


@dataclass(frozen=True, slots=True)
class Intent:
    """One row. `carries_rest` is whether what follows the verb belongs to the command."""

    words: frozenset[str]
    answer: str
    offers: tuple[Offer, ...]
    carries_rest: bool = True


def _row(words: str, answer: str, *offers: tuple[str, str], carries_rest: bool = True) -> Intent:
    return Intent(frozenset(words.split()), answer, tuple(Offer(*offer) for offer in offers), carries_rest)


INTENTS = (
    _row(
        "hello hi hey hallo howdy greetings morning evening",
        "Hello! The bot runs your ClearML experiments.",
        *(("Find experiments", "find"), ("Home", "home"), ("Help", "help")),
        carries_rest=False,
    ),
    _row(
        "thanks thank thx ty cheers great nice cool ok okay",
        "You're welcome.",
        *(("Home", "home"), ("Find experiments", "find"), ("Show queue", "queue")),
        carries_rest=False,
    ),
    _row(
        "commands command usage manual docs menu options",
        "The bot answers commands.",
        *(("Help", "help"), ("First steps", "start"), ("Home", "home")),
        carries_rest=False,
    ),
    _row(
        "status state progress stats info details detail describe view display open get inspect look",
        "Experiments, queues and workers each have their own overview.",
        *(("Show experiment", "show"), ("Home", "home"), ("Show queue", "queue"), ("Show workers", "worker")),
    ),
    _row(
        "running active happening going current",
        "Your queue, runs and workers are on one page.",
        *(("Home", "home"), ("Find experiments", "find"), ("Show workers", "worker")),
    ),
    _row(
        "list ls dir all search lookup tasks task experiments experiment runs jobs job models projects",
        "Experiments, queues and workers each have their own list.",
        *(("Find experiments", "find"), ("List queues", "queue list"), ("List workers", "worker list")),
    ),
    _row(
        "run start launch train training execute exec submit begin schedule",
        "To train, clone an experiment, change the clone and enqueue it.",
        *(("Clone", "clone"), ("Enqueue", "enqueue"), ("Rerun", "rerun"), ("Start worker", "worker start")),
    ),
    _row(
        "stop kill cancel terminate end quit interrupt halt finish shutdown",
        "To end a run, abort it. To take it out of its queue, dequeue it.",
        *(("Abort", "abort"), ("Stop worker", "worker stop"), ("Dequeue", "dequeue")),
    ),
    _row(
        "delete remove rm del erase drop destroy discard purge trash clear hide",
        "Experiments aren't deleted here, but you can archive them.",
        *(("Archive", "archive"), ("Dequeue", "dequeue"), ("Delete queue", "queue delete")),
        *(("Unset parameter", "unset"), ("Stop worker", "worker stop"), ("Remove alert", "alert off")),
    ),
    _row(
        "queues queued waiting pending lines backlog",
        "See your queue, or all of them.",
        *(("Show queue", "queue"), ("List queues", "queue list"), ("Create queue", "queue create")),
    ),
    _row(
        "workers agents agent nodes node machines machine hosts host servers server daemon",
        "See your workers, or all of them.",
        *(("Show workers", "worker"), ("List workers", "worker list"), ("Start worker", "worker start")),
    ),
    _row(
        "gpu nvidia smi nvidia-smi vram cuda free available busy",
        "See who uses the GPUs, or get notified when one is free.",
        *(("Show GPUs", "gpus"), ("Watch GPUs", "gpus watch"), ("Start worker", "worker start")),
    ),
    _row(
        "metrics metric scalars scalar curve curves chart charts graph graphs accuracy loss results tensorboard",
        "Plot the metrics of a run.",
        *(("Plot metrics", "plot"), ("Compare", "compare"), ("Show experiment", "show")),
    ),
    _row(
        "logs console output stdout stderr tail cat print",
        "Experiments and workers each have a log.",
        *(("Show log", "log"), ("Show worker's log", "worker log"), ("Show experiment", "show")),
    ),
    _row(
        "why fail failed fails failing failure crash crashed error errors traceback broken wrong debug",
        "The log usually shows the cause.",
        *(("Show log", "log"), ("Check experiment", "check"), ("Retry", "retry")),
    ),
    _row(
        "parameters parameter hyperparameters hparams config configuration args arguments settings values",
        "Look at the parameters, or change them in a Draft.",
        *(("Show parameters", "params"), ("Set parameters", "set"), ("Show differences", "diff")),
    ),
    _row(
        "change edit modify update adjust override put",
        "A Draft can be changed: its parameters, its container and its code.",
        *(("Set parameters", "set"), ("Change container", "container"), ("Change code", "script")),
        ("Restart worker", "worker restart"),
    ),
    _row(
        "restart again repeat redo resume continue resubmit requeue relaunch reload",
        "Retry an experiment unchanged, or rerun a changed clone.",
        *(("Retry", "retry"), ("Rerun", "rerun"), ("Restart worker", "worker restart"), ("Reset", "reset")),
    ),
    _row(
        "create new add make",
        "Clone an experiment to get a new one. Queues are created.",
        *(("Clone", "clone"), ("Create queue", "queue create"), ("Start worker", "worker start")),
        ("Add alert", "alert metric"),
    ),
    _row(
        "copy duplicate fork cp",
        "A clone is a copy that you can change.",
        *(("Clone", "clone"), ("Rerun", "rerun")),
    ),
    _row(
        "notify notifications notification subscribe follow inform ping remind alarm message",
        "Get notified when an experiment starts and ends, or about its metrics and log.",
        *(("Watch", "watch"), ("Show watch list", "watching"), ("Show alerts", "alert")),
    ),
    _row(
        "unsubscribe unfollow silence snooze pause shush spam ignore",
        "Pause notifications, or turn them off for one experiment.",
        *(("Mute", "mute"), ("Unwatch", "unwatch"), ("Quiet hours", "quiet")),
    ),
    _row(
        "rename mv title",
        "Experiments and queues can be renamed.",
        *(("Rename experiment", "name"), ("Rename queue", "queue rename"), ("Show experiment", "show")),
    ),
    _row(
        "move priority prioritize first next front urgent faster bump",
        "Change the order of a queue, or enqueue at its front.",
        *(("Move in queue", "queue move"), ("Enqueue", "enqueue"), ("Show queue", "queue")),
    ),
    _row(
        "when eta long soon",
        "The queue shows about how long each experiment waits.",
        *(("Show queue", "queue"), ("Show experiment", "show"), ("Watch", "watch")),
    ),
    _row(
        "docker image env environment mount mounts volume volumes",
        "An experiment has a container, and so can a worker.",
        *(("Show container", "container"), ("Start worker", "worker start"), ("Show experiment", "show")),
    ),
    _row(
        "code git branch commit repo repository source version",
        "See or change the code that an experiment runs.",
        *(("Show code", "script"), ("Show differences", "diff"), ("Show experiment", "show")),
    ),
    _row(
        "difference differences vs versus changes",
        "Compare an experiment with its parent, or several with each other.",
        *(("Show differences", "diff"), ("Compare", "compare")),
    ),
    _row(
        "label labels tags",
        "Tags are words on an experiment.",
        *(("Tag", "tag"), ("Find experiments", "find")),
    ),
    _row(
        "account profile user users login me role permission permissions",
        "See your account, or link another one.",
        *(("Show account", "whoami"), ("Link account", "link"), ("Home", "home")),
        carries_rest=False,
    ),
)

ENDING_COMMANDS = frozenset(
    ("abort", "archive", "dequeue", "reset", "unset", "queue delete", "worker stop", "worker drain", "alert off")
)
"""The commands that end, delete or take something away. They are offered last where the meaning is open."""
