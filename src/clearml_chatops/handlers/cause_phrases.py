"""What happened to runs that failed for the same cause, as in “12 lost their worker”."""

from clearml_chatops.services.notifications.failure_patterns.rows import FailureCause

_PHRASES = {
    FailureCause.CUDA_OUT_OF_MEMORY: "ran out of GPU memory",
    FailureCause.CUDA_ASSERT: "hit a CUDA assertion",
    FailureCause.CUDA_INCOMPATIBLE: "used an incompatible CUDA version",
    FailureCause.CUDA_BROKEN: "got a CUDA error",
    FailureCause.GPU_NOT_THERE: "asked for a GPU that isn't there",
    FailureCause.DISTRIBUTED: "lost contact between their processes",
    FailureCause.HOST_OUT_OF_MEMORY: "ran out of memory",
    FailureCause.OPEN_FILES: "opened too many files",
    FailureCause.NO_SPACE: "ran out of disk space",
    FailureCause.FILE_MISSING: "couldn't find a file",
    FailureCause.PERMISSION: "lacked a permission",
    FailureCause.NETWORK: "had a network error",
    FailureCause.CREDENTIALS: "had wrong credentials",
    FailureCause.DOCKER: "couldn't start their container",
    FailureCause.IMAGE: "couldn't get their image",
    FailureCause.MOUNT: "couldn't mount a folder",
    FailureCause.GIT: "couldn't get their code from Git",
    FailureCause.NO_CODE: "had no code to run",
    FailureCause.PACKAGES: "couldn't install their packages",
    FailureCause.MODULE_MISSING: "couldn't import a module",
    FailureCause.MODULE_VERSION: "had an incompatible package version",
    FailureCause.SYSTEM_LIBRARY: "lacked a system library",
    FailureCause.ARGUMENTS: "got wrong arguments",
    FailureCause.INTERRUPTED: "got interrupted",
    FailureCause.KILLED: "got killed",
    FailureCause.WORKER_LOST: "lost their worker",
    FailureCause.CRASHED: "crashed",
    FailureCause.ASSERTION: "failed an assertion",
    FailureCause.CODE: "raised an error",
}
UNKNOWN_CAUSE_PHRASE = "failed without a known cause"


def get_cause_phrase(cause: str, count: int) -> str:
    """Return what happened to this many runs. A cause that another version has stored counts as unknown."""
    known = {each.value: phrase for each, phrase in _PHRASES.items()}
    phrase = known.get(cause, UNKNOWN_CAUSE_PHRASE)
    return phrase if count > 1 else phrase.replace("their", "its")
