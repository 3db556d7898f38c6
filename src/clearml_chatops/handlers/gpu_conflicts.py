"""The question that a GPU conflict leads to: who uses the requested GPUs, and what to do about it."""

from collections.abc import Sequence

from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.worker_command_lines import WorkerCommandLine
from clearml_chatops.handlers.worker_lists import format_gpus, format_run
from clearml_chatops.models.replies import Button, Choice
from clearml_chatops.models.workers import ALL_GPUS
from clearml_chatops.services.workers.gpu_conflicts import GpuConflict


async def build_conflict_question(
    context: Context, conflicts: tuple[GpuConflict, ...], line: WorkerCommandLine
) -> Choice:
    """Return who uses the GPUs, with buttons to ask them, to share or to use other GPUs."""
    sentences = "\n".join(f"{format_conflict(context, conflict)}." for conflict in conflicts)
    options = []
    if owners := await context.services.gpu_requests.find_owners_to_ask(conflicts, context.person):
        names = " and ".join(person.name for person in owners)
        options.append(Button(f"Ask {names}", str(line.with_words("--ask"))))
    options.append(Button(f"Share {format_conflict_gpus(conflicts)}", str(line.with_words("--share"))))
    if free_gpus := await _find_free_gpus(context, line):
        options.append(Button(f"Use {format_gpus(free_gpus)} instead", str(line.with_options(gpus=free_gpus))))
    return Choice(f"{sentences}\nNothing has started yet. What do you want to do?", tuple(options))


def format_conflict_gpus(conflicts: Sequence[GpuConflict]) -> str:
    """Return all GPUs of the conflicts: GPU 0, GPUs 0 and 1."""
    return format_gpus(",".join(dict.fromkeys(gpu for conflict in conflicts for gpu in conflict.gpus.split(","))))


def format_conflict(context: Context, conflict: GpuConflict) -> str:
    """Return who uses some of the GPUs, and for which run: GPU 0: worker lab:q:gpu0 is running “x” (Bob, 2 h)."""
    gpu_names = format_gpus(conflict.gpus)
    return f"{gpu_names[0].upper()}{gpu_names[1:]}: {format_occupant(context, conflict)}"


def format_occupant(context: Context, conflict: GpuConflict) -> str:
    """Return who uses the GPUs of a conflict, and for which run."""
    if conflict.worker_id:
        owner = f" ({conflict.person_name})" if conflict.person_name and conflict.occupant is None else ""
        activity = f"is running {format_run(conflict.run, context)}" if conflict.run else "is idle"
        return f"worker {conflict.worker_id}{owner} {activity}"
    if conflict.run:
        return format_run(conflict.run, context)
    program = conflict.occupant.program if conflict.occupant else ""
    account = conflict.occupant.system_user if conflict.occupant else ""
    return f"{program or 'a process'} (user {account or 'unknown'}, no agent)"


async def _find_free_gpus(context: Context, line: WorkerCommandLine) -> str:
    """Return as many free GPUs as the command asks for, or fewer if there aren't that many."""
    free = await context.services.gpu_conflicts.list_free_gpus(await context.services.workers.list_desired())
    requested = line.options.get("gpus", "")
    number = 1 if requested in {"", ALL_GPUS} else requested.count(",") + 1
    return ",".join(free[:number])
