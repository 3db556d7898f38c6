"""The /gpus commands: how busy each GPU of the bot's machine is, who uses it, and GPU watches."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from clearml_chatops.handlers.arguments import Gpus, Memory, Timeout
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.formatting import format_count, format_duration, shortened
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.worker_lists import format_gpus
from clearml_chatops.models.figures import Bar
from clearml_chatops.models.gpus import Gpu, GpuProcess, GpuUsage, GpuWatch, Occupant
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Buttons, Fields, Picture, Reply, Text, Tone

GPUS = CommandFamily("GPUs")
_GIBIBYTE = 2**30
_MAX_BUTTONS = 3


@GPUS.command("gpus", role=Role.VIEWER, examples=("/gpus",))
async def gpus(context: Context) -> Reply:
    """Show how busy each GPU of the bot's machine is, and which experiment and person use it."""
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
            tuple((f"GPU {use.gpu.index}", "\n".join(_list_gpu_lines(use, common_model=model))) for use in uses)
        ),
        *(Text(_format_idle_warning(use), Tone.WARNING) for use in uses if use.is_idle_but_occupied),
        Text(f"Experiment names are missing: {overview.lookup_error}", Tone.WARNING)
        if overview.lookup_error
        else None,
        Picture("gpus.png", png, _format_caption(uses)),
        Buttons((*_list_buttons(context, uses), Button("Show all workers", "/worker list"))),
    )


@GPUS.command("gpus watch", examples=("/gpus watch 1", "/gpus watch 1 mem=20G for=5m", "/gpus watch"))
async def gpus_watch(
    context: Context, gpu: Gpus = "", *, mem: Memory | None = None, for_: Timeout = timedelta(0)
) -> Reply:
    """Notify you here when a GPU is free, with a button to start your worker on it.

    Args:
        gpu: The GPU's index or UUID. Leave it out to see which GPUs are watched here.
        mem: How much free memory it needs, like 20G. Without this, free means that nobody uses the GPU.
        for: How long it has to be free first, like 5m.
    """
    conversation = context.message.conversation
    if not gpu:
        return _build_watches_reply(await context.services.gpu_watches.list_for_conversation(conversation))
    watch = await context.services.gpu_watches.watch(
        gpu, conversation, memory=mem, minimum_duration=for_, person_id=context.person.id
    )
    return Reply.of(
        Text(f"You get notified here when {_format_condition(watch, f'GPU {watch.gpu}')}.", Tone.SUCCESS),
        Buttons((_build_unwatch_button(watch), Button("Show GPU watches", "/gpus watch"))),
    )


@GPUS.command("gpus unwatch", examples=("/gpus unwatch 1", "/gpus unwatch"))
async def gpus_unwatch(context: Context, gpu: Gpus = "") -> Reply:
    """Stop GPU notifications here.

    Args:
        gpu: The GPU's index or UUID. Default: all that are watched here.
    """
    removed = await context.services.gpu_watches.unwatch(gpu, context.message.conversation)
    gpu_names = format_gpus(",".join(watch.gpu for watch in removed))
    return Reply.of(Text(f"Notifications for {gpu_names} are off here.", Tone.SUCCESS))


def _build_watches_reply(watches: list[GpuWatch]) -> Reply:
    if not watches:
        return Reply.of("No GPU is watched here. To get notified when GPU 1 is free, use /gpus watch 1.")
    return Reply.of(
        Text(f"{format_count(len(watches), 'GPU')} watched here", Tone.HEADING),
        Fields(
            tuple((f"GPU {watch.gpu}", f"Notifies when {_format_condition(watch, 'it')}") for watch in watches)
        ),
        Buttons(tuple(map(_build_unwatch_button, watches))),
    )


def _build_unwatch_button(watch: GpuWatch) -> Button:
    return Button(f"Unwatch GPU {watch.gpu}", f"/gpus unwatch {watch.gpu}")


def _format_condition(watch: GpuWatch, name: str) -> str:
    """Return what counts as free for a watch; `name` is what to call its GPU."""
    condition = (
        f"{name} has {_format_size(watch.required_memory)} of free memory"
        if watch.required_memory
        else f"nobody uses {name}"
    )
    return f"{condition} for {format_duration(watch.required_duration)}" if watch.required_duration else condition


def _list_buttons(context: Context, uses: tuple[GpuUsage, ...]) -> Iterator[Button]:
    """Return buttons to start a worker on the first free GPUs, and to watch the first occupied ones."""
    if context.person.role < Role.MEMBER:
        return
    usable = [use for use in uses if not use.gpu.lost and not use.gpu.instances]
    for use in [use for use in usable if not use.occupants][:_MAX_BUTTONS]:
        index = use.gpu.index
        yield Button(f"Start worker on GPU {index}", f"/worker start gpus={index}")
    for use in [use for use in usable if use.occupants][:_MAX_BUTTONS]:
        index = use.gpu.index
        yield Button(f"Watch GPU {index}", f"/gpus watch {index}")


def _list_gpu_lines(use: GpuUsage, *, common_model: str) -> Iterator[str]:
    """Return a GPU in a few short lines: its readings, who uses it, and its MIG instances.

    Values that the driver doesn't report are left out, and so is the model if all GPUs have the same one.
    """
    gpu = use.gpu
    name = gpu.name if gpu.name != common_model else ""
    if gpu.lost:
        yield ", ".join(filter(None, (name, "lost; restart the machine")))
        return
    temperature = "" if gpu.temperature is None else f"{gpu.temperature} °C"
    values = (
        name,
        _format_utilization(use),
        _format_memory(gpu.memory_used, gpu.memory_total),
        temperature,
        _format_power(gpu),
    )
    yield ", ".join(filter(None, values)) or "no readings"
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
    """Return the picture in words: how full the memory of each GPU is."""
    shares = ((use.gpu.index, _build_bar(use).share) for use in uses)
    return "Memory in use: " + ", ".join(
        f"GPU {index} {'unknown' if share is None else f'{share * 100:.0f} %'}" for index, share in shares
    )


def format_gpu_state(use: GpuUsage) -> str:
    """Return in one line how busy a GPU is and who uses it."""
    if use.gpu.lost:
        return "lost"
    memory = _format_memory(use.gpu.memory_used, use.gpu.memory_total)
    return ", ".join(filter(None, (_format_utilization(use), memory, *_list_occupants(use.occupants))))


def _format_idle_warning(use: GpuUsage) -> str:
    used_memory = _format_size(use.gpu.memory_used or 0)
    occupants = ", ".join(_list_occupants(use.occupants))
    return f"GPU {use.gpu.index} is idle, but {used_memory} of its memory is in use: {occupants}."


def _format_utilization(use: GpuUsage) -> str:
    if use.gpu.utilization is None:
        return ""
    return "idle, memory in use" if use.is_idle_but_occupied else f"{use.gpu.utilization} %"


def _format_memory(used: int | None, total: int | None) -> str:
    return "" if used is None or total is None else f"{used / _GIBIBYTE:.1f} of {_format_size(total)}"


def _format_size(number: int) -> str:
    return f"{number / _GIBIBYTE:.1f} GiB"


def _format_power(gpu: Gpu) -> str:
    if gpu.power is None:
        return ""
    return f"{gpu.power:.0f} of {gpu.power_limit:.0f} W" if gpu.power_limit else f"{gpu.power:.0f} W"


def _list_occupants(occupants: Iterable[Occupant]) -> Iterator[str]:
    """Return each occupant once, with the memory of all its processes."""
    processes: dict[str, list[GpuProcess]] = {}
    for item in occupants:
        processes.setdefault(_format_occupant(item), []).append(item.process)
    yield from (f"{name}{_format_process_memory(found)}" for name, found in processes.items())


def _format_process_memory(processes: list[GpuProcess]) -> str:
    known = [item.memory for item in processes if item.memory is not None]
    return f" using {_format_size(sum(known))}" if known else ""


def _format_occupant(item: Occupant) -> str:
    """Return the experiment, owner and worker of a process, or else the program and its user."""
    worker = f"worker {item.worker_id}" if item.worker_id else ""
    if item.experiment_name:
        run = f"“{shortened(item.experiment_name)}” ({item.person_name or 'owner unknown'})"
        return f"{run} on {worker}" if worker else run
    if item.experiment_id:
        run = f"experiment {item.experiment_id[:8]}"
        return f"{run} on {worker}" if worker else run
    return worker or f"{item.program or 'a process'} (user {item.system_user or 'unknown'}, no agent)"
