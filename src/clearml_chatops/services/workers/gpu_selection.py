"""Selecting GPUs from what a person types: `0,1`, `all`, `none`, a UUID, or a MIG instance."""

import re
from collections.abc import Sequence

from clearml_chatops.models.errors import InvalidValueError
from clearml_chatops.models.gpus import Gpu, MigInstance
from clearml_chatops.models.workers import ALL_GPUS, NO_GPUS


def select_gpus(text: str, gpus: Sequence[Gpu]) -> tuple[str, ...]:
    """Return the GPUs in order, as `clearml-agent --gpus` takes them: indices, and UUIDs of instances.

    A GPU is selected by its index or UUID, a MIG instance by its UUID or as `0:1`. The start of a UUID is enough
    if only one UUID starts with it. `all` leaves out lost GPUs.

    Raises:
        InvalidValueError: no such GPU, or it is lost, split, or named twice.
    """
    normalized = text.strip()
    if normalized.casefold() == NO_GPUS:
        return ()
    if normalized.casefold() == ALL_GPUS:
        choices = [choice for gpu in gpus if not gpu.lost for choice in _list_choices(gpu)]
        if not choices:
            raise _build_invalid_error(text, "possible here", "this machine has no working GPU. Use none.")
        return tuple(_get_gpu_id(gpu, instance) for gpu, instance in choices)
    selected = [_find_choice(word.strip(), gpus) for word in normalized.split(",")]
    if len({(gpu.index, part.index if part else None) for gpu, part in selected}) < len(selected):
        raise _build_invalid_error(text, "a list of different GPUs", "name each GPU once, like 0,1.")
    ordered = sorted(selected, key=lambda choice: (choice[0].index, choice[1].index if choice[1] else -1))
    return tuple(_get_gpu_id(gpu, part) for gpu, part in ordered)


def format_gpu_names(names: Sequence[str]) -> str:
    """Return "GPU 0", "GPUs 0 and 1" or "GPUs 0, 1 and 2"."""
    if len(names) == 1:
        return f"GPU {names[0]}"
    return f"GPUs {', '.join(names[:-1])} and {names[-1]}"


def _find_choice(word: str, gpus: Sequence[Gpu]) -> tuple[Gpu, MigInstance | None]:
    choices = [choice for gpu in gpus for choice in (((gpu, None),) if gpu.instances else _list_choices(gpu))]
    choices += [(gpu, instance) for gpu in gpus for instance in gpu.instances]
    if re.fullmatch(r"\d+(:\d+)?", word):
        matches = [(gpu, part) for gpu, part in choices if word in _list_indices(gpu, part)]
    elif re.match(r"(GPU|MIG)-[0-9a-f]", word, re.IGNORECASE):
        uuid = word.casefold()
        matches = [
            (gpu, part) for gpu, part in choices if (part.uuid if part else gpu.uuid).casefold().startswith(uuid)
        ]
    else:
        raise _build_invalid_error(word, "a GPU", "use indices like 0,1, a UUID like GPU-… or MIG-…, all or none.")
    if len(matches) > 1:
        raise _build_invalid_error(word, "the start of a single UUID", "type more of it.")
    if not matches:
        raise _build_invalid_error(word, "a GPU of this machine", _describe_available(gpus))
    gpu, part = matches[0]
    if gpu.lost:
        raise _build_invalid_error(word, "a working GPU", "the driver has lost it. Restart the machine.")
    if part is None and gpu.instances:
        instance_names = " or ".join(f"{gpu.index}:{item.index}" for item in gpu.instances)
        raise _build_invalid_error(word, "a whole GPU", f"it's split into instances. Use {instance_names}.")
    return gpu, part


def _list_choices(gpu: Gpu) -> list[tuple[Gpu, MigInstance | None]]:
    """Return what can be selected of a GPU: its instances if it is split, otherwise the GPU itself."""
    return [(gpu, instance) for instance in gpu.instances] if gpu.instances else [(gpu, None)]


def _list_indices(gpu: Gpu, instance: MigInstance | None) -> set[str]:
    return {f"{gpu.index}:{instance.index}"} if instance else {str(gpu.index)}


def _get_gpu_id(gpu: Gpu, instance: MigInstance | None) -> str:
    return instance.uuid if instance else str(gpu.index)


def _describe_available(gpus: Sequence[Gpu]) -> str:
    choices = [choice for gpu in gpus for choice in _list_choices(gpu)]
    names = [f"{gpu.index}:{instance.index}" if instance else str(gpu.index) for gpu, instance in choices]
    return f"it has {format_gpu_names(names)}." if names else "it has no GPU. Use none."


def _build_invalid_error(value: str, expected: str, advice: str) -> InvalidValueError:
    return InvalidValueError(value=value, expected=expected, name="gpus", advice=advice)
