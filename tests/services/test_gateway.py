"""The ClearML gateway: retries, errors, timeouts, credentials and impersonation."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import jwt
import pytest

from clearml_chatops.models.errors import ClearMLError
from clearml_chatops.models.people import Role
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.sandbox.faults import Fault, Faults
from clearml_chatops.services.clearml_gateway import session as gateway_session
from tests.support.polling import wait_until
from tests.support.program import RunningProgram, run_program, to_plain_text

SHORT_TIMEOUTS = (0.5, 0.5)
ANSWER_DEADLINE = 10.0
"""Seconds after which a response counts as never coming; far more than it takes."""


@asynccontextmanager
async def run_raw_server(build_answer: Callable[[bytes], bytes]) -> AsyncIterator[str]:
    """Run a server that accepts every login, answers all else with raw bytes and hangs up; yield its address."""
    token = jwt.encode({"exp": time.time() + 3600, "identity": {"user": "u", "user_name": "U"}}, "x" * 32)
    login = b'{"meta": {"result_code": 200}, "data": {"token": "%s"}}' % token.encode()

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"auth.login" in head:
            writer.write(
                b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(login) + login
            )
        else:
            writer.write(build_answer(head))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(respond, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def get_error_in_time(program: RunningProgram, line: str) -> str:
    async with asyncio.timeout(ANSWER_DEADLINE):
        return await program.send_for_error_code(line)


# ── Retries ───────────────────────────────────────────────────────────────────────────────────────


async def test_failed_read_is_retried(program: RunningProgram, baseline: Document) -> None:
    for fault in (Fault("tasks.get_all_ex", 1, status=503), Fault("tasks.get_all_ex", 1, disconnects=True)):
        program.sandbox.requests.clear()
        program.sandbox.faults.active.append(fault)
        assert "baseline" in await program.ask("/find baseline")
        assert program.sandbox.requests.list_endpoints() == ["tasks.get_all_ex"] * 2


async def test_read_is_retried_only_once(program: RunningProgram, baseline: Document) -> None:
    for fault, code in (
        (Fault("tasks.get_all_ex", status=500), "clearml_server_error"),
        (Fault("tasks.get_all_ex", disconnects=True), "clearml_unreachable"),
    ):
        program.sandbox.requests.clear()
        program.sandbox.faults.active.append(fault)
        assert await get_error_in_time(program, "/find baseline") == code
        assert program.sandbox.requests.list_endpoints() == ["tasks.get_all_ex"] * 2
        program.sandbox.faults.clear()


async def test_refused_read_is_not_retried(program: RunningProgram, baseline: Document) -> None:
    for status, code in ((200, "clearml_invalid_response"), (404, "clearml_invalid_response")):
        program.sandbox.requests.clear()
        program.sandbox.faults.answer("tasks.get_all_ex", status=status, body="<html>", times=1)
        assert await program.send_for_error_code("/find baseline") == code
        assert len(program.sandbox.requests.list_endpoints()) == 1


async def test_write_is_never_retried(program: RunningProgram, baseline: Document) -> None:
    sandbox = program.sandbox
    for fault, code in (
        (Fault("tasks.clone", 1, status=503), "clearml_server_error"),
        (Fault("tasks.clone", 1, disconnects=True), "clearml_response_lost"),
    ):
        before = len(sandbox.state.tasks)
        sandbox.requests.clear()
        sandbox.faults.active.append(fault)
        assert await program.send_for_error_code(f"/clone {baseline['id']} two GPUs") == code
        assert len(sandbox.requests.find_by_endpoint("tasks.clone")) == 1
        assert len(sandbox.state.tasks) == before


async def test_lost_answer_to_a_write_is_reported_as_uncertain(
    program: RunningProgram, baseline: Document
) -> None:
    """The clone was created; a retry would have created a second one."""
    before = len(program.sandbox.state.tasks)
    program.sandbox.faults.disconnect("tasks.clone", times=1, takes_effect=True)
    reply = await program.send(f"/clone {baseline['id']} two GPUs")
    assert "may or may not have been made" in to_plain_text(reply)
    assert "Nothing was changed" not in to_plain_text(reply)
    assert len(program.sandbox.state.tasks) == before + 1


# ── Timeouts and limits ───────────────────────────────────────────────────────────────────────────


async def test_slow_answer_times_out(
    program: RunningProgram, baseline: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_session_initial_timeout", "_session_timeout", "_write_session_timeout"):
        monkeypatch.setattr(gateway_session._NoRetrySession, name, SHORT_TIMEOUTS)
    await program.ask("/use baseline")
    program.sandbox.faults.delay("*", 3)
    assert await get_error_in_time(program, "/find") == "clearml_unreachable"
    program.sandbox.faults.clear()
    program.sandbox.faults.delay("tasks.clone", 3)
    assert await get_error_in_time(program, "/clone baseline two GPUs") == "clearml_response_lost"


async def test_large_write_has_the_same_timeout(
    program: RunningProgram, baseline: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK's own timeout for requests over 15,000 bytes is five minutes."""
    for name in ("_session_initial_timeout", "_session_timeout", "_write_session_timeout"):
        monkeypatch.setattr(gateway_session._NoRetrySession, name, SHORT_TIMEOUTS)
    await program.ask("/clone baseline two GPUs")
    program.sandbox.faults.delay("tasks.edit_hyper_params", 3)
    line = f"/set args.backbone={'x' * 18_000}"
    assert await get_error_in_time(program, line) == "clearml_response_lost"


async def test_default_timeouts() -> None:
    for name in ("_session_initial_timeout", "_session_timeout", "_write_session_timeout"):
        assert getattr(gateway_session._NoRetrySession, name) == (3.0, 15.0)


async def test_tls_on_a_plain_port_fails_at_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """The SDK retries TLS failures forever."""
    encrypted = sandbox.url.replace("http://", "https://")
    async with run_program(sandbox, tmp_path, host=encrypted) as program:
        assert await get_error_in_time(program, "/find") == "clearml_unreachable"


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"Transfer-Encoding: chunked", b'400\r\n{"meta": {"result_co'),
        (b"Content-Encoding: gzip\r\nContent-Length: 9", b"not gzip!"),
        (b"Content-Length: 4000", b'{"meta": '),
    ],
)
async def test_truncated_answer_is_not_retried_forever(
    sandbox: Sandbox, tmp_path: Path, head: bytes, body: bytes
) -> None:
    """The SDK retries responses that it cannot decode forever."""
    requests: list[bytes] = []

    def build_answer(request: bytes) -> bytes:
        requests.append(request)
        return b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + head + b"\r\n\r\n" + body

    async with run_raw_server(build_answer) as address, run_program(sandbox, tmp_path, host=address) as program:
        assert await get_error_in_time(program, "/find") in {"clearml_unreachable", "clearml_invalid_response"}
        reads = len(requests)
        assert reads <= 2
        assert await get_error_in_time(program, "/queue create gpu_queue") in {
            "clearml_response_lost",
            "clearml_invalid_response",
        }
        assert len(requests) == reads + 1


async def test_redirect_to_a_web_page_is_an_invalid_response(sandbox: Sandbox, tmp_path: Path) -> None:
    page = b"<html>Sign in</html>"

    def build_answer(request: bytes) -> bytes:
        if b"/sign-in" in request:
            return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(page) + page
        return b"HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: /sign-in\r\nContent-Length: 0\r\n\r\n"

    async with run_raw_server(build_answer) as address, run_program(sandbox, tmp_path, host=address) as program:
        assert await get_error_in_time(program, "/find") == "clearml_invalid_response"


async def test_redirect_loop_ends(sandbox: Sandbox, tmp_path: Path) -> None:
    def build_answer(_: bytes) -> bytes:
        return b"HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"

    async with run_raw_server(build_answer) as address, run_program(sandbox, tmp_path, host=address) as program:
        assert (await get_error_in_time(program, "/find")).startswith("clearml_")


async def test_connection_refused_names_the_address(sandbox: Sandbox, tmp_path: Path) -> None:
    """A write certainly had no effect either."""
    address = sandbox.url
    await sandbox.aclose()
    async with run_program(sandbox, tmp_path, host=address) as program:
        for line in ("/find", "/queue create gpu_queue"):
            assert await get_error_in_time(program, line) == "clearml_unreachable"
            assert address in to_plain_text(await program.send(line))


async def test_concurrent_requests_are_limited_to_eight(program: RunningProgram) -> None:
    await program.ask("/find")
    program.sandbox.requests.clear()
    program.sandbox.faults.delay("tasks.get_all_ex", 0.15)
    await asyncio.gather(*(program.ask("/find") for _ in range(50)))
    requests = program.sandbox.requests.find_by_endpoint("tasks.get_all_ex")
    together = [
        sum(other.start_tick <= one.start_tick < (other.finish_tick or 0) for other in requests)
        for one in requests
    ]
    assert len(requests) == 50
    assert 1 < max(together) <= 8


# ── Credentials ───────────────────────────────────────────────────────────────────────────────────


async def test_forgotten_token_is_renewed(program: RunningProgram, baseline: Document) -> None:
    """A reinstalled server knows none of its old tokens, but the same keys."""
    await program.ask("/find")
    program.sandbox._tokens._secret = "another secret of at least 32 characters"
    program.sandbox.requests.clear()
    assert "Cloned" in await program.ask(f"/clone {baseline['id']} two GPUs")
    assert len(program.sandbox.requests.find_by_endpoint("auth.login")) == 1
    await program.ask("/clone baseline two more GPUs")
    assert [request.status for request in program.sandbox.requests.find_by_endpoint("tasks.clone")] == [200, 200]


async def test_write_refused_for_its_token_runs_once(program: RunningProgram) -> None:
    """The SDK retries with the refused token, the program with the new one."""
    await program.ask("/find")
    program.sandbox._tokens._secret = "another secret of at least 32 characters"
    program.sandbox.requests.clear()
    await program.ask("/queue create gpu_queue")
    assert [request.status for request in program.sandbox.requests.find_by_endpoint("queues.create")] == [
        401,
        401,
        200,
    ]
    assert [queue["name"] for queue in program.sandbox.state.queues.values()] == ["default", "gpu_queue"]


async def test_expired_token_is_renewed(program: RunningProgram, baseline: Document) -> None:
    await program.ask("/find")
    session = program.program.process.clearml._session._session
    assert session
    session.token_expiration_threshold_sec = 365 * 24 * 3600
    program.sandbox.requests.clear()
    await program.ask("/find")
    assert program.sandbox.requests.find_by_endpoint("auth.login")
    bob = await program.add_person(program.sandbox.bob, Role.MEMBER)
    program.sandbox.faults.answer("auth.login", status=500, body="broken")
    for person in (program, bob):
        assert await person.send_for_error_code("/find") == "clearml_server_error"


@pytest.mark.parametrize(
    "simulate_outage",
    [
        lambda faults: faults.disconnect("auth.login"),
        lambda faults: faults.answer("auth.login", status=503, body="starting"),
        lambda faults: faults.answer("auth.login", status=200, body="<html>Soon back</html>"),
        lambda faults: faults.reject_credentials("auth.login"),
    ],
)
async def test_requests_at_the_same_time_share_a_failed_login(
    program: RunningProgram, simulate_outage: Callable[[Faults], None]
) -> None:
    """While ClearML is down, each of a hundred people would wait for the time-outs of all before them."""
    simulate_outage(program.sandbox.faults)
    clearml = program.program.process.clearml.bot
    results = await asyncio.gather(*(clearml.get_user_names() for _ in range(100)), return_exceptions=True)
    assert all(isinstance(result, ClearMLError) for result in results), results
    assert len(program.sandbox.requests.find_by_endpoint("auth.login")) <= 2, "one repeat, as for every read"
    program.sandbox.faults.clear()
    assert await clearml.get_user_names()


async def test_a_cancelled_request_leaves_the_login_to_the_others(program: RunningProgram) -> None:
    program.sandbox.faults.delay("auth.login", 0.2)
    clearml = program.program.process.clearml.bot
    first, second = (asyncio.create_task(clearml.get_user_names()) for _ in range(2))
    await wait_until(lambda: program.sandbox.requests.find_by_endpoint("auth.login"))
    first.cancel()
    assert await second
    assert len(program.sandbox.requests.find_by_endpoint("auth.login")) == 1


async def test_revoked_credentials_raise_one_error(program: RunningProgram, baseline: Document) -> None:
    await program.ask("/find")
    program.sandbox._tokens._secret = "another secret of at least 32 characters"
    program.sandbox.state.credentials.clear()
    program.sandbox.requests.clear()
    assert await get_error_in_time(program, "/find") == "clearml_credentials"
    assert await get_error_in_time(program, f"/clone {baseline['id']} two GPUs") == "clearml_credentials"


async def test_secrets_are_not_shown_or_logged(
    sandbox: Sandbox, tmp_path: Path, baseline: Document, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    secret = sandbox.alice.secret_key
    address = sandbox.url.replace("http://", f"http://alice:{secret}@")
    for host in ("", address):
        async with run_program(sandbox, tmp_path, host=host) as program:
            lines = ("/find", "/whoami", f"/clone {baseline['id']} two GPUs", "/set args.nosuch=1")
            shown += [to_plain_text(await program.send(line)) for line in lines]
            clearml = program.program.process.clearml
            shown += [
                repr(clearml),
                repr(clearml._session),
                repr(clearml._session._credentials),
                repr(program.program),
            ]
            assert clearml._session._session
            token = clearml._session._session.raw_token
            for status in (401, 500):
                sandbox.faults.answer("*", status=status, body="broken")
                shown.append(to_plain_text(await program.send("/find")))
                sandbox.faults.clear()
            shown += [repr(entry) for entry in await program.program.process.audit.list_recent(50)]
        everything = "\n".join(shown) + caplog.text
        assert secret not in everything
        assert token not in everything


# ── Impersonation ─────────────────────────────────────────────────────────────────────────────────


async def test_bot_with_admin_credentials_impersonates_the_person(
    sandbox: Sandbox, tmp_path: Path, baseline: Document
) -> None:
    async with run_program(sandbox, tmp_path, user=sandbox.carol) as program:
        bob = await program.add_person(sandbox.bob, Role.MEMBER)
        clone = (await bob.send(f"/clone {baseline['id']} bobs own")).experiment_id
        assert sandbox.state.tasks[clone]["user"] == sandbox.bob.id
        for line in ("/set args.lr=0.5", "/queue create", "/enqueue", "/queue move last 2", "/dequeue"):
            await bob.ask(line)
        assert {request.user for request in sandbox.requests if request.endpoint != "auth.login"} == {"Bob Brown"}
        shown = await bob.ask("/whoami")
        assert "ClearML user: Bob Brown" in shown
        assert "acts as: Bob Brown" in shown


async def test_queue_moves_impersonate_the_person(sandbox: Sandbox, tmp_path: Path, baseline: Document) -> None:
    async with run_program(sandbox, tmp_path, user=sandbox.carol) as program:
        bob = await program.add_person(sandbox.bob, Role.MEMBER)
        await bob.ask("/queue create")
        for name in ("first", "second", "third"):
            await bob.ask(f"/rerun {baseline['id']} {name}")
        sandbox.requests.clear()
        for position in ("2", "front", "back", "2"):
            await bob.ask(f"/queue move third {position}")
        moves = [request for request in sandbox.requests if ".move_" in request.endpoint]
        assert [request.user for request in moves] == ["Bob Brown"] * 4


async def test_admin_does_not_impersonate_themselves(sandbox: Sandbox, tmp_path: Path) -> None:
    async with run_program(sandbox, tmp_path, user=sandbox.carol) as program:
        await program.ask("/find")
        assert sandbox.requests.find_by_endpoint("tasks.get_all_ex")[0].user == "Carol Chen"
        assert "acts as: Carol Chen" in await program.ask("/whoami")


async def test_bot_with_user_credentials_acts_as_itself(
    program: RunningProgram, sandbox: Sandbox, baseline: Document
) -> None:
    """The server refuses impersonation by an ordinary user (400/6), so the bot never tries it."""
    bob = await program.add_person(sandbox.bob, Role.MEMBER)
    sandbox.requests.clear()
    clone = (await bob.send(f"/clone {baseline['id']} bobs own")).experiment_id
    assert sandbox.state.tasks[clone]["user"] == sandbox.alice.id
    assert {request.status for request in sandbox.requests} == {200}
    shown = await bob.ask("/whoami")
    assert "ClearML user: Bob Brown" in shown
    assert "acts as: Alice Adams" in shown


async def test_person_can_change_what_the_bot_cloned_for_them(
    program: RunningProgram, sandbox: Sandbox, baseline: Document
) -> None:
    """Without impersonation the bot owns the clone on the server, but Bob must still be able to change it."""
    bob = await program.add_person(sandbox.bob, Role.MEMBER)
    await bob.ask(f"/clone {baseline['id']} bobs own")
    await bob.ask("/set args.lr=0.5")
    await bob.ask("/enqueue queue=default")
    await bob.ask("/dequeue")
    carols = sandbox.state.add_task("carol's", user=sandbox.carol.id)
    assert await bob.send_for_error_code(f"/name other id={carols['id']}") == "experiment_not_yours"
