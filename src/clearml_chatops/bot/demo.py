"""`clearml-chatops demo`: the main job on a sandbox, with the real bot and a real clearml-agent.

All its files are in one temporary folder. It stops every process that it started, also after Ctrl-C.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from clearml_chatops.bot.console_command import create_console_front_end, run_background_loops
from clearml_chatops.bot.frontends.console import create_recording_console, create_terminal_console
from clearml_chatops.bot.program import open_program
from clearml_chatops.bot.settings import Settings
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.services.workers.agents import LocalAgents

_PICTURE_TITLE = "clearml-chatops"
_REMOVED_VARIABLE_PREFIXES = ("CLEARML_", "TRAINS_", "CHATOPS_", "DATABASE_URL")
"""The settings of the person who runs the demo: it must not touch their server or database."""


async def run_demo(*, script: Path | None, picture: Path | None) -> bool:
    """Run a chat at a terminal, else the tour or the given script. Return whether every line succeeded."""
    with TemporaryDirectory(prefix="clearml-chatops-demo-") as name, _cancel_on_signals():
        folder = Path(name)
        async with Sandbox() as sandbox:
            add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
            with _replace_environment(_build_environment_variables(sandbox, folder)):
                return await _run_session(Settings(), script=script, picture=picture)


async def _run_session(settings: Settings, *, script: Path | None, picture: Path | None) -> bool:
    lines = _read_lines(script, chat=not picture and sys.stdin.isatty())
    console = create_recording_console() if picture else create_terminal_console()
    async with open_program(settings) as program:
        front_end = create_console_front_end(program, settings, console=console)
        try:
            async with run_background_loops(program, front_end):
                if lines is None:
                    await front_end.chat()
                succeeded = lines is None or await front_end.run_lines(lines)
        finally:
            # The agents sign off at the sandbox, so it has to be running still.
            await asyncio.shield(LocalAgents(program.process.agent_folder).stop_all())
        if picture:
            await asyncio.to_thread(picture.write_text, front_end.export_svg(_PICTURE_TITLE), encoding="utf-8")
        return succeeded


def _read_lines(script: Path | None, *, chat: bool) -> list[str] | None:
    """Return the lines to play; None for a chat."""
    if script is None and chat:
        return None
    source = script or files("clearml_chatops.sandbox") / "demo" / "tour.txt"
    return source.read_text(encoding="utf-8").splitlines()


def _build_environment_variables(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    """Return the bot's settings, and those that keep the SDK and the agent fast and inside the folder."""
    return {
        "CLEARML_API_HOST": sandbox.url,
        "CLEARML_WEB_HOST": sandbox.url,
        "CLEARML_FILES_HOST": sandbox.url,
        "CLEARML_API_ACCESS_KEY": sandbox.alice.access_key,
        "CLEARML_API_SECRET_KEY": sandbox.alice.secret_key,
        "CLEARML_CONFIG_FILE": str(folder / "clearml.conf"),
        "CLEARML_AGENT_SKIP_PYTHON_ENV_INSTALL": "1",
        "CLEARML_AGENT_QUEUE_POLL_FREQ_SEC": "1",
        "HOME": str(folder),
        "CHATOPS_DATA": str(folder / "chatops"),
        "CHATOPS_USER": "alice",
        "CHATOPS_HOST": "lab",
        "CHATOPS_WATCH_SECONDS": "0.5",
    }


@contextmanager
def _replace_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set these environment variables, without those for another server or a proxy; restore all at the end."""
    saved_variables = dict(os.environ)
    for name in saved_variables:
        if name.startswith(_REMOVED_VARIABLE_PREFIXES) or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved_variables)


@contextmanager
def _cancel_on_signals() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end the demo as Ctrl-C does, with its cleanup."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    if task is None:
        message = "the demo runs in a task"
        raise RuntimeError(message)
    for signal_number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(signal_number, task.cancel)
    try:
        yield
    finally:
        for signal_number in (signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(signal_number)
