"""The command `clearml-chatops`. Each subcommand imports what it needs, because the ClearML SDK loads slowly."""

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

from clearml_chatops.models.errors import (
    ChatOpsError,
    ClearMLCredentialsError,
    DatabaseBusyError,
    DatabaseOutdatedError,
    DatabaseUnusableError,
    SettingsError,
)

_EXISTING_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_NEW_FILE = click.Path(path_type=Path, dir_okay=False)

EXIT_CONFIG_ERROR = 78
"""EX_CONFIG of sysexits.h: the settings or the database are wrong, so nothing was started."""

_THREAD_JOIN_TIMEOUT = timedelta(seconds=0.2)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="clearml-chatops")
def main() -> None:
    """Manage ClearML experiments, queues and workers from chat or the terminal."""


@main.command()
@click.option("-c", "lines", multiple=True, metavar="LINE", help="Run this line and exit. Can be repeated.")
@click.option("--script", type=click.File("rb"), help="Run the lines of a file and exit; - reads standard input.")
def console(lines: tuple[str, ...], script: BinaryIO | None) -> None:
    """Chat with the bot in the terminal, or run a script.

    A script stops at the first line that fails, with exit code 1. Piped input runs as a script, too.
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
    """Run the bot on every chat platform with tokens.

    Stop it with Ctrl-C or SIGTERM.
    """
    from clearml_chatops.bot.run_command import run_bot
    from clearml_chatops.bot.settings import read_settings

    def start() -> Coroutine[Any, Any, bool]:
        settings = read_settings()
        _configure_logging(settings.log_level)
        return run_bot(settings)

    _run_and_exit(start)


@main.command()
@click.option("--prefix", default="", help="A prefix for the short commands, as in /lab-clone.")
@click.option("--url", default="", help="The bot's https:// address, to use HTTP instead of Socket Mode.")
def slack_manifest(prefix: str, url: str) -> None:
    """Print the manifest to create the Slack app from."""
    from clearml_chatops.bot.frontends.slack import build_manifest, build_request_url
    from clearml_chatops.handlers.all_commands import build_registry

    try:
        events_url = build_request_url(url) if url else ""
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--url") from error
    app_manifest = build_manifest(build_registry(), prefix=prefix, request_url=events_url)
    click.echo(json.dumps(app_manifest, indent=2, ensure_ascii=False))


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port to use. A free one by default.")
@click.option("--empty", is_flag=True, help="Start without the demo experiments.")
@click.option("--api", default="2.34", show_default=True, help="Play an older server: API 2.23 or 2.30.")
def sandbox(port: int, api: str, *, empty: bool) -> None:
    """Start a ClearML server in memory, to try things out.

    It prints the environment variables to use it with.
    """
    from clearml_chatops.sandbox.command import find_server_version, serve

    try:
        version = find_server_version(api)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--api") from error
    try:
        asyncio.run(serve(port=port, empty=empty, api_version=version.api, stream=sys.stdout))
    except OSError as error:
        raise click.ClickException(f"Can't listen on port {port} ({error.strerror}). Choose another.") from error


@main.command()
@click.option("--script", type=_EXISTING_FILE, help="Play the lines of this file instead of the tour.")
@click.option("--picture", type=_NEW_FILE, help="Save the tour as an SVG picture instead of printing it.")
def demo(script: Path | None, picture: Path | None) -> None:
    """Try the bot on a sandbox with a real clearml-agent.

    In a terminal you chat with it. Elsewhere, or with --script or --picture, it plays a tour.
    """
    from clearml_chatops.bot.demo import run_demo

    _configure_logging("WARNING")
    _run_and_exit(lambda: run_demo(script=script, picture=picture))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--markdown", is_flag=True, help="Print the page docs/commands.md.")
def commands(*, as_json: bool, markdown: bool) -> None:
    """List all chat commands.

    With --json or --markdown you also get their arguments, examples and roles.
    """
    from clearml_chatops.bot.command_reference import to_markdown, to_text
    from clearml_chatops.handlers.all_commands import build_registry

    registry = build_registry()
    if as_json:
        click.echo(json.dumps([command.to_json() for command in registry], indent=2, ensure_ascii=False))
    else:
        click.echo(to_markdown(registry) if markdown else to_text(registry), nl=False)


@main.group()
def database() -> None:
    """Manage the bot's own database."""


@database.command()
def upgrade() -> None:
    """Upgrade the database to this version of the bot."""
    from clearml_chatops.bot.program import upgrade_database
    from clearml_chatops.bot.settings import read_settings

    _run_and_exit(lambda: upgrade_database(read_settings()))


def _run_and_exit(start: Any) -> None:
    """Run a coroutine and exit. A wrong setting or database prints one line and exits with code 78."""
    try:
        succeeded = asyncio.run(start())
    except DatabaseBusyError as error:
        raise click.ClickException(str(error)) from error
    except (SettingsError, ClearMLCredentialsError, DatabaseOutdatedError, DatabaseUnusableError) as error:
        click.echo(f"clearml-chatops: {error}", err=True)
        sys.exit(EXIT_CONFIG_ERROR)
    except ChatOpsError as error:
        raise click.ClickException(str(error)) from error
    except (KeyboardInterrupt, asyncio.CancelledError):
        # A signal ended it, and everything is closed: the exit code that a shell reports for Ctrl-C.
        _exit_without_threads(130)
    _exit_without_threads(0 if succeeded else 1)


def _exit_without_threads(code: int) -> NoReturn:
    """Exit now. The interpreter would wait for threads that still wait for a server's response."""
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
    """Write to the current standard error: a chat replaces it to keep log lines out of the prompt."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def _configure_logging(level: str) -> None:
    logging.basicConfig(
        level=level,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        handlers=[_StandardErrorHandler(sys.stderr)],
    )
    # Their lines contain URLs with tokens, or there are too many of them.
    for logger_name in ("httpx", "urllib3", "clearml", "aiosqlite"):
        logging.getLogger(logger_name).setLevel(logging.WARNING)
