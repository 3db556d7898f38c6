"""What `clearml-chatops sandbox` does: serve, and say how to use the server."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TextIO

from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.sandbox.server import Sandbox


async def serve(*, port: int, empty: bool, stream: TextIO, stop_event: asyncio.Event | None = None) -> None:
    """Runs a sandbox until SIGINT, SIGTERM, or until `stop` is set.

    Args:
        port: Where to listen on 127.0.0.1; 0 takes a free port.
        empty: Leave the demo's experiments out.
        stream: Gets `export NAME=value` lines to use the server with, the other users' as comments, and a
            last line `ready`.
        stop: Ends the server from within the process; signals are left alone then.

    Raises:
        OSError: The port is taken.
    """
    sandbox = Sandbox()
    if not empty:
        add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    await sandbox.start(port=port)
    try:
        # before "ready": whoever waits for that line may send the signal at once
        with _stop_on_signals() if stop_event is None else nullcontext(stop_event) as stopped:
            stream.write("\n".join((*format_environment(sandbox), "ready", "")))
            stream.flush()
            await stopped.wait()
    finally:
        await sandbox.aclose()


def format_environment(sandbox: Sandbox) -> list[str]:
    """Lines for a shell: the server's addresses and Alice's keys; the keys of the others as comments."""
    lines = [
        f"export {name}={sandbox.url}" for name in ("CLEARML_API_HOST", "CLEARML_WEB_HOST", "CLEARML_FILES_HOST")
    ]
    for user in (sandbox.alice, sandbox.bob, sandbox.carol):
        prefix = "" if user is sandbox.alice else "# "
        lines += [
            f"# {user.name}, role {user.role}",
            f"{prefix}export CLEARML_API_ACCESS_KEY={user.access_key}",
            f"{prefix}export CLEARML_API_SECRET_KEY={user.secret_key}",
        ]
    return lines


@contextmanager
def _stop_on_signals() -> Iterator[asyncio.Event]:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
