"""Rendering of figures off the event loop. Loads matplotlib with the first one."""

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
    """Renders figures as PNGs. matplotlib caches the machine's fonts in `cache_folder`."""

    def __init__(self, cache_folder: Path) -> None:
        self._cache_folder = cache_folder
        self._load_lock = threading.Lock()

    async def render_curves(self, title: str, panels: Sequence[Panel]) -> bytes:
        """Return a PNG of 1 to `MAX_PANELS` panels under a title."""
        return await asyncio.to_thread(lambda: bytes(self._load_figures_module().render_curves_png(title, panels)))

    async def render_bars(self, title: str, bars: Sequence[Bar]) -> bytes:
        """Return a PNG of bars, one below the other, under a title."""
        return await asyncio.to_thread(lambda: bytes(self._load_figures_module().render_bars_png(title, bars)))

    def _load_figures_module(self) -> ModuleType:
        with self._load_lock, _set_temporary_variable(_CACHE_FOLDER_VARIABLE, str(self._cache_folder)):
            # Loading matplotlib takes half a second; commands without figures should not pay for it.
            from clearml_chatops.services.experiments import figures  # noqa: PLC0415

            return figures


@contextmanager
def _set_temporary_variable(name: str, value: str) -> Iterator[None]:
    """Set an environment variable inside the block, unless it is already set.

    It is removed afterwards, so that agents that the bot starts do not inherit it.
    """
    if name in os.environ:
        yield
        return
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name, None)
