"""The dispatcher: whatever happens, a message gets one reply and one audit entry."""

import asyncio
import logging
import re
import sqlite3
from pathlib import Path

import pytest

from clearml_chatops.bot.dispatcher import Dispatcher
from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.registry import CommandFamily, Registry
from clearml_chatops.models.audit import AuditEntry
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Outcome, Reply
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.storage import database as storage_database
from tests.support.program import RunningProgram, run_program, to_plain_text

FAULTY = CommandFamily("Faulty")


@FAULTY.command("divide", examples=("/divide",))
async def divide(context: Context) -> Reply:
    """Divide by zero."""
    return Reply.of(str(1 // len("")))


@FAULTY.command("hang", examples=("/hang",))
async def hang(context: Context) -> Reply:
    """Never end."""
    await asyncio.Event().wait()
    return Reply.of("never")


def build_message(program: RunningProgram, line: str, *, platform: str = "terminal") -> IncomingMessage:
    return IncomingMessage(program.identity, program.name, Conversation(platform, "1"), line)


async def get_last_entry(program: RunningProgram) -> AuditEntry:
    return (await program.program.process.audit.list_recent(1))[0]


async def test_every_message_gets_one_audit_entry(program: RunningProgram, sandbox: Sandbox) -> None:
    baseline = add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    for line in ("/show baseline", "/show resnet50", "/fnd", "/show nothing_like_it", ""):
        await program.send(line)
    entries = list(reversed(await program.program.process.audit.list_recent(10)))
    assert [(entry.command, entry.outcome.value, entry.error_code) for entry in entries] == [
        ("/show baseline", "done", ""),
        ("/show resnet50", "asked", "ambiguous_experiment"),
        ("/fnd", "refused", "unknown_command"),
        ("/show nothing_like_it", "refused", "experiment_not_found"),
        ("", "done", ""),
    ]
    person = await program.find_person()
    assert person
    assert {(entry.identity, entry.person_id, entry.conversation) for entry in entries} == {
        ("terminal:alice", person.id, "terminal:alice")
    }
    assert entries[0].experiment_id == baseline["id"]


async def test_an_unexpected_error_gets_an_incident_id_in_the_log(
    program: RunningProgram, caplog: pytest.LogCaptureFixture
) -> None:
    dispatcher = Dispatcher(program.program.process, Registry([FAULTY]))
    reply = await dispatcher.handle(build_message(program, "/divide"))
    incident = re.search(r"incident id ([0-9a-f]{8})", to_plain_text(reply))
    assert incident
    assert reply.outcome is Outcome.BROKEN
    assert "ZeroDivisionError" not in to_plain_text(reply)
    record = next(record for record in caplog.records if incident[1] in record.getMessage())
    assert record.levelno == logging.ERROR
    assert record.exc_info
    assert record.exc_info[0] is ZeroDivisionError
    entry = await get_last_entry(program)
    assert (entry.error_code, entry.incident_id, entry.outcome) == ("unexpected", incident[1], Outcome.BROKEN)


async def test_each_incident_has_an_id_of_its_own(program: RunningProgram) -> None:
    dispatcher = Dispatcher(program.program.process, Registry([FAULTY]))
    replies = {to_plain_text(await dispatcher.handle(build_message(program, "/divide"))) for _ in range(3)}
    assert len(replies) == 3


async def test_a_command_can_be_cancelled(program: RunningProgram) -> None:
    """Ctrl-C at the terminal cancels a command that hangs. It isn't an incident."""
    dispatcher = Dispatcher(program.program.process, Registry([FAULTY]))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await dispatcher.handle(build_message(program, "/hang"))


async def test_a_locked_audit_trail_does_not_lose_the_reply(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(storage_database, "_BUSY_TIMEOUT_MILLISECONDS", 100)
    async with run_program(sandbox, tmp_path) as program:
        await program.ask("/whoami")
        other = sqlite3.connect(tmp_path / "chatops.db", isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            assert "role: admin" in await program.ask("/whoami")
            assert "Can't write to the audit trail" in caplog.text
            assert "/whoami" in caplog.text, "the log has the entry instead"
            reply = await program.send("/queue create")
            assert "database can't be used at the moment" in to_plain_text(reply)
            assert "locked" in to_plain_text(reply)
        finally:
            other.close()
        await program.ask("/whoami")
        assert (await get_last_entry(program)).outcome is Outcome.DONE


async def test_a_broken_database_is_one_clear_error(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with run_program(sandbox, tmp_path) as program:
        await program.ask("/whoami")
        other = sqlite3.connect(tmp_path / "chatops.db", isolation_level=None)
        other.execute("ALTER TABLE people RENAME TO persons")
        other.close()
        reply = await program.send("/whoami")
        assert reply.outcome is Outcome.REFUSED
        assert "DATABASE_URL" in to_plain_text(reply)


async def test_terminal_commands_exist_only_at_the_terminal(program: RunningProgram, sandbox: Sandbox) -> None:
    bob = await program.add_person(sandbox.bob, Role.ADMIN)
    assert await bob.send_for_error_code("/wait") == "unknown_command"
    assert await program.send_for_error_code("/wait") == "no_current_experiment"
    assert "/wait" not in await bob.ask("/help")


async def test_a_command_is_found_in_every_spelling(program: RunningProgram) -> None:
    for line in (
        "/queue list",
        "/queue_list",
        "queue list",
        "/QUEUE List",
        "/queue@chatops_bot list",
        "  /queue  list",
    ):
        assert "default" in await program.ask(line), line


async def test_concurrent_commands_do_not_mix(program: RunningProgram, sandbox: Sandbox) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    names = [f"copy {number}" for number in range(20)]
    replies = await asyncio.gather(*(program.send(f"/clone baseline {name}") for name in names))
    cloned_names = [sandbox.state.tasks[reply.experiment_id]["name"] for reply in replies]
    assert cloned_names == names
    assert await program.find_person() is not None, "the first messages came at once and created one person"
    assert len(await program.program.process.audit.list_recent(50)) == 20


def test_every_command_is_in_one_family() -> None:
    registry = build_registry()
    assert len(list(registry)) == sum(len(family.commands) for family in registry.families)
