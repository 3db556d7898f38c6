"""The columns of the table of failure causes."""

import re
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import cached_property


class FailureCause(StrEnum):
    """Why a run failed. Several rows of the table can have the same cause."""

    CUDA_OUT_OF_MEMORY = "cuda_out_of_memory"
    CUDA_ASSERT = "cuda_assert"
    CUDA_INCOMPATIBLE = "cuda_incompatible"
    CUDA_BROKEN = "cuda_broken"
    GPU_NOT_THERE = "gpu_not_there"
    DISTRIBUTED = "distributed"
    HOST_OUT_OF_MEMORY = "memory_of_the_host"
    OPEN_FILES = "open_files"
    NO_SPACE = "no_space"
    FILE_MISSING = "file_missing"
    PERMISSION = "permission"
    NETWORK = "network"
    CREDENTIALS = "credentials"
    DOCKER = "docker"
    IMAGE = "image"
    MOUNT = "mount"
    GIT = "git"
    NO_CODE = "no_code"
    PACKAGES = "packages"
    MODULE_MISSING = "module_missing"
    MODULE_VERSION = "module_version"
    SYSTEM_LIBRARY = "system_library"
    ARGUMENTS = "arguments"
    INTERRUPTED = "interrupted"
    KILLED = "killed"
    WORKER_LOST = "worker_lost"
    CRASHED = "crashed"
    ASSERTION = "assertion"
    CODE = "code"
    UNKNOWN = "unknown"


class NextStep(Enum):
    """What can help after a failure. Each is a button."""

    CLONE = "clone"
    SHOW_LOG = "log"
    RETRY = "retry"
    SHOW_CONTAINER = "container"
    SHOW_PARAMETERS = "parameters"
    SHOW_CODE = "code"
    SHOW_GPUS = "gpus"
    SHOW_WORKERS = "workers"


class Precision(Enum):
    """How much a pattern tells.

    An exact one names the cause. A general one names only what failed, so an exact one is preferred wherever it
    is in the log. A consequence follows from another failure, so even an error of the code is preferred.
    """

    EXACT = "exact"
    GENERAL = "general"
    CONSEQUENCE = "consequence"


class Remedy(Enum):
    """What the experiment itself can add to the advice."""

    GPU_PARAMETER = "GPU parameter"
    MOUNT = "mount"
    USER = "user"


CHANGE = (NextStep.CLONE, NextStep.SHOW_LOG)
CHANGE_CONTAINER = (NextStep.CLONE, NextStep.SHOW_CONTAINER, NextStep.SHOW_LOG)
CHANGE_PARAMETERS = (NextStep.CLONE, NextStep.SHOW_PARAMETERS, NextStep.SHOW_LOG)
RETRY = (NextStep.RETRY, NextStep.SHOW_LOG, NextStep.CLONE)
CHECK_WORKER = (NextStep.RETRY, NextStep.SHOW_WORKERS, NextStep.SHOW_LOG)
CHECK_GPU = (NextStep.SHOW_GPUS, NextStep.RETRY, NextStep.SHOW_LOG)
LOOK = (NextStep.SHOW_LOG, NextStep.RETRY, NextStep.CLONE)


@dataclass(frozen=True)
class FailurePattern:
    """One row: what programs print for a cause, what to say, what to do, and the buttons, the best first.

    The first group of `pattern` that matches is the detail: `{: X}` in `says` becomes the detail after a colon,
    and is left out if there is none. `^` and `$` match at each line. Quantifiers have an upper limit, so that no
    log takes long. With `is_machine_fault`, the same run may succeed elsewhere or after a repair.
    """

    cause: FailureCause
    pattern: str
    says: str
    advice: str
    steps: tuple[NextStep, ...]
    is_machine_fault: bool = False
    precision: Precision = Precision.EXACT
    remedy: Remedy | None = None

    @cached_property
    def regex(self) -> re.Pattern[str]:
        return re.compile(self.pattern, re.MULTILINE)
