"""ClearML is down, broken or refuses the credentials, or the database is outdated: one clear error each."""

import json
import sqlite3
from pathlib import Path

import pytest

from clearml_chatops.models.errors import DatabaseOutdatedError
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from tests.support.program import RunningProgram, run_program, to_plain_text
from tests.support.refusals import assert_refused

COMMANDS = ("/find", "/clone baseline three GPUs", "/set args.lr=1", "/enqueue", "/queue list")


async def test_clearml_being_down_is_reported_and_nothing_is_lost(ready: RunningProgram, sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    await sandbox.aclose()
    for line in COMMANDS:
        reply = await assert_refused(ready, line, "clearml_unreachable")
        assert f"127.0.0.1:{port}" in to_plain_text(reply)
    await sandbox.start(port=port)
    await ready.ask("/set args.lr=1")


def build_response(*, code: object, data: object) -> str:
    return json.dumps({"meta": {"result_code": code, "result_subcode": 0, "result_msg": ""}, "data": data})


async def test_each_invalid_response_is_one_clear_error(ready: RunningProgram, sandbox: Sandbox) -> None:
    for status, body, code in (
        (200, "<html>Sign in</html>", "clearml_invalid_response"),
        (200, "", "clearml_invalid_response"),
        (200, "[]", "clearml_invalid_response"),
        (200, '{"meta": null, "data": {}}', "clearml_invalid_response"),
        (200, build_response(code="x", data=1), "clearml_invalid_response"),
        (200, build_response(code=200, data={}), "clearml_invalid_response"),
        (200, build_response(code=200, data=[]), "clearml_invalid_response"),
        (404, "not found", "clearml_invalid_response"),
        (302, "", "clearml_invalid_response"),
        (500, "broken", "clearml_server_error"),
        (502, "<h1>Bad gateway</h1>", "clearml_server_error"),
        (503, "maintenance", "clearml_server_error"),
        (500, build_response(code=500, data={}), "clearml_server_error"),
    ):
        sandbox.faults.clear()
        sandbox.faults.answer("*", status=status, body=body)
        for line in COMMANDS:
            await assert_refused(ready, line, code)


async def test_a_failing_login_is_one_clear_error(sandbox: Sandbox, tmp_path: Path) -> None:
    """The SDK logs in before the first request, with its own error handling."""
    async with run_program(sandbox, tmp_path) as program:
        for status, body, code in (
            (200, "<html>Sign in</html>", "clearml_invalid_response"),
            (200, "[]", "clearml_invalid_response"),
            (200, "{}", "clearml_invalid_response"),
            (404, "not found", "clearml_invalid_response"),
            (302, "", "clearml_invalid_response"),
            (500, "broken", "clearml_server_error"),
            (503, "maintenance", "clearml_server_error"),
        ):
            sandbox.faults.clear()
            sandbox.faults.answer("auth.login", status=status, body=body)
            await assert_refused(program, "/find", code)
        sandbox.faults.clear()
        await program.ask("/find")


async def test_wrong_credentials_are_named_with_the_settings_to_check(
    sandbox: Sandbox, tmp_path: Path, baseline: Document
) -> None:
    sandbox.state.credentials.clear()
    async with run_program(sandbox, tmp_path) as program:
        for line in ("/find", "/clone baseline three GPUs", "/rerun baseline queue=default", "/whoami"):
            reply = await assert_refused(program, line, "clearml_credentials")
            assert "CLEARML_API_ACCESS_KEY" in to_plain_text(reply)


async def test_an_outdated_database_is_not_touched(sandbox: Sandbox, tmp_path: Path) -> None:
    async with run_program(sandbox, tmp_path):
        pass
    with sqlite3.connect(tmp_path / "chatops.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '0000'")
    database.close()
    with pytest.raises(DatabaseOutdatedError, match="clearml-chatops database upgrade"):
        async with run_program(sandbox, tmp_path):
            pass
