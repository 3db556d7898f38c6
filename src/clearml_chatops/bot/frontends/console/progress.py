"""The progress spinner for slow commands."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

WaitForProgress = Callable[[], Awaitable[object]]
"""Returns when the spinner is due."""


async def wait_one_second() -> None:
    await asyncio.sleep(1)


@asynccontextmanager
async def show_progress_after(
    wait_for_progress: WaitForProgress, console: Console, hint: str
) -> AsyncIterator[None]:
    """Show a spinner after a delay, until the block ends. Only a screen shows it, and it disappears at the end."""
    if not console.is_interactive or console.record:
        yield
        return
    progress_task = asyncio.create_task(_show_after(wait_for_progress, console, hint))
    try:
        yield
    finally:
        progress_task.cancel()
        await asyncio.gather(progress_task, return_exceptions=True)


async def _show_after(wait_for_progress: WaitForProgress, console: Console, hint: str) -> None:
    await wait_for_progress()
    columns = (
        SpinnerColumn(style="cyan"),
        TextColumn("working…", style="dim"),
        TimeElapsedColumn(),
        TextColumn(hint, style="dim", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        progress.add_task("")
        await asyncio.Event().wait()
