"""Dialogs as tables of lines and expected answers, which run unchanged on every front end."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from clearml_chatops.models.replies import Outcome


@dataclass(frozen=True)
class Turn:
    """A line, parts that its answer must contain, and the expected outcome."""

    line: str
    expected_parts: tuple[str, ...] = ()
    outcome: Outcome = Outcome.DONE


@dataclass(frozen=True)
class Answer:
    """An answer. Chat platforms show only the text, not the outcome."""

    text: str
    outcome: Outcome | None = None


SendLine = Callable[[str], Awaitable[Answer]]


async def verify_dialog(send: SendLine, turns: Sequence[Turn]) -> None:
    """Send line after line. Fail at the first answer that differs from the table."""
    for turn in turns:
        answer = await send(turn.line)
        assert answer.outcome in {None, turn.outcome}, f"{turn.line} → {answer.outcome}: {answer.text}"
        for part in turn.expected_parts:
            assert part in answer.text, f"{turn.line} does not show {part!r} but: {answer.text}"


SEARCH_DIALOG = (
    Turn("/find status=failed,aborted owner=alice", ("resnet50 batch 256", "high learning rate")),
    Turn("/find metric=accuracy/validation>0 sort=accuracy/validation", ("baseline", "accuracy/validation")),
    Turn("/find status=faild", ("isn't a status",), Outcome.REFUSED),
    Turn("/find owner=alise", ("Did you mean Alice Adams",), Outcome.REFUSED),
    Turn("/find since=1w --all mine", ("baseline",)),
    Turn("/show resnet50", ("experiments match “resnet50”. Which one?",), Outcome.ASKED),
    Turn("/archive resnet50 wide, baseline", ("Archive 2 experiments?", "resnet50 wide"), Outcome.ASKED),
    Turn("/watch —find “status=failed mine”", ("Watch 1 experiment?", "resnet50 batch 256"), Outcome.ASKED),
    Turn("/tag best id=last 2", ("Tag 2 experiments with best?",), Outcome.ASKED),
)

DRAFT_DIALOG = (
    Turn("/find baseline", ("baseline", "Completed", "vision")),
    Turn("/clone baseline on two GPUs", ("Cloned as “on two GPUs”", "Draft")),
    Turn("/set args.gpus 1,2", ("Args/gpus", "0", "1,2", "1 difference from the parent")),
    Turn("/set ARGS.LR=0.05 Args/epochs=2", ("Args/lr", "0.1", "0.05", "Args/epochs", "3 differences")),
    Turn(
        "/container image=python:3.12 args=“-v /data:/data -w /workspace —user 1000:1000”",
        ("python:3.12", "-v /data:/data -w /workspace --user 1000:1000"),
    ),
    Turn("/diff", ("Args/gpus", "Args/lr", "container image", "container arguments")),
    Turn("/params gpus", ("Args/gpus", "1,2", "str")),
    Turn("/undo", ("container image", "python:3.12")),
    Turn("/name on GPUs 1 and 2", ("on GPUs 1 and 2",)),
    Turn("/tag urgent paper", ("urgent", "paper")),
    Turn("/show", ("on GPUs 1 and 2", "Draft", "vision", "urgent")),
)

VALUES_DIALOG = (
    Turn("/clone baseline as people type", ("Cloned as “as people type”",)),
    Turn("/set args.lr = 0.05, epochs to 2", ("Args/lr", "0.05", "Args/epochs", "2 differences from the parent")),
    Turn("set ARGS.LR to 0,04", ("isn't of type float",), Outcome.REFUSED),
    Turn("/set args.lr −0.04", ("Args/lr", "-0.04")),
    Turn("/set general.layers {‘sizes’: [4, 5]} --new", ("General/layers", "{'sizes': [4, 5]}")),
    Turn("/set args.layers=[1, 2] --new", ("Args/layers", "[1, 2]")),
    Turn("/set layers 4,5", ("2 parameters", "match “layers”. Which one?"), Outcome.REFUSED),
    Turn("/set args.layers 4, 5", ("Args/layers", "[4, 5]")),
    Turn("/set args.layers 4,x", ("isn't a list of whole numbers",), Outcome.REFUSED),
    Turn("/set args.layrs 4,5", ("Did you mean args.layers",), Outcome.REFUSED),
)
"""Names and values in other spellings than the usual `name=value`."""

QUEUE_DIALOG = (
    Turn("/enqueue", ("don't have a queue of your own",), Outcome.ASKED),
    Turn("/queue create", ("alice_queue", "yours")),
    Turn("/enqueue", ("Pending in alice_queue", "No worker listens")),
    Turn("/enqueue", ("already Pending",), Outcome.REFUSED),
    Turn("/queue", ("alice_queue: 1 experiment waiting", "on GPUs 1 and 2")),
    Turn("/rerun baseline second args.gpus=3", ("second", "Pending")),
    Turn("/queue move second front", ("position 1",)),
    Turn("/queue list", ("alice_queue (yours)", "default")),
    Turn("/dequeue second", ("out of its queue",)),
    Turn("/dequeue second", ("Draft, not Pending",), Outcome.REFUSED),
    Turn("/abort “on GPUs 1 and 2”", ("is Aborted",)),
    Turn("/retry “on GPUs 1 and 2”", ("Pending in alice_queue",)),
    Turn("/queue rename alice_queue gpu_queue", ("gpu_queue",)),
    Turn("/queue delete gpu_queue", ("Delete gpu_queue?",), Outcome.ASKED),
    Turn("/queue delete gpu_queue --yes", ("Deleted queue gpu_queue",)),
)

ALERT_DIALOG = (
    Turn("/clone baseline watched closely", ("Cloned as “watched closely”",)),
    Turn("/alert metric val/acc >= 0.9", ("Set alert 1", "val/acc >= 0.9", "reported this metric yet")),
    Turn("/alert metric val/acc", ("isn't a condition", "Write it like val/acc>0.9"), Outcome.REFUSED),
    Turn("/alert log “CUDA out of memory”", ("Set alert 2", "CUDA out of memory")),
    Turn("/alert log “<b>[0-9”", ("isn't a valid regular expression", "at character"), Outcome.REFUSED),
    Turn("/alert", ("2 alerts here", "watched closely", "val/acc >= 0.9", "CUDA out of memory")),
    Turn("/alert off 1", ("Removed: val/acc >= 0.9",)),
    Turn("/alert off 1", ("There's no alert 1 here",), Outcome.REFUSED),
    Turn("/alert off all", ("Removed: log matches “CUDA out of memory”",)),
    Turn("/alert", ("There are no alerts here",)),
)

QUIET_DIALOG = (
    Turn("/mute", ("Notifications are on here. How long",)),
    Turn("/mute 2h", ("Muted here for 2 h", "one summary afterwards")),
    Turn("/mute", ("Muted here for",)),
    Turn("/mute soon", ("Write it like 30m, 2h",), Outcome.REFUSED),
    Turn("/mute off", ("Notifications are on here again",)),
    Turn("/quiet", ("no quiet hours",)),
    Turn("/quiet 23:00-08:00 tz=Berln", ("Did you mean Europe/Berlin",), Outcome.REFUSED),
    Turn("/quiet 23:00–08:00 tz=berlin", ("quiet from 23:00 to 08:00 (Europe/Berlin). You get one summary",)),
    Turn("/quiet failures=now", ("quiet from 23:00 to 08:00 (Europe/Berlin). Failures arrive right away",)),
    Turn("/quiet off", ("quiet hours are off",)),
    Turn("/digest noon", ("Write it like 09:00",), Outcome.REFUSED),
    Turn("/digest 09:00 weekdays", ("Monday to Friday at 09:00 (Europe/Berlin)",)),
    Turn("/digest", ("Monday to Friday at 09:00",)),
    Turn("/digest off", ("daily digest is off here",)),
)

MAIN_JOB_DIALOG = (
    Turn("/find", ("baseline", "Completed")),
    Turn("/clone baseline on two GPUs", ("Cloned as “on two GPUs”",)),
    Turn("/set args.gpus 1,2", ("Args/gpus", "1,2")),
    Turn("/set args.lr=0.05 args.epochs=2", ("Args/lr", "0.05")),
    Turn(
        "/container image=python:3.12 args=“-v /data:/data -w /workspace —user 1000:1000”",
        ("-v /data:/data -w /workspace --user 1000:1000",),
    ),
    Turn("/diff", ("5 differences from “baseline”",)),
    Turn("/queue create", ("alice_queue", "yours")),
    Turn("/worker start gpus=none", ("lab:alice_queue:cpu listens on alice_queue",)),
    Turn("/enqueue", ("Pending in alice_queue",)),
)
"""From a completed experiment to a run with other arguments. A real agent then runs it."""

WATCH_DIALOG = (
    Turn("/watch queue=default", ("the queue “default” are on here: started, completed, failed, aborted.",)),
    Turn("/watch queue=defualt", ("No queue named “defualt”", "Did you mean default?"), Outcome.REFUSED),
    Turn("/watch queue=mine", ("have a queue of your own",), Outcome.REFUSED),
    Turn("/queue create", ("alice_queue", "yours")),
    Turn("/watch queue=", ("the queue “alice_queue” are on here",)),
    Turn("/watch project=visoin", ("No project has “visoin”", "Did you mean vision?"), Outcome.REFUSED),
    Turn(
        "/watch project=visi statuses=failed,completed", ("the project “vision” and its subprojects are on here",)
    ),
    Turn("/watch project=vision statuses=broken", ("pending,running,completed,failed,aborted",), Outcome.REFUSED),
    Turn("/watch baseline queue=default", ("one thing at a time",), Outcome.REFUSED),
    Turn("/watch baseline statuses=failed", ("only works with queue= or project=",), Outcome.REFUSED),
    Turn("/watch baseline", ("Notifications for “baseline” are on here",)),
    Turn("/watching", ("3 queues and projects and 1 experiment watched here", "project vision", "baseline")),
    Turn("/unwatch queue=mine", ("the queue “alice_queue” are off here",)),
    Turn("/unwatch queue=mine", ("the queue “alice_queue” aren't on here",), Outcome.REFUSED),
    Turn("/unwatch queue=DEFAULT", ("the queue “default” are off here",)),
    Turn("/unwatch project=vision", ("the project “vision” are off here",)),
    Turn("/watch mine=perhaps", ("Use on or off",), Outcome.REFUSED),
    Turn("/watch mine=off", ("Notifications for what you enqueue elsewhere", "are off")),
    Turn("/watching", ("1 experiment watched here", "/watch mine=on")),
    Turn("/queue delete alice_queue --yes", ("Deleted queue alice_queue",)),
)
"""Watching queues, projects and your own experiments."""

VERB_DIALOG = (
    Turn("/list", ("No command named “list”", "their own list"), Outcome.REFUSED),
    Turn("/kill baseline", ("To end a run, abort it",), Outcome.REFUSED),
    Turn("/worker kill alice_queue", ("Did you mean /worker stop alice_queue?",), Outcome.REFUSED),
    Turn("/enqeue baseline front", ("Did you mean /enqueue baseline front?",), Outcome.REFUSED),
    Turn("/clone baseline args.lr=0.3", ("no option “args.lr”",), Outcome.REFUSED),
    Turn("/worker stop all", ("runs no worker named “all”",), Outcome.REFUSED),
    Turn("how do I start training?", ("To train, clone an experiment",), Outcome.REFUSED),
)
"""What people type who don't know the commands yet."""

ALL_DIALOGS = (
    *SEARCH_DIALOG,
    *WATCH_DIALOG,
    *VALUES_DIALOG,
    *DRAFT_DIALOG,
    *QUEUE_DIALOG,
    *ALERT_DIALOG,
    *QUIET_DIALOG,
    *VERB_DIALOG,
)
"""One conversation with all dialogs that need no worker."""
