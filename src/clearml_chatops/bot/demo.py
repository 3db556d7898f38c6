"""`clearml-chatops demo`: the main job on a sandbox, with the real bot and a real clearml-agent.

Everything it needs lies in one temporary folder, and every process it starts is ended with it, also
after Ctrl-C.
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
"""Settings of whoever runs the demo; it must not touch his server or his database."""


async def run_demo(*, script: Path | None, picture: Path | None) -> bool:
    """A chat where there is a terminal, else the tour or the given script; whether every line was done."""
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
            # While the sandbox still answers, so that the agents can sign off.
            await asyncio.shield(LocalAgents(program.process.agent_folder).stop_all())
        if picture:
            await asyncio.to_thread(picture.write_text, front_end.export_svg(_PICTURE_TITLE), encoding="utf-8")
        return succeeded


def _read_lines(script: Path | None, *, chat: bool) -> list[str] | None:
    """The lines to play; None for a chat."""
    if script is not None:
        return script.read_text(encoding="utf-8").splitlines()
    if chat:
        return None
    return (files("clearml_chatops.sandbox") / "demo" / "tour.txt").read_text(encoding="utf-8").splitlines()


def _build_environment_variables(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    """The bot's settings, and what keeps the SDK and the agent within the folder and quick."""
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
    """The process's environment with these variables and none of its own ClearML's, restored afterwards."""
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
    """Lets SIGTERM and a closed terminal end the demo as Ctrl-C does: with its cleaning up."""
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
