"""The command `clearml-chatops`. Each subcommand imports what it needs, since the ClearML SDK loads slowly."""

import asyncio
import json
import logging
import os
import sys
import threading
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TextIO

import click

from clearml_chatops.models.errors import ChatOpsError, DatabaseOutdatedError, DatabaseUnusableError, SettingsError

_EXISTING_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_NEW_FILE = click.Path(path_type=Path, dir_okay=False)

EXIT_CONFIG_ERROR = 78
"""EX_CONFIG of sysexits.h: something is wrong in the settings or the database, so nothing was started."""

_THREAD_JOIN_TIMEOUT = timedelta(seconds=0.2)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="clearml-chatops")
def main() -> None:
    """Run ClearML experiments, queues and workers from chat and from the terminal."""


@main.command()
@click.option("-c", "lines", multiple=True, metavar="LINE", help="Run this line and exit; may be repeated.")
@click.option("--script", type=click.File("rb"), help="Run the lines of a file, - for standard input, and exit.")
def console(lines: tuple[str, ...], script: BinaryIO | None) -> None:
    """Chat in the terminal, or run lines: then it ends at the first that fails, with exit code 1.

    Without options and with something else than a terminal as standard input, its lines are run.
    """
    from clearml_chatops.bot.console_command import run_console
    from clearml_chatops.bot.settings import read_settings

    def start() -> Coroutine[Any, Any, bool]:
        settings = read_settings()
        _configure_logging(settings.log_level)
        piped = not lines and script is None and not sys.stdin.isatty()
        return run_console(settings, lines=lines, script=sys.stdin.buffer if piped else script)

    _run_and_exit(start)


@main.command()
def run() -> None:
    """Run the bot on every chat platform that has its tokens, until SIGINT or SIGTERM."""
    from clearml_chatops.bot.run_command import run_bot
    from clearml_chatops.bot.settings import read_settings

    def start() -> Coroutine[Any, Any, bool]:
        settings = read_settings()
        _configure_logging(settings.log_level)
        return run_bot(settings)

    _run_and_exit(start)


@main.command()
@click.option("--prefix", default="", help="Put before the names of the bare commands, as in /lab-clone.")
@click.option("--url", default="", help="For HTTP instead of Socket Mode: the bot's address, https://…")
def slack_manifest(prefix: str, url: str) -> None:
    """Print the app manifest with which Slack makes the app."""
    from clearml_chatops.bot.frontends.slack import build_manifest, build_request_url
    from clearml_chatops.handlers.all_commands import build_registry

    try:
        events_url = build_request_url(url) if url else ""
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--url") from error
    app_manifest = build_manifest(build_registry(), prefix=prefix, request_url=events_url)
    click.echo(json.dumps(app_manifest, indent=2, ensure_ascii=False))


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; a free one unless given.")
@click.option("--empty", is_flag=True, help="Without the demo's experiments.")
def sandbox(port: int, *, empty: bool) -> None:
    """A ClearML server in memory, for trying things out; it prints the environment to use it with."""
    from clearml_chatops.sandbox.command import serve

    try:
        asyncio.run(serve(port=port, empty=empty, stream=sys.stdout))
    except OSError as error:
        raise click.ClickException(f"port {port} cannot be used ({error.strerror}); choose another.") from error


@main.command()
@click.option("--script", type=_EXISTING_FILE, help="Play this tour instead.")
@click.option("--picture", type=_NEW_FILE, help="Save the tour as an SVG picture instead of printing it.")
def demo(script: Path | None, picture: Path | None) -> None:
    """The whole main job on a sandbox with a real clearml-agent: a chat at a terminal, else a tour."""
    from clearml_chatops.bot.demo import run_demo

    _configure_logging("WARNING")
    _run_and_exit(lambda: run_demo(script=script, picture=picture))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--markdown", is_flag=True, help="As docs/commands.md.")
def commands(*, as_json: bool, markdown: bool) -> None:
    """List every command with its parameters, examples and permission."""
    from clearml_chatops.bot.command_reference import to_markdown, to_text
    from clearml_chatops.handlers.all_commands import build_registry

    registry = build_registry()
    if as_json:
        click.echo(json.dumps([command.to_json() for command in registry], indent=2, ensure_ascii=False))
    else:
        click.echo(to_markdown(registry) if markdown else to_text(registry), nl=False)


@main.group()
def database() -> None:
    """The program's own database."""


@database.command()
def upgrade() -> None:
    """Bring the database to this program's revision."""
    from clearml_chatops.bot.program import upgrade_database
    from clearml_chatops.bot.settings import read_settings

    _run_and_exit(lambda: upgrade_database(read_settings()))


def _run_and_exit(start: Any) -> None:
    """Runs a coroutine; what keeps the program from starting is one line and exit code 78."""
    try:
        succeeded = asyncio.run(start())
    except (SettingsError, DatabaseOutdatedError, DatabaseUnusableError) as error:
        click.echo(f"clearml-chatops: {error}", err=True)
        sys.exit(EXIT_CONFIG_ERROR)
    except ChatOpsError as error:
        raise click.ClickException(str(error)) from error
    except (KeyboardInterrupt, asyncio.CancelledError):
        # Ended by a signal, after all was closed: what a shell reports for Ctrl-C.
        _exit_without_threads(130)
    _exit_without_threads(0 if succeeded else 1)


def _exit_without_threads(code: int) -> NoReturn:
    """Exits now. The interpreter would wait for threads in which a server has not answered yet."""
    other_threads = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    for thread in other_threads:
        thread.join(_THREAD_JOIN_TIMEOUT.total_seconds() / len(other_threads))
    if any(thread.is_alive() and not thread.daemon for thread in other_threads):
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)
    sys.exit(code)


class _StandardErrorHandler(logging.StreamHandler[TextIO]):
    """Writes to what is the standard error now: a chat replaces it, so that nothing lands in the prompt."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def _configure_logging(level: str) -> None:
    logging.basicConfig(
        level=level,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        handlers=[_StandardErrorHandler(sys.stderr)],
    )
    # Their lines hold URLs, and with them tokens, or are many.
    for chatty in ("httpx", "urllib3", "clearml", "aiosqlite"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
