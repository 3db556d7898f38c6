"""Adds to a diagnosis what the failed experiment tells: its GPU parameter, its mounts, its user. Pure."""

import re
import shlex
from dataclasses import replace
from posixpath import dirname, splitext

from clearml_chatops.models.experiments import Experiment
from clearml_chatops.services.notifications.container_arguments import find_mount, find_user
from clearml_chatops.services.notifications.diagnosis import Diagnosis, SuggestedChange
from clearml_chatops.services.notifications.failure_patterns.rows import NextStep, Remedy
from clearml_chatops.services.workers.gpu_parameters import (
    GpuParameter,
    describe_numbering,
    find_misfit,
    list_gpu_parameters,
)
from clearml_chatops.services.workers.gpu_selection import format_gpu_names

_MAX_ARGUMENTS_LENGTH = 200
"""Longer container arguments aren't repeated in a message."""


def add_remedy(diagnosis: Diagnosis, experiment: Experiment, gpu_count: int | None) -> Diagnosis:
    """Return the diagnosis with what the experiment tells. Its worker has `gpu_count` GPUs; None if unknown."""
    match diagnosis.remedy:
        case Remedy.GPU_PARAMETER:
            return _explain_gpus(diagnosis, experiment, gpu_count)
        case Remedy.MOUNT if _uses_container(experiment):
            return replace(diagnosis, summary=_explain_mount(diagnosis.detail, experiment))
        case Remedy.USER if _uses_container(experiment) and diagnosis.detail.startswith("/"):
            return replace(diagnosis, summary=_explain_user(diagnosis.detail, experiment))
        case _:
            return diagnosis


def _explain_gpus(diagnosis: Diagnosis, experiment: Experiment, gpu_count: int | None) -> Diagnosis:
    """Say which GPU the experiment asks for and which ones its run has, and suggest a value that fits."""
    worker = experiment.worker_id or "its worker"
    parameters = [_read_as_requested(item, diagnosis.detail) for item in list_gpu_parameters(experiment)]
    misfit = find_misfit(parameters, gpu_count)
    if gpu_count == 0:
        asks = f" ({misfit.parameter.key} is {misfit.parameter.value})" if misfit else ""
        summary = (
            f"It needs a GPU{asks}, but {worker} has none. Start a worker with one, like /worker start gpus=0."
        )
        return replace(
            diagnosis, summary=summary, steps=tuple(dict.fromkeys((NextStep.SHOW_WORKERS, *diagnosis.steps)))
        )
    has = f"{worker} {describe_numbering(gpu_count)}" if gpu_count else "a run's GPUs are numbered from 0"
    if misfit is None:
        if gpu_count is None:
            return diagnosis
        summary = f"It asked for a GPU that it doesn't have: {has}. Correct the GPU in its parameters or code."
        return replace(diagnosis, summary=summary)
    key, value = misfit.parameter.key, misfit.suggest(gpu_count)
    asked = f"It asked for {_describe_request(misfit)} ({key} is {misfit.parameter.value})"
    typed_key = f'"{key}"' if " " in str(key) else key
    return replace(
        diagnosis,
        summary=f"{asked}, but {has}. Clone it and use /set {typed_key} {value}.",
        suggested_change=SuggestedChange(key, value, experiment.queue_id),
    )


def _read_as_requested(parameter: GpuParameter, requested: str) -> GpuParameter:
    """Return the parameter as a count if the run understood it so: Lightning's devices=2 requests [0, 1]."""
    indices = [int(number) for number in re.findall(r"\d{1,3}", requested)]
    is_count = indices == list(range(len(indices))) and parameter.numbers == (len(indices),)
    return replace(parameter, is_count=True) if is_count else parameter


def _describe_request(parameter: GpuParameter) -> str:
    if not parameter.is_count:
        return format_gpu_names([str(number) for number in parameter.numbers])
    return f"{parameter.numbers[0]} GPUs"


def _explain_mount(path: str, experiment: Experiment) -> str:
    """Say whether the container has a mount for a missing path, and how to add one."""
    mount = find_mount(experiment.container.arguments, path)
    if mount is not None:
        return (
            f"{path} is missing: the container has {mount.source} of the machine as {mount.target}, "
            "without it. Check the name, or mount another folder with -v."
        )
    folder = (dirname(path) if splitext(path)[1] else path.rstrip("/")) or "/"
    advice = _advise_argument(experiment, f"-v {shlex.quote(f'{folder}:{folder}')}")
    return f"{path} is missing: nothing is mounted there. If the machine has it, clone it and {advice}."


def _explain_user(path: str, experiment: Experiment) -> str:
    """Say which user may not use a path, and which one can."""
    arguments = experiment.container.arguments
    mount, user = find_mount(arguments, path), find_user(arguments)
    if mount is not None and mount.is_read_only:
        return f"The run can't write to {path}: it's mounted read-only. Clone it and remove :ro in /container."
    if user:
        return (
            f"The container runs as user {user}, who may not use {path}. "
            "Clone it and use the owner of the folder for --user in /container, or change the folder's owner."
        )
    advice = _advise_argument(experiment, "--user 1000:1000")
    return (
        f"The container's own user may not use {path}. "
        f"Clone it and {advice}, with the numbers of the folder's owner (see ls -ln)."
    )


def _advise_argument(experiment: Experiment, argument: str) -> str:
    """Return what to type to add a container argument, with those that it has."""
    arguments = experiment.container.arguments.strip()
    is_repeatable = len(arguments) <= _MAX_ARGUMENTS_LENGTH and not set('"\\\n') & set(arguments + argument)
    if not is_repeatable:
        return f"add {argument} to the arguments in /container"
    return f'use /container args="{" ".join(filter(None, (arguments, argument)))}"'


def _uses_container(experiment: Experiment) -> bool:
    return bool(experiment.container.image or experiment.container.arguments)
