"""The parameters by which experiments choose their GPUs. A run's GPUs are numbered from 0. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from clearml_chatops.models.errors import InvalidParameterValueError
from clearml_chatops.models.experiments import Experiment, Parameter
from clearml_chatops.services.experiments.parameter_values import normalize_value

_INDEX_NAMES = frozenset(
    {"gpus", "gpu", "gpu_ids", "gpu_id", "gpu_index", "device", "devices", "device_ids", "device_id"}
    | {"cuda_device", "cuda_devices", "cuda_visible_devices", "visible_devices"}
)
_COUNT_NAMES = frozenset(
    {"num_gpus", "n_gpus", "n_gpu", "ngpus", "gpu_count", "num_devices", "nproc_per_node", "gpus_per_node"}
)
_DEVICE_PREFIX = "cuda:"
_SHAPES = (("[", "]"), ("(", ")"), (_DEVICE_PREFIX, ""), ("", ""))
"""What may stand before and after the numbers: 0,1 or [0, 1] or (0,) or cuda:0."""
_MAX_DIGITS = 3


@dataclass(frozen=True, slots=True)
class GpuParameter:
    """A parameter that names GPUs by index, or their number if `is_count`."""

    parameter: Parameter
    numbers: tuple[int, ...]
    is_count: bool = False
    prefix: str = ""

    def fits(self, gpu_count: int) -> bool:
        """Return whether a run with so many GPUs has those that it names."""
        return self.numbers[0] <= gpu_count if self.is_count else max(self.numbers) < gpu_count

    def suggest(self, gpu_count: int | None) -> str:
        """Return the value, as ClearML writes it, that names GPUs which a run with so many GPUs has.

        If their number is unknown, it names as many as now, from 0.
        """
        if self.is_count:
            return self._write(str(gpu_count or 1))
        count = len(self.numbers) if gpu_count is None else min(gpu_count, len(self.numbers))
        return self._write(self.prefix + ",".join(map(str, range(count))))

    def _write(self, value: str) -> str:
        """Return a list such as `[0]` if the parameter is one; the value itself if it fits no type."""
        try:
            return normalize_value(self.parameter, value)
        except InvalidParameterValueError:
            return value


def list_gpu_parameters(experiment: Experiment) -> list[GpuParameter]:
    """Return the parameters that choose GPUs, those that name them by index first."""
    found = [item for parameter in experiment.parameters for item in _read(parameter)]
    return sorted(found, key=lambda item: item.is_count)


def find_misfit(parameters: Iterable[GpuParameter], gpu_count: int | None) -> GpuParameter | None:
    """Return the first parameter that a run with so many GPUs can't fulfil. An unknown number counts as 1."""
    return next((item for item in parameters if not item.fits(1 if gpu_count is None else gpu_count)), None)


def describe_numbering(gpu_count: int) -> str:
    """Return how many GPUs a worker has and which indices its runs see."""
    if gpu_count == 0:
        return "has no GPU"
    if gpu_count == 1:
        return "has 1 GPU, which its runs see as GPU 0"
    word = "and" if gpu_count == 2 else "to"  # noqa: PLR2004  # "0 and 1", but "0 to 2"
    return f"has {gpu_count} GPUs, which its runs see as GPUs 0 {word} {gpu_count - 1}"


def _read(parameter: Parameter) -> Iterator[GpuParameter]:
    """Yield the GPU parameter that a parameter is, if any. A name may have its group in front: trainer.devices."""
    name = re.split(r"[./]", parameter.name)[-1].casefold().replace("-", "_")
    if name not in _INDEX_NAMES | _COUNT_NAMES:
        return
    text = parameter.value.strip()
    for opening, closing in _SHAPES:
        numbers = _read_numbers(text, opening, closing)
        is_count = name in _COUNT_NAMES
        if numbers and not (is_count and len(numbers) > 1):
            yield GpuParameter(parameter, numbers, is_count, opening if opening == _DEVICE_PREFIX else "")
            return


def _read_numbers(text: str, opening: str, closing: str) -> tuple[int, ...]:
    if not (text.startswith(opening) and text.endswith(closing)):
        return ()
    listed = text.removeprefix(opening).removesuffix(closing).rstrip(", ")
    words = [word.strip().strip("'\"") for word in listed.split(",")]
    is_valid = all(word.isascii() and word.isdigit() and len(word) <= _MAX_DIGITS for word in words)
    return tuple(map(int, words)) if is_valid else ()
