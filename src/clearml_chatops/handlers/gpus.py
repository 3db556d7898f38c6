"""GPUs: how busy each card of the bot's machine is, and who is on it."""

from collections.abc import Iterator
from datetime import timedelta

from clearml_chatops.handlers.arguments import Gpus, Memory, Timeout
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.wording import NOTHING, count, shortened, span
from clearml_chatops.models.figures import Bar
from clearml_chatops.models.gpus import Gpu, GpuProcess, GpuUse, Occupant
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Picture, Reply, Table, Text, Tone

GPUS = CommandFamily("GPUs")
_GIBIBYTE = 2**30


@GPUS.command("gpus", role=Role.VIEWER, examples=("/gpus",))
async def gpus(context: Context) -> Reply:
    """Show the GPUs of the bot's machine: how busy each is, and which experiment of whom is on it."""
    overview = await context.services.gpus.overview()
    if not overview.uses:
        return Reply.of(f"{overview.host} has an NVIDIA driver, but no GPU.")
    title = f"{overview.host}: {count(len(overview.uses), 'GPU')}"
    png = await context.services.gpus.picture(title, [_bar(use) for use in overview.uses])
    return Reply.of(
        Text(title, Tone.HEADING),
        Table(
            ("card", "name", "use", "memory", "temperature", "power", "on it"),
            tuple(row for use in overview.uses for row in _rows(use)),
        ),
        *(Text(_idle_sentence(use), Tone.WARNING) for use in overview.uses if use.is_idle_but_held),
        Text(f"Experiments have no names here: {overview.unnamed_because}", Tone.WARNING)
        if overview.unnamed_because
        else None,
        Picture("gpus.png", png, "\n".join(_sentence(use) for use in overview.uses)),
    )


@GPUS.command("gpus watch", examples=("/gpus watch 1", "/gpus watch 1 mem=20G for=5m"))
async def gpus_watch(
    context: Context, card: Gpus, *, mem: Memory | None = None, for_: Timeout = timedelta(0)
) -> Reply:
    """Tell here when a card of the bot's machine is free, with a button that starts your worker there.

    Args:
        card: The card's index, or its UUID.
        mem: Free means so much memory, as 20G; nothing for a card that nobody is on.
        for: Only when it has been free for so long, as 5m.
    """
    watch = await context.services.card_watching.watch(
        card, context.message.conversation, memory=mem, lasting=for_
    )
    when = f"{_size(mem)} of its memory are free" if mem else "nobody is on it"
    lasting = f", for {span(for_)}" if for_ else ""
    return Reply.of(Text(f"I tell you here when card {watch.card} is free: {when}{lasting}.", Tone.SUCCESS))


def _rows(use: GpuUse) -> Iterator[tuple[str, ...]]:
    """A card, and below it the parts that it is split into."""
    gpu = use.gpu
    if gpu.lost:
        yield (str(gpu.index), gpu.name or NOTHING, "lost", NOTHING, NOTHING, NOTHING, "needs a restart")
        return
    split = {item.id for part in gpu.instances for item in part.processes}
    own = tuple(item for item in use.occupants if item.process.id not in split)
    yield (
        str(gpu.index),
        gpu.name or NOTHING,
        _use(use),
        _memory(gpu.memory_used, gpu.memory_total),
        NOTHING if gpu.temperature is None else f"{gpu.temperature} °C",
        _power(gpu),
        _names(own) or ("split" if gpu.instances else NOTHING),
    )
    for part in gpu.instances:
        inside = {item.id for item in part.processes}
        names = _names(tuple(item for item in use.occupants if item.process.id in inside))
        memory = _memory(part.memory_used, part.memory_total)
        yield (f"{gpu.index}:{part.index}", part.name, NOTHING, memory, NOTHING, NOTHING, names or NOTHING)


def _bar(use: GpuUse) -> Bar:
    gpu = use.gpu
    known = gpu.memory_used is not None and gpu.memory_total
    share = (gpu.memory_used or 0) / gpu.memory_total if known and gpu.memory_total else None
    return Bar(str(gpu.index), share, state_of_card(use), marked=use.is_idle_but_held)


def _sentence(use: GpuUse) -> str:
    return f"{use.gpu.index}: {state_of_card(use)}"


def state_of_card(use: GpuUse) -> str:
    """How busy a card is and who is on it, in one line."""
    if use.gpu.lost:
        return "lost"
    memory = _memory(use.gpu.memory_used, use.gpu.memory_total)
    return ", ".join(part for part in (_use(use), memory, _names(use.occupants)) if part not in {"", NOTHING})


def _idle_sentence(use: GpuUse) -> str:
    held = _size(use.gpu.memory_used or 0)
    return f"Card {use.gpu.index} is idle but {held} of its memory are held by {_names(use.occupants)}."


def _use(use: GpuUse) -> str:
    if use.gpu.utilization is None:
        return NOTHING
    return "idle, but held" if use.is_idle_but_held else f"{use.gpu.utilization} %"


def _memory(used: int | None, total: int | None) -> str:
    return NOTHING if used is None or total is None else f"{_size(used)} of {_size(total)}"


def _size(number: int) -> str:
    return f"{number / _GIBIBYTE:.1f} GiB"


def _power(gpu: Gpu) -> str:
    if gpu.power is None:
        return NOTHING
    return f"{gpu.power:.0f} W" + (f" of {gpu.power_limit:.0f} W" if gpu.power_limit else "")


def _names(occupants: tuple[Occupant, ...]) -> str:
    """Each once, however many processes it has, with the memory of all of them."""
    processes: dict[str, list[GpuProcess]] = {}
    for item in occupants:
        processes.setdefault(_name(item), []).append(item.process)
    return ", ".join(f"{name}{_memory_of(found)}" for name, found in processes.items())


def _memory_of(processes: list[GpuProcess]) -> str:
    known = [item.memory for item in processes if item.memory is not None]
    return f" ({_size(sum(known))})" if known else ""


def _name(item: Occupant) -> str:
    if item.experiment_name:
        return f"“{shortened(item.experiment_name)}” of {item.person or 'somebody'}"
    if item.worker_id:
        return f"the worker {item.worker_id}"
    if item.experiment_id:
        return f"the experiment {item.experiment_id[:8]}"
    return f"{item.program or 'a process'} of {item.account or 'somebody'}, without an agent"
