"""Which cards a person means: `0,1`, `all`, `none`, a UUID, or an instance of a split card."""

import re
from collections.abc import Sequence

from clearml_chatops.models.errors import InvalidValueError
from clearml_chatops.models.gpus import Gpu, MigInstance

ALL, NONE = "all", "none"


def chosen_gpus(text: str, gpus: Sequence[Gpu]) -> tuple[str, ...]:
    """The cards in order, as `clearml-agent --gpus` takes them: indices, and UUIDs of instances.

    A card is chosen by its index or its UUID, an instance of a split one by its UUID or as `0:1`; of a UUID
    the beginning is enough where it is the only one. `all` leaves out what is lost.

    Raises:
        InvalidValueError: there is no such card, it is lost, split, or named twice.
    """
    wanted = text.strip()
    if wanted.casefold() == NONE:
        return ()
    if wanted.casefold() == ALL:
        places = [place for gpu in gpus if not gpu.lost for place in _places(gpu)]
        if not places:
            raise _invalid(text, "possible here", "this machine has no GPU that works; use none.")
        return tuple(_name(gpu, part) for gpu, part in places)
    found = [_find(word.strip(), gpus) for word in wanted.split(",")]
    if len({(gpu.index, part.index if part else None) for gpu, part in found}) < len(found):
        raise _invalid(text, "a list of different cards", "name each card once, like 0,1.")
    in_order = sorted(found, key=lambda place: (place[0].index, place[1].index if place[1] else -1))
    return tuple(_name(gpu, part) for gpu, part in in_order)


def _find(word: str, gpus: Sequence[Gpu]) -> tuple[Gpu, MigInstance | None]:
    places = [place for gpu in gpus for place in (((gpu, None),) if gpu.instances else _places(gpu))]
    places += [(gpu, part) for gpu in gpus for part in gpu.instances]
    if re.fullmatch(r"\d+(:\d+)?", word):
        fitting = [(gpu, part) for gpu, part in places if word in _numbers(gpu, part)]
    elif re.match(r"(GPU|MIG)-[0-9a-f]", word, re.IGNORECASE):
        uuid = word.casefold()
        fitting = [
            (gpu, part) for gpu, part in places if (part.uuid if part else gpu.uuid).casefold().startswith(uuid)
        ]
    else:
        raise _invalid(word, "a card", "write indices like 0,1, a UUID like GPU-… or MIG-…, all or none.")
    if len(fitting) > 1:
        raise _invalid(word, "the beginning of one UUID only", "write more of it.")
    if not fitting:
        raise _invalid(word, "a card of this machine", _what_there_is(gpus))
    gpu, part = fitting[0]
    if gpu.lost:
        raise _invalid(word, "a card that works", "the driver has lost it; the machine needs a restart.")
    if part is None and gpu.instances:
        parts = " or ".join(f"{gpu.index}:{item.index}" for item in gpu.instances)
        raise _invalid(word, "a whole card", f"it is split; choose a part of it: {parts}.")
    return gpu, part


def _places(gpu: Gpu) -> list[tuple[Gpu, MigInstance | None]]:
    """What can be chosen of a card: itself, or its parts where it is split."""
    return [(gpu, part) for part in gpu.instances] if gpu.instances else [(gpu, None)]


def _numbers(gpu: Gpu, part: MigInstance | None) -> set[str]:
    return {f"{gpu.index}:{part.index}"} if part else {str(gpu.index)}


def _name(gpu: Gpu, part: MigInstance | None) -> str:
    return part.uuid if part else str(gpu.index)


def _what_there_is(gpus: Sequence[Gpu]) -> str:
    names = [f"{gpu.index}:{part.index}" if part else str(gpu.index) for gpu in gpus for _, part in _places(gpu)]
    return f"it has {', '.join(names)}." if names else "it has none; use none."


def _invalid(value: str, expected: str, advice: str) -> InvalidValueError:
    return InvalidValueError(value=value, expected=expected, name="gpus", advice=advice)
