"""Which cards a person means: `0,1`, `all`, `none`, a UUID, or an instance of a split card."""

import re
from collections.abc import Sequence

from clearml_chatops.models.errors import InvalidValueError
from clearml_chatops.models.gpus import Gpu, MigInstance

ALL, NONE = "all", "none"


def select_gpus(text: str, gpus: Sequence[Gpu]) -> tuple[str, ...]:
    """The cards in order, as `clearml-agent --gpus` takes them: indices, and UUIDs of instances.

    A card is chosen by its index or its UUID, an instance of a split one by its UUID or as `0:1`; of a UUID
    the beginning is enough where it is the only one. `all` leaves out what is lost.

    Raises:
        InvalidValueError: there is no such card, it is lost, split, or named twice.
    """
    normalized = text.strip()
    if normalized.casefold() == NONE:
        return ()
    if normalized.casefold() == ALL:
        choices = [choice for gpu in gpus if not gpu.lost for choice in _list_choices(gpu)]
        if not choices:
            raise _build_invalid_error(text, "possible here", "this machine has no GPU that works; use none.")
        return tuple(_get_gpu_id(gpu, instance) for gpu, instance in choices)
    selected = [_find_choice(word.strip(), gpus) for word in normalized.split(",")]
    if len({(gpu.index, part.index if part else None) for gpu, part in selected}) < len(selected):
        raise _build_invalid_error(text, "a list of different cards", "name each card once, like 0,1.")
    ordered = sorted(selected, key=lambda place: (place[0].index, place[1].index if place[1] else -1))
    return tuple(_get_gpu_id(gpu, part) for gpu, part in ordered)


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
        raise _build_invalid_error(
            word, "a card", "write indices like 0,1, a UUID like GPU-… or MIG-…, all or none."
        )
    if len(matches) > 1:
        raise _build_invalid_error(word, "the beginning of one UUID only", "write more of it.")
    if not matches:
        raise _build_invalid_error(word, "a card of this machine", _describe_available(gpus))
    gpu, part = matches[0]
    if gpu.lost:
        raise _build_invalid_error(
            word, "a card that works", "the driver has lost it; the machine needs a restart."
        )
    if part is None and gpu.instances:
        instance_names = " or ".join(f"{gpu.index}:{item.index}" for item in gpu.instances)
        raise _build_invalid_error(word, "a whole card", f"it is split; choose a part of it: {instance_names}.")
    return gpu, part


def _list_choices(gpu: Gpu) -> list[tuple[Gpu, MigInstance | None]]:
    """What can be chosen of a card: itself, or its parts where it is split."""
    return [(gpu, instance) for instance in gpu.instances] if gpu.instances else [(gpu, None)]


def _list_indices(gpu: Gpu, instance: MigInstance | None) -> set[str]:
    return {f"{gpu.index}:{instance.index}"} if instance else {str(gpu.index)}


def _get_gpu_id(gpu: Gpu, instance: MigInstance | None) -> str:
    return instance.uuid if instance else str(gpu.index)


def _describe_available(gpus: Sequence[Gpu]) -> str:
    names = [
        f"{gpu.index}:{instance.index}" if instance else str(gpu.index)
        for gpu in gpus
        for _, instance in _list_choices(gpu)
    ]
    return f"it has {', '.join(names)}." if names else "it has none; use none."


def _build_invalid_error(value: str, expected: str, advice: str) -> InvalidValueError:
    return InvalidValueError(value=value, expected=expected, name="gpus", advice=advice)
