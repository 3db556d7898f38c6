"""The `clearml-chatops sandbox` command: serve, and print how to use the server."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TextIO

from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.sandbox.server import Sandbox
from clearml_chatops.sandbox.versions import NEWEST_API_VERSION, find_server_version

__all__ = ["find_server_version", "format_environment", "serve"]


async def serve(
    *,
    port: int,
    empty: bool,
    stream: TextIO,
    api_version: str = NEWEST_API_VERSION,
    stop_event: asyncio.Event | None = None,
) -> None:
    """Run a sandbox until SIGINT, SIGTERM, or until `stop_event` is set.

    Args:
        port: The port on 127.0.0.1; 0 takes a free one.
        empty: Leave out the demo experiments.
        stream: Gets `export NAME=value` lines for using the server, those of other users as comments, and a
            last line `ready`.
        api_version: The API version of the server to play.
        stop_event: Stops the server from within the process. Signals aren't handled then.

    Raises:
        OSError: The port is taken.
        ValueError: The sandbox can't play that server.
    """
    sandbox = Sandbox(api_version=api_version)
    if not empty:
        add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    await sandbox.start(port=port)
    try:
        # Install the handlers before printing "ready": a signal may follow that line immediately.
        with _stop_on_signals() if stop_event is None else nullcontext(stop_event) as stopped:
            stream.write("\n".join((*format_environment(sandbox), "ready", "")))
            stream.flush()
            await stopped.wait()
    finally:
        await sandbox.aclose()


def format_environment(sandbox: Sandbox) -> list[str]:
    """Return lines for a shell: the server's URLs and Alice's keys, and the other users' keys as comments."""
    version = sandbox.state.version
    lines = [f"# ClearML server {version.server}, API {version.api}"]
    lines += [
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
