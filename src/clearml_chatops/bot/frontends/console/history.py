"""The history of typed lines, in a file that only its owner can read."""

from contextlib import suppress
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

_OWNER_ONLY = 0o600


def open_history(path: Path | None) -> History:
    """Return a history in a file, or in memory if the file can't be written."""
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
    """A history without lines that start with a space, as in shells, and without repeated lines."""

    def append_string(self, string: str) -> None:
        if not string.startswith(" ") and self.get_strings()[-1:] != [string]:
            super().append_string(string)

    def store_string(self, string: str) -> None:
        # The chat continues on a full disk.
        with suppress(OSError):
            super().store_string(string)
