"""What was typed before, kept for the arrow keys in a file that only its owner can read."""

from contextlib import suppress
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

_OWNER_ONLY = 0o600


def open_history(path: Path | None) -> History:
    """A history in a file; in memory where there is no place for a file."""
    if path is None:
        return InMemoryHistory()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=_OWNER_ONLY)
        path.chmod(_OWNER_ONLY)
    except OSError:
        return InMemoryHistory()
    return _PrivateHistory(path)


class _PrivateHistory(FileHistory):
    """Leaves out what begins with a blank, as shells do, and a line typed twice."""

    def append_string(self, string: str) -> None:
        if not string.startswith(" ") and self.get_strings()[-1:] != [string]:
            super().append_string(string)

    def store_string(self, string: str) -> None:
        # A full disk must not end the chat.
        with suppress(OSError):
            super().store_string(string)
