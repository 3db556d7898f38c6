"""GPUs: how busy each card of the bot's machine is, and who is on it."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from clearml_chatops.handlers.arguments import Gpus, Memory, Timeout
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.wording import count, shortened, span
from clearml_chatops.models.figures import Bar
from clearml_chatops.models.gpus import CardWatch, Gpu, GpuProcess, GpuUse, Occupant
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Buttons, Fields, Picture, Reply, Text, Tone

GPUS = CommandFamily("GPUs")
_GIBIBYTE = 2**30
_MOST_BUTTONS = 3


@GPUS.command("gpus", role=Role.VIEWER, examples=("/gpus",))
async def gpus(context: Context) -> Reply:
    """Show the GPUs of the bot's machine: how busy each is, and which experiment of whom is on it."""
    overview = await context.services.gpus.overview()
    uses = overview.uses
    if not uses:
        return Reply.of(f"{overview.host} has an NVIDIA driver, but no GPU.")
    title = f"{overview.host}: {count(len(uses), 'GPU')}"
    png = await context.services.gpus.picture(title, [_bar(use) for use in uses])
    models = {use.gpu.name for use in uses if use.gpu.name}
    model = models.pop() if len(models) == 1 else ""
    return Reply.of(
        Text(f"{title}, {model}" if model else title, Tone.HEADING),
        Fields(tuple((f"card {use.gpu.index}", "\n".join(_lines(use, of_model=model))) for use in uses)),
        *(Text(_idle_sentence(use), Tone.WARNING) for use in uses if use.is_idle_but_held),
        Text(f"Experiments have no names here: {overview.unnamed_because}", Tone.WARNING)
        if overview.unnamed_because
        else None,
        Picture("gpus.png", png, _caption(uses)),
        Buttons((*_buttons(context, uses), Button("All workers", "/worker list"))),
    )


@GPUS.command("gpus watch", examples=("/gpus watch 1", "/gpus watch 1 mem=20G for=5m", "/gpus watch"))
async def gpus_watch(
    context: Context, card: Gpus = "", *, mem: Memory | None = None, for_: Timeout = timedelta(0)
) -> Reply:
    """Tell here when a card of the bot's machine is free, with a button that starts your worker there.

    Args:
        card: The card's index, or its UUID; nothing to see which are watched here.
        mem: Free means so much memory, as 20G; nothing for a card that nobody is on.
        for: Only when it has been free for so long, as 5m.
    """
    here = context.message.conversation
    if not card:
        return _watched_reply(await context.services.card_watching.watched(here))
    watch = await context.services.card_watching.watch(
        card, here, memory=mem, lasting=for_, person_id=context.person.id
    )
    return Reply.of(
        Text(f"I tell you here when card {watch.card} is free: {_when(watch)}.", Tone.SUCCESS),
        Buttons((_unwatch_button(watch), Button("What is watched here", "/gpus watch"))),
    )


@GPUS.command("gpus unwatch", examples=("/gpus unwatch 1", "/gpus unwatch"))
async def gpus_unwatch(context: Context, card: Gpus = "") -> Reply:
    """Tell here no more when a card is free.

    Args:
        card: The card's index, or its UUID; nothing for all that are watched here.
    """
    ended = await context.services.card_watching.unwatch(card, context.message.conversation)
    cards = ", ".join(watch.card for watch in ended)
    return Reply.of(Text(f"Not watched here any more: card {cards}.", Tone.SUCCESS))


def _watched_reply(watches: list[CardWatch]) -> Reply:
    if not watches:
        return Reply.of("No card is watched here; /gpus watch 1 tells you when card 1 is free.")
    return Reply.of(
        Text(f"{count(len(watches), 'card')} watched here", Tone.HEADING),
        Fields(tuple((f"card {watch.card}", f"I tell you when {_when(watch)}") for watch in watches)),
        Buttons(tuple(map(_unwatch_button, watches))),
    )


def _unwatch_button(watch: CardWatch) -> Button:
    return Button(f"Do not watch card {watch.card}", f"/gpus unwatch {watch.card}")


def _when(watch: CardWatch) -> str:
    """What free means to a watch."""
    when = f"{_size(watch.memory)} of its memory are free" if watch.memory else "nobody is on it"
    return f"{when}, for {span(watch.lasting)}" if watch.lasting else when


def _buttons(context: Context, uses: tuple[GpuUse, ...]) -> Iterator[Button]:
    """What may be done with the first free cards, and with the first that are not."""
    if context.person.role < Role.MEMBER:
        return
    whole = [use for use in uses if not use.gpu.lost and not use.gpu.instances]
    for use in [use for use in whole if not use.occupants][:_MOST_BUTTONS]:
        card = use.gpu.index
        yield Button(f"Start my worker on card {card}", f"/worker start gpus={card}")
    for use in [use for use in whole if use.occupants][:_MOST_BUTTONS]:
        card = use.gpu.index
        yield Button(f"Tell me when card {card} is free", f"/gpus watch {card}")


def _lines(use: GpuUse, *, of_model: str) -> Iterator[str]:
    """A card in some short lines: what it does, who is on it, and the parts that it is split into.

    What it does not know of itself is left out, and its model where that is said for all of them.
    """
    gpu = use.gpu
    name = gpu.name if gpu.name != of_model else ""
    if gpu.lost:
        yield ", ".join(filter(None, (name, "lost; the machine needs a restart")))
        return
    temperature = "" if gpu.temperature is None else f"{gpu.temperature} °C"
    values = (name, _use(use), _memory(gpu.memory_used, gpu.memory_total), temperature, _power(gpu))
    yield ", ".join(filter(None, values)) or "knows nothing of itself"
    split = {item.id for part in gpu.instances for item in part.processes}
    yield from _named(item for item in use.occupants if item.process.id not in split)
    for part in gpu.instances:
        inside = {item.id for item in part.processes}
        memory = _memory(part.memory_used, part.memory_total)
        on_it = "; ".join(_named(item for item in use.occupants if item.process.id in inside))
        yield f"{gpu.index}:{part.index} " + ", ".join(filter(None, (part.name, memory, on_it or "free")))


def _bar(use: GpuUse) -> Bar:
    gpu = use.gpu
    known = gpu.memory_used is not None and gpu.memory_total
    share = (gpu.memory_used or 0) / gpu.memory_total if known and gpu.memory_total else None
    return Bar(str(gpu.index), share, state_of_card(use), marked=use.is_idle_but_held)


def _caption(uses: tuple[GpuUse, ...]) -> str:
    """What the picture shows: how full each card's memory is."""
    shares = ((use.gpu.index, _bar(use).share) for use in uses)
    return "Memory in use: " + ", ".join(
        f"card {index} {'unknown' if share is None else f'{share * 100:.0f} %'}" for index, share in shares
    )


def state_of_card(use: GpuUse) -> str:
    """How busy a card is and who is on it, in one line."""
    if use.gpu.lost:
        return "lost"
    memory = _memory(use.gpu.memory_used, use.gpu.memory_total)
    return ", ".join(filter(None, (_use(use), memory, *_named(use.occupants))))


def _idle_sentence(use: GpuUse) -> str:
    held = _size(use.gpu.memory_used or 0)
    return f"Card {use.gpu.index} is idle but {held} of its memory are held by {', '.join(_named(use.occupants))}."


def _use(use: GpuUse) -> str:
    if use.gpu.utilization is None:
        return ""
    return "idle, but held" if use.is_idle_but_held else f"{use.gpu.utilization} %"


def _memory(used: int | None, total: int | None) -> str:
    return "" if used is None or total is None else f"{used / _GIBIBYTE:.1f} of {_size(total)}"


def _size(number: int) -> str:
    return f"{number / _GIBIBYTE:.1f} GiB"


def _power(gpu: Gpu) -> str:
    if gpu.power is None:
        return ""
    return f"{gpu.power:.0f} of {gpu.power_limit:.0f} W" if gpu.power_limit else f"{gpu.power:.0f} W"


def _named(occupants: Iterable[Occupant]) -> Iterator[str]:
    """Each once, however many processes it has, with the memory of all of them."""
    processes: dict[str, list[GpuProcess]] = {}
    for item in occupants:
        processes.setdefault(_name(item), []).append(item.process)
    yield from (f"{name}{_memory_of(found)}" for name, found in processes.items())


def _memory_of(processes: list[GpuProcess]) -> str:
    known = [item.memory for item in processes if item.memory is not None]
    return f" ({_size(sum(known))})" if known else ""


def _name(item: Occupant) -> str:
    """From the process to the person: worker, experiment, owner, as far as they are known."""
    worker = f"the worker {item.worker_id}" if item.worker_id else ""
    if item.experiment_name:
        run = f"“{shortened(item.experiment_name)}” of {item.person or 'somebody'}"
        return f"{run} by {worker}" if worker else run
    if item.experiment_id:
        run = f"the experiment {item.experiment_id[:8]}"
        return f"{run} by {worker}" if worker else run
    return worker or f"{item.program or 'a process'} of {item.account or 'somebody'}, without an agent"
