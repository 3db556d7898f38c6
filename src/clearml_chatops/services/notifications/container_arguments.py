"""Reads mounts and the user from the arguments of `docker run`. Pure."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

_MOUNT_OPTIONS = ("-v", "--volume")
_USER_OPTIONS = ("-u", "--user")


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder or volume of the machine, and where the container has it."""

    source: str
    target: str
    is_read_only: bool = False


def find_mount(arguments: str, path: str) -> Mount | None:
    """Return the mount that contains a path of the container, the innermost if several do."""
    mounts = [item for item in _iterate_mounts(arguments) if _contains(item.target, path)]
    return max(mounts, key=lambda item: len(item.target), default=None)


def find_user(arguments: str) -> str:
    """Return the value of `--user`; empty if there is none."""
    return next((value for option, value in _iterate_options(arguments) if option in _USER_OPTIONS), "")


def _iterate_mounts(arguments: str) -> Iterator[Mount]:
    for option, value in _iterate_options(arguments):
        if option in _MOUNT_OPTIONS and ":" in value:
            source, target, *options = value.split(":")
            yield Mount(source, target, "ro" in ",".join(options).split(","))
        elif option == "--mount":
            fields = dict(part.partition("=")[::2] for part in value.split(","))
            target = fields.get("target") or fields.get("destination") or fields.get("dst", "")
            source = fields.get("source") or fields.get("src", "")
            yield Mount(source, target, bool({"readonly", "ro"} & fields.keys()))


def _iterate_options(arguments: str) -> Iterator[tuple[str, str]]:
    """Yield options with their values, written `--user 1000` or `--user=1000`."""
    words = _split(arguments)
    for word, following in pairwise((*words, "")):
        option, equals, value = word.partition("=")
        if option.startswith("-"):
            yield (option, value) if equals else (word, following)


def _split(arguments: str) -> list[str]:
    try:
        return shlex.split(arguments)
    except ValueError:
        # A quote isn't closed. Docker got the words as the agent split them.
        return arguments.split()


def _contains(folder: str, path: str) -> bool:
    prefix = folder.rstrip("/")
    return bool(folder.startswith("/")) and (path == prefix or path.startswith(f"{prefix}/"))
