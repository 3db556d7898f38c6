"""Pictures, drawn off the event loop. matplotlib is loaded when the first one is asked for."""

import asyncio
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from clearml_chatops.models.figures import Bar, Panel

_CACHE_FOLDER_VARIABLE = "MPLCONFIGDIR"


class FigureRenderer:
    """Makes PNGs. `cache_folder` keeps what matplotlib found out about the machine's fonts."""

    def __init__(self, cache_folder: Path) -> None:
        self._cache_folder = cache_folder
        self._load_lock = threading.Lock()

    async def render_curves(self, title: str, panels: Sequence[Panel]) -> bytes:
        """A PNG of at most `MOST_PANELS` panels under a title."""
        return await asyncio.to_thread(lambda: bytes(self._load_figures_module().curves_png(title, panels)))

    async def render_bars(self, title: str, bars: Sequence[Bar]) -> bytes:
        """A PNG of bars, one below the other, under a title."""
        return await asyncio.to_thread(lambda: bytes(self._load_figures_module().bars_png(title, bars)))

    def _load_figures_module(self) -> ModuleType:
        with self._load_lock, _set_temporary_variable(_CACHE_FOLDER_VARIABLE, str(self._cache_folder)):
            # Loading matplotlib takes half a second, which no other command should wait for.
            from clearml_chatops.services.experiments import figures  # noqa: PLC0415

            return figures


@contextmanager
def _set_temporary_variable(name: str, value: str) -> Iterator[None]:
    """An environment variable with this value for a moment, if it has none.

    Only while matplotlib is loaded: it stays out of the environment of the agents that the bot starts.
    """
    if name in os.environ:
        yield
        return
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name, None)
