"""GPUs: how busy each card of the bot's machine is, and who is on it."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from clearml_chatops.handlers.arguments import Gpus, Memory, Timeout
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.formatting import format_count, format_duration, shortened
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.models.figures import Bar
from clearml_chatops.models.gpus import Gpu, GpuProcess, GpuUsage, GpuWatch, Occupant
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Buttons, Fields, Picture, Reply, Text, Tone

GPUS = CommandFamily("GPUs")
_GIBIBYTE = 2**30
_MAX_BUTTONS = 3


@GPUS.command("gpus", role=Role.VIEWER, examples=("/gpus",))
async def gpus(context: Context) -> Reply:
    """Show the GPUs of the bot's machine: how busy each is, and which experiment of whom is on it."""
    overview = await context.services.gpus.get_overview()
    uses = overview.uses
    if not uses:
        return Reply.of(f"{overview.host} has an NVIDIA driver, but no GPU.")
    title = f"{overview.host}: {format_count(len(uses), 'GPU')}"
    png = await context.services.gpus.render_chart(title, [_build_bar(use) for use in uses])
    models = {use.gpu.name for use in uses if use.gpu.name}
    model = models.pop() if len(models) == 1 else ""
    return Reply.of(
        Text(f"{title}, {model}" if model else title, Tone.HEADING),
        Fields(
            tuple((f"card {use.gpu.index}", "\n".join(_list_gpu_lines(use, common_model=model))) for use in uses)
        ),
        *(Text(_format_idle_warning(use), Tone.WARNING) for use in uses if use.is_idle_but_occupied),
        Text(f"Experiments have no names here: {overview.lookup_error}", Tone.WARNING)
        if overview.lookup_error
        else None,
        Picture("gpus.png", png, _format_caption(uses)),
        Buttons((*_list_buttons(context, uses), Button("All workers", "/worker list"))),
    )


@GPUS.command("gpus watch", examples=("/gpus watch 1", "/gpus watch 1 mem=20G for=5m", "/gpus watch"))
async def gpus_watch(
    context: Context, gpu: Gpus = "", *, mem: Memory | None = None, for_: Timeout = timedelta(0)
) -> Reply:
    """Tell here when a card of the bot's machine is free, with a button that starts your worker there.

    Args:
        card: The card's index, or its UUID; nothing to see which are watched here.
        mem: Free means so much memory, as 20G; nothing for a card that nobody is on.
        for: Only when it has been free for so long, as 5m.
    """
    conversation = context.message.conversation
    if not gpu:
        return _build_watches_reply(await context.services.gpu_watches.list_for_conversation(conversation))
    watch = await context.services.gpu_watches.watch(
        gpu, conversation, memory=mem, minimum_duration=for_, person_id=context.person.id
    )
    return Reply.of(
        Text(f"I tell you here when card {watch.gpu} is free: {_format_condition(watch)}.", Tone.SUCCESS),
        Buttons((_build_unwatch_button(watch), Button("What is watched here", "/gpus watch"))),
    )


@GPUS.command("gpus unwatch", examples=("/gpus unwatch 1", "/gpus unwatch"))
async def gpus_unwatch(context: Context, gpu: Gpus = "") -> Reply:
    """Tell here no more when a card is free.

    Args:
        card: The card's index, or its UUID; nothing for all that are watched here.
    """
    removed = await context.services.gpu_watches.unwatch(gpu, context.message.conversation)
    gpu_names = ", ".join(watch.gpu for watch in removed)
    return Reply.of(Text(f"Not watched here any more: card {gpu_names}.", Tone.SUCCESS))


def _build_watches_reply(watches: list[GpuWatch]) -> Reply:
    if not watches:
        return Reply.of("No card is watched here; /gpus watch 1 tells you when card 1 is free.")
    return Reply.of(
        Text(f"{format_count(len(watches), 'card')} watched here", Tone.HEADING),
        Fields(tuple((f"card {watch.gpu}", f"I tell you when {_format_condition(watch)}") for watch in watches)),
        Buttons(tuple(map(_build_unwatch_button, watches))),
    )


def _build_unwatch_button(watch: GpuWatch) -> Button:
    return Button(f"Do not watch card {watch.gpu}", f"/gpus unwatch {watch.gpu}")


def _format_condition(watch: GpuWatch) -> str:
    """What free means to a watch."""
    condition = (
        f"{_format_size(watch.required_memory)} of its memory are free"
        if watch.required_memory
        else "nobody is on it"
    )
    return f"{condition}, for {format_duration(watch.required_duration)}" if watch.required_duration else condition


def _list_buttons(context: Context, uses: tuple[GpuUsage, ...]) -> Iterator[Button]:
    """What may be done with the first free cards, and with the first that are not."""
    if context.person.role < Role.MEMBER:
        return
    usable = [use for use in uses if not use.gpu.lost and not use.gpu.instances]
    for use in [use for use in usable if not use.occupants][:_MAX_BUTTONS]:
        index = use.gpu.index
        yield Button(f"Start my worker on card {index}", f"/worker start gpus={index}")
    for use in [use for use in usable if use.occupants][:_MAX_BUTTONS]:
        index = use.gpu.index
        yield Button(f"Tell me when card {index} is free", f"/gpus watch {index}")


def _list_gpu_lines(use: GpuUsage, *, common_model: str) -> Iterator[str]:
    """A card in some short lines: what it does, who is on it, and the parts that it is split into.

    What it does not know of itself is left out, and its model where that is said for all of them.
    """
    gpu = use.gpu
    name = gpu.name if gpu.name != common_model else ""
    if gpu.lost:
        yield ", ".join(filter(None, (name, "lost; the machine needs a restart")))
        return
    temperature = "" if gpu.temperature is None else f"{gpu.temperature} °C"
    values = (
        name,
        _format_utilization(use),
        _format_memory(gpu.memory_used, gpu.memory_total),
        temperature,
        _format_power(gpu),
    )
    yield ", ".join(filter(None, values)) or "knows nothing of itself"
    split_process_ids = {item.id for part in gpu.instances for item in part.processes}
    yield from _list_occupants(item for item in use.occupants if item.process.id not in split_process_ids)
    for part in gpu.instances:
        part_process_ids = {item.id for item in part.processes}
        memory = _format_memory(part.memory_used, part.memory_total)
        occupants = "; ".join(
            _list_occupants(item for item in use.occupants if item.process.id in part_process_ids)
        )
        yield f"{gpu.index}:{part.index} " + ", ".join(filter(None, (part.name, memory, occupants or "free")))


def _build_bar(use: GpuUsage) -> Bar:
    gpu = use.gpu
    known = gpu.memory_used is not None and gpu.memory_total
    share = (gpu.memory_used or 0) / gpu.memory_total if known and gpu.memory_total else None
    return Bar(str(gpu.index), share, format_gpu_state(use), is_highlighted=use.is_idle_but_occupied)


def _format_caption(uses: tuple[GpuUsage, ...]) -> str:
    """What the picture shows: how full each card's memory is."""
    shares = ((use.gpu.index, _build_bar(use).share) for use in uses)
    return "Memory in use: " + ", ".join(
        f"card {index} {'unknown' if share is None else f'{share * 100:.0f} %'}" for index, share in shares
    )


def format_gpu_state(use: GpuUsage) -> str:
    """How busy a card is and who is on it, in one line."""
    if use.gpu.lost:
        return "lost"
    memory = _format_memory(use.gpu.memory_used, use.gpu.memory_total)
    return ", ".join(filter(None, (_format_utilization(use), memory, *_list_occupants(use.occupants))))


def _format_idle_warning(use: GpuUsage) -> str:
    used_memory = _format_size(use.gpu.memory_used or 0)
    return f"Card {use.gpu.index} is idle but {used_memory} of its memory are held by {', '.join(_list_occupants(use.occupants))}."


def _format_utilization(use: GpuUsage) -> str:
    if use.gpu.utilization is None:
        return ""
    return "idle, but held" if use.is_idle_but_occupied else f"{use.gpu.utilization} %"


def _format_memory(used: int | None, total: int | None) -> str:
    return "" if used is None or total is None else f"{used / _GIBIBYTE:.1f} of {_format_size(total)}"


def _format_size(number: int) -> str:
    return f"{number / _GIBIBYTE:.1f} GiB"


def _format_power(gpu: Gpu) -> str:
    if gpu.power is None:
        return ""
    return f"{gpu.power:.0f} of {gpu.power_limit:.0f} W" if gpu.power_limit else f"{gpu.power:.0f} W"


def _list_occupants(occupants: Iterable[Occupant]) -> Iterator[str]:
    """Each once, however many processes it has, with the memory of all of them."""
    processes: dict[str, list[GpuProcess]] = {}
    for item in occupants:
        processes.setdefault(_format_occupant(item), []).append(item.process)
    yield from (f"{name}{_format_process_memory(found)}" for name, found in processes.items())


def _format_process_memory(processes: list[GpuProcess]) -> str:
    known = [item.memory for item in processes if item.memory is not None]
    return f" ({_format_size(sum(known))})" if known else ""


def _format_occupant(item: Occupant) -> str:
    """From the process to the person: worker, experiment, owner, as far as they are known."""
    worker = f"the worker {item.worker_id}" if item.worker_id else ""
    if item.experiment_name:
        run = f"“{shortened(item.experiment_name)}” of {item.person_name or 'somebody'}"
        return f"{run} by {worker}" if worker else run
    if item.experiment_id:
        run = f"the experiment {item.experiment_id[:8]}"
        return f"{run} by {worker}" if worker else run
    return worker or f"{item.program or 'a process'} of {item.system_user or 'somebody'}, without an agent"
