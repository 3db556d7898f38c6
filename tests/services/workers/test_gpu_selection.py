"""Selecting GPUs from what people type."""

import pytest

from clearml_chatops.models.errors import InvalidValueError
from clearml_chatops.models.gpus import Gpu, MigInstance
from clearml_chatops.services.workers.gpu_selection import select_gpus

_TWO_GPUS = (Gpu(0, "GPU-aaaa1111"), Gpu(1, "GPU-aaaa2222"))
_WITH_SPLIT_GPU = (
    *_TWO_GPUS,
    Gpu(2, "GPU-bbbb", instances=(MigInstance(0, "MIG-cccc"), MigInstance(3, "MIG-dddd"))),
    Gpu(3, "GPU-eeee", lost=True),
)


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("0", ("0",)),
        ("1,0", ("0", "1")),
        (" 1 , 0 ", ("0", "1")),
        ("all", ("0", "1", "MIG-cccc", "MIG-dddd")),
        ("ALL", ("0", "1", "MIG-cccc", "MIG-dddd")),
        ("none", ()),
        ("GPU-aaaa2222", ("1",)),
        ("gpu-aaaa2", ("1",)),
        ("GPU-aaaa2222,0", ("0", "1")),
        ("MIG-dddd", ("MIG-dddd",)),
        ("2:3,2:0", ("MIG-cccc", "MIG-dddd")),
        ("mig-c,1", ("1", "MIG-cccc")),
    ],
)
def test_gpus_are_selected_by_index_uuid_or_instance(text: str, selected: tuple[str, ...]) -> None:
    assert select_gpus(text, _WITH_SPLIT_GPU) == selected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("9", "gpus: “9” isn't a GPU of this machine. It has GPUs 0, 1, 2:0, 2:3 and 3."),
        ("0,9", "gpus: “9” isn't a GPU of this machine. It has GPUs 0, 1, 2:0, 2:3 and 3."),
        ("2:1", "gpus: “2:1” isn't a GPU of this machine. It has GPUs 0, 1, 2:0, 2:3 and 3."),
        ("GPU-ffff", "gpus: “GPU-ffff” isn't a GPU of this machine. It has GPUs 0, 1, 2:0, 2:3 and 3."),
        ("GPU-aaaa", "gpus: “GPU-aaaa” isn't the start of a single UUID. Type more of it."),
        ("0,0", "gpus: “0,0” isn't a list of different GPUs. Name each GPU once, like 0,1."),
        ("1,GPU-aaaa2", "gpus: “1,GPU-aaaa2” isn't a list of different GPUs. Name each GPU once, like 0,1."),
        ("2", "gpus: “2” isn't a whole GPU. It's split into instances. Use 2:0 or 2:3."),
        ("GPU-bbbb", "gpus: “GPU-bbbb” isn't a whole GPU. It's split into instances. Use 2:0 or 2:3."),
        ("3", "gpus: “3” isn't a working GPU. The driver has lost it. Restart the machine."),
    ],
)
def test_unusable_gpu_error_says_what_to_do(text: str, sentence: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        select_gpus(text, _WITH_SPLIT_GPU)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("text", ["", ",", "0,", "-1", "first", "0-1", "0;1", "GPU-", "all,0", "none,0", "0:"])
def test_invalid_selection_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        select_gpus(text, _WITH_SPLIT_GPU)


def test_without_gpus_only_none_can_be_selected() -> None:
    assert select_gpus("none", ()) == ()
    for text in ("all", "0"):
        with pytest.raises(InvalidValueError, match="Use none"):
            select_gpus(text, ())
