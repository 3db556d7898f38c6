"""Waiting for a condition, with a generous timeout instead of a fixed sleep."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

_POLL_INTERVAL_SECONDS = 0.1
_TIMEOUT_SECONDS = 120.0


async def wait_until(condition: Callable[[], Any]) -> None:
    """Wait until a plain or async condition returns something true. Fail after two minutes."""
    async with asyncio.timeout(_TIMEOUT_SECONDS):
        while True:
            found = condition()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(_POLL_INTERVAL_SECONDS)
