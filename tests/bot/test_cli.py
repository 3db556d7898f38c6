"""The command line: `console -c`, `--script`, exit codes, and the output of the other commands."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from clearml_chatops.bot.cli import main
from clearml_chatops.bot.command_reference import to_markdown
from clearml_chatops.bot.settings import Settings
from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.support.processes import PROGRAM, build_process_environment

_ROOT = Path(__file__).parents[2]


async def test_a_failed_line_ends_the_script(sandbox: Sandbox, tmp_path: Path) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)

    code, output = await _run_console(sandbox, tmp_path, "-c", "/clone baseline copy", "-c", "/set args.lr 0.2")
    assert code == 0, output
    assert "Args/lr" in output

    code, output = await _run_console(sandbox, tmp_path, "-c", "/show nothing", "-c", "/archive copy")
    assert code == 1
    assert "No experiment named" in output
    assert "archive" not in output, "what follows a line that failed is not run"


async def test_lines_piped_in_without_an_option_are_run(sandbox: Sandbox, tmp_path: Path) -> None:
    assert (await _run_console(sandbox, tmp_path, stdin_text="/whoami\n"))[0] == 0
    assert (await _run_console(sandbox, tmp_path, stdin_text="/whoam\n"))[0] == 1


async def test_a_script_is_read_from_the_standard_input(sandbox: Sandbox, tmp_path: Path) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    code, output = await _run_console(
        sandbox, tmp_path, "--script", "-", stdin_text="# a comment\n\n/find “baseline”\n/whoami\n"
    )
    assert code == 0, output
    assert "Alice Adams" in output


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        (b"/whoam\n", ("--script", "-")),
        (b"/whoami\n/show nothing\n/whoami\n/whoa", ("--script", "-")),
        (b"/reset\n\n/whoami\n", ()),
    ],
)
async def test_a_failed_line_ends_the_script_while_the_pipe_stays_open(
    sandbox: Sandbox, tmp_path: Path, text: bytes, arguments: tuple[str, ...]
) -> None:
    """A thread still waits for input then, and the interpreter must be able to exit without it."""
    async with _start_console(sandbox, tmp_path, *arguments) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(text)
        output = (await process.stdout.read()).decode()
        assert await process.wait() == 1, output
    assert "Fatal Python error" not in output


async def test_a_question_exits_with_code_1(sandbox: Sandbox, tmp_path: Path) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    code, output = await _run_console(sandbox, tmp_path, "-c", "/reset baseline")
    assert code == 1
    assert "[1] Reset" in output


async def test_the_current_experiment_is_stored_across_processes(sandbox: Sandbox, tmp_path: Path) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    await _run_console(sandbox, tmp_path, "-c", "/clone baseline kept in mind")
    code, output = await _run_console(sandbox, tmp_path, "-c", "/show")
    assert code == 0
    assert "kept in mind" in output


@pytest.mark.parametrize(
    ("variables", "setting_name"),
    [
        ({"CLEARML_API_HOST": "clearml.example"}, "CLEARML_API_HOST"),
        ({"CHATOPS_WATCH_SECONDS": "often"}, "CHATOPS_WATCH_SECONDS"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL"),
        ({"CLEARML_API_ACCESS_KEY": ""}, "CLEARML_API_ACCESS_KEY"),
        ({"CHATOPS_DATA": "/proc/none"}, "CHATOPS_DATA"),
    ],
)
async def test_a_wrong_setting_is_one_line_that_names_it(
    sandbox: Sandbox, tmp_path: Path, variables: dict[str, str], setting_name: str
) -> None:
    code, output = await _run_console(sandbox, tmp_path, "-c", "/find", **variables)
    assert code == 78
    assert output.startswith(f"clearml-chatops: {setting_name}")
    assert output.count("\n") == 1


async def test_an_outdated_database_is_refused_until_it_is_upgraded(sandbox: Sandbox, tmp_path: Path) -> None:
    await _run_console(sandbox, tmp_path, "-c", "/whoami")
    with sqlite3.connect(tmp_path / "data" / "chatops.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")

    code, output = await _run_console(sandbox, tmp_path, "-c", "/whoami")

    assert code == 78
    assert "clearml-chatops database upgrade" in output
    assert "Traceback" not in output


def test_commands_are_listed_for_programs() -> None:
    listed = json.loads(CliRunner().invoke(main, ["commands", "--json"]).output)
    assert [item["name"] for item in listed] == [command.name for command in build_registry()]
    for item in listed:
        assert item["summary"]
        assert item["examples"]
        assert item["permission"] in {"viewer", "member", "admin"}
        assert all(parameter["description"] for parameter in item["parameters"])


def test_the_manifest_for_http_has_the_bots_address() -> None:
    result = CliRunner().invoke(main, ["slack-manifest", "--url", "https://bot.example", "--prefix", "ml-"])
    commands = json.loads(result.output)["features"]["slash_commands"]
    assert {command["url"] for command in commands} == {"https://bot.example/slack/events"}
    refused = CliRunner().invoke(main, ["slack-manifest", "--url", "http://bot.example"])
    assert refused.exit_code == 2
    assert "https://bot.example." in refused.output


def test_the_commands_page_is_up_to_date() -> None:
    assert (_ROOT / "docs" / "commands.md").read_text() == to_markdown(build_registry()), "run: make docs"


def test_the_settings_page_has_a_row_for_each_setting() -> None:
    page = (_ROOT / "docs" / "settings.md").read_text()
    rows = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    assert {field.alias for field in Settings.model_fields.values()} | {"CHATOPS_SETTINGS"} == rows


async def test_the_sandbox_prints_its_environment(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "sandbox", stdout=asyncio.subprocess.PIPE, env=build_process_environment(tmp_path)
    )
    assert process.stdout is not None
    environment = {}
    while (line := (await process.stdout.readline()).decode().strip()) != "ready":
        assert line, "the sandbox ended before it was ready"
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            environment[name] = value

    console = await asyncio.create_subprocess_exec(
        PROGRAM,
        "console",
        "-c",
        "/find baseline",
        stdout=asyncio.subprocess.PIPE,
        env=build_process_environment(tmp_path, **environment),
    )
    output, _ = await console.communicate()
    process.terminate()

    assert console.returncode == 0
    assert "baseline" in output.decode()
    assert await process.wait() == 0


async def _run_console(
    sandbox: Sandbox, folder: Path, *arguments: str, stdin_text: str = "", **variables: str
) -> tuple[int, str]:
    """Run `clearml-chatops console`. Return its exit code and the output of both streams."""
    async with _start_console(sandbox, folder, *arguments, **variables) as process:
        output, _ = await process.communicate(stdin_text.encode())
    return process.returncode or 0, output.decode()


@asynccontextmanager
async def _start_console(
    sandbox: Sandbox, folder: Path, *arguments: str, **variables: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `clearml-chatops console` inside the block, with its standard input open."""
    environment = {
        "CLEARML_API_HOST": sandbox.url,
        "CLEARML_API_ACCESS_KEY": sandbox.alice.access_key,
        "CLEARML_API_SECRET_KEY": sandbox.alice.secret_key,
        "CHATOPS_DATA": str(folder / "data"),
        **variables,
    }
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        "console",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=build_process_environment(folder, **environment),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("version", ["2.22", "2.35", "latest"])
def test_a_server_that_the_sandbox_cannot_play_is_refused(version: str) -> None:
    result = CliRunner().invoke(main, ["sandbox", "--api", version])
    assert result.exit_code == 2
    assert f"The sandbox can play API 2.23, 2.30, 2.34, not {version}." in " ".join(result.output.split())
