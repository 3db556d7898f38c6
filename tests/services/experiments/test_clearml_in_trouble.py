"""ClearML that is down, broken or refuses us, and a database of another version: one clear sentence each."""

import json
import sqlite3
from pathlib import Path

import pytest

from clearml_chatops.models.errors import DatabaseOutdatedError
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from tests.support.program import RunningProgram, plain_text, running_program
from tests.support.refused_lines import refused

# ── ClearML and the database ──────────────────────────────────────────────────────────────────────


LINES = ("/find", "/clone baseline three cards", "/set args.lr=1", "/enqueue", "/queue list")


async def test_clearml_being_down_is_said_and_nothing_is_lost(ready: RunningProgram, sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    await sandbox.aclose()
    for line in LINES:
        reply = await refused(ready, line, "clearml_unreachable")
        assert f"127.0.0.1:{port}" in plain_text(reply)
    await sandbox.start(port=port)
    await ready.ask("/set args.lr=1")


def envelope(*, code: object, data: object) -> str:
    return json.dumps({"meta": {"result_code": code, "result_subcode": 0, "result_msg": ""}, "data": data})


async def test_each_wrong_answer_is_one_clear_error(ready: RunningProgram, sandbox: Sandbox) -> None:
    for status, body, code in (
        (200, "<html>Sign in</html>", "clearml_nonsense"),
        (200, "", "clearml_nonsense"),
        (200, "[]", "clearml_nonsense"),
        (200, '{"meta": null, "data": {}}', "clearml_nonsense"),
        (200, envelope(code="x", data=1), "clearml_nonsense"),
        (200, envelope(code=200, data={}), "clearml_nonsense"),
        (200, envelope(code=200, data=[]), "clearml_nonsense"),
        (404, "not found", "clearml_nonsense"),
        (302, "", "clearml_nonsense"),
        (500, "broken", "clearml_broken"),
        (502, "<h1>Bad gateway</h1>", "clearml_broken"),
        (503, "maintenance", "clearml_broken"),
        (500, envelope(code=500, data={}), "clearml_broken"),
    ):
        sandbox.faults.clear()
        sandbox.faults.answer("*", status=status, body=body)
        for line in LINES:
            await refused(ready, line, code)


async def test_a_server_that_is_broken_at_the_login_is_one_clear_error_too(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The SDK logs in before the first request, in an error handling of its own."""
    async with running_program(sandbox, tmp_path) as program:
        for status, body, code in (
            (200, "<html>Sign in</html>", "clearml_nonsense"),
            (200, "[]", "clearml_nonsense"),
            (200, "{}", "clearml_nonsense"),
            (404, "not found", "clearml_nonsense"),
            (302, "", "clearml_nonsense"),
            (500, "broken", "clearml_broken"),
            (503, "maintenance", "clearml_broken"),
        ):
            sandbox.faults.clear()
            sandbox.faults.answer("auth.login", status=status, body=body)
            await refused(program, "/find", code)
        sandbox.faults.clear()
        await program.ask("/find")


async def test_wrong_credentials_are_named_with_the_settings_to_check(
    sandbox: Sandbox, tmp_path: Path, baseline: Document
) -> None:
    sandbox.state.credentials.clear()
    async with running_program(sandbox, tmp_path) as program:
        for line in ("/find", "/clone baseline three cards", "/rerun baseline queue=default", "/whoami"):
            reply = await refused(program, line, "clearml_credentials")
            assert "CLEARML_API_ACCESS_KEY" in plain_text(reply)


async def test_a_database_of_another_version_is_not_touched(sandbox: Sandbox, tmp_path: Path) -> None:
    async with running_program(sandbox, tmp_path):
        pass
    with sqlite3.connect(tmp_path / "chatops.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '0000'")
    database.close()
    with pytest.raises(DatabaseOutdatedError, match="clearml-chatops database upgrade"):
        async with running_program(sandbox, tmp_path):
            pass
