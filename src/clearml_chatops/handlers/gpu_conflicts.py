"""How it reads who has the cards that somebody wants."""

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
    """Who has the cards, and what may be done about it: ask them, share, or take others."""
    sentences = "\n".join(f"{format_conflict(context, conflict)}." for conflict in conflicts)
    options = []
    if owners := await context.services.gpu_requests.find_owners_to_ask(conflicts, context.person):
        names = " and ".join(person.name for person in owners)
        options.append(Button(f"Ask {names}", str(line.with_words("--ask"))))
    options.append(Button(f"Share {format_conflict_gpus(conflicts)}", str(line.with_words("--share"))))
    if free_gpus := await _find_free_gpus(context, line):
        options.append(Button(f"Take {format_gpus(free_gpus)} instead", str(line.with_options(gpus=free_gpus))))
    return Choice(f"{sentences}\nNothing is started yet. What shall I do?", tuple(options))


def format_conflict_gpus(conflicts: Sequence[GpuConflict]) -> str:
    """All the cards that they have: card 0, cards 0,1."""
    return format_gpus(",".join(dict.fromkeys(gpu for conflict in conflicts for gpu in conflict.gpus.split(","))))


def format_conflict(context: Context, conflict: GpuConflict) -> str:
    """Who has some of the cards, and what runs on them, for whom and for how long."""
    gpu_names = format_gpus(conflict.gpus)
    sentence_start = gpu_names[0].upper() + gpu_names[1:]
    if conflict.worker_id:
        owner = f" of {conflict.person_name}" if conflict.person_name and conflict.occupant is None else ""
        activity = f"runs {format_run(conflict.run, context)}" if conflict.run else "is idle"
        return f"{sentence_start}: the worker {conflict.worker_id}{owner} {activity}"
    if conflict.run:
        return f"{sentence_start}: {format_run(conflict.run, context)}"
    program = conflict.occupant.program if conflict.occupant else ""
    account = conflict.occupant.system_user if conflict.occupant else ""
    return f"{sentence_start}: {program or 'a process'} of {account or 'somebody'}, without an agent"


async def _find_free_gpus(context: Context, line: WorkerCommandLine) -> str:
    """As many free cards as the order asks for, or those that there are."""
    free = await context.services.gpu_conflicts.list_free_gpus(await context.services.workers.list_desired())
    requested = line.options.get("gpus", "")
    number = 1 if requested in {"", ALL_GPUS} else requested.count(",") + 1
    return ",".join(free[:number])
