"""Invalid worker commands: each error says what to do, and nothing changes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import unused_port

from clearml_chatops.models.people import QueueBinding
from clearml_chatops.models.replies import Outcome
from clearml_chatops.models.workers import DesiredWorker, WorkerPlan
from clearml_chatops.sandbox import Sandbox
from tests.support.agents import list_agents, list_registered_workers
from tests.support.fake_programs import install_fake_agent, install_fake_program
from tests.support.nvml import FakeGpu, install_gpus
from tests.support.program import RunningProgram, run_program, to_plain_text

_ALL_COMMANDS = ("/worker start gpus=0", "/worker restart gpus=1", "/worker stop", "/worker drain")


async def _get_state(program: RunningProgram) -> tuple[Any, ...]:
    """Return all that a command could change: desired workers, agents, registered workers and queue tags."""
    desired_workers = await program.program.process.host_workers.list_desired()
    tags = {queue["name"]: list(queue["tags"]) for queue in program.sandbox.state.queues.values()}
    return desired_workers, await list_agents(program), list_registered_workers(program), tags


@pytest.fixture
def fake_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Install an agent and a docker that must not be called; return the file that would record a call."""
    call_record = tmp_path / "called"
    install_fake_agent(monkeypatch, tmp_path, f'echo "$@" >> {call_record}; exit 1')
    install_fake_program(monkeypatch, tmp_path, "docker", f'echo "$@" >> {call_record}; exit 1')
    return call_record


async def _verify_refused(program: RunningProgram, line: str, code: str, sentence: str, call_record: Path) -> None:
    before = await _get_state(program)
    reply = await program.send(line)
    (entry,) = await program.program.process.audit.list_recent(1)
    assert (entry.error_code, reply.outcome) == (code, Outcome.REFUSED), to_plain_text(reply)
    first_line = to_plain_text(reply).splitlines()[0]
    assert sentence in first_line
    assert "{" not in first_line
    assert await _get_state(program) == before, f"{line} changed something"
    assert not call_record.exists(), f"{line} called a program"


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ("gpus=9", "invalid_value", "“9” isn't a GPU of this machine. It has GPUs 0 and 1."),
        ("gpus=0,9", "invalid_value", "“9” isn't a GPU of this machine. It has GPUs 0 and 1."),
        ("gpus=0,0", "invalid_value", "“0,0” isn't a list of different GPUs. Name each GPU once, like 0,1."),
        ("gpus=0,00", "invalid_value", "Name each GPU once, like 0,1."),
        ("gpus=0,GPU-0", "invalid_value", "Name each GPU once, like 0,1."),
        ("gpus=first", "invalid_value", "“first” isn't a list of GPUs. Write it like 0,1 or all or none"),
        ("gpus=", "invalid_value", "“” isn't a list of GPUs. Write it like 0,1 or all or none"),
        ("gpus=0,", "invalid_value", "“0,” isn't a list of GPUs. Write it like 0,1"),
        ("gpus=-1", "invalid_value", "“-1” isn't a list of GPUs. Write it like 0,1"),
        ("gpus=GPU-f", "invalid_value", "“GPU-f” isn't a GPU of this machine. It has GPUs 0 and 1."),
        ("gpus=0:1", "invalid_value", "“0:1” isn't a GPU of this machine. It has GPUs 0 and 1."),
        ("gpus 9", "invalid_value", "“9” isn't a GPU of this machine. It has GPUs 0 and 1."),
        ("0-9", "invalid_value", "“2” isn't a GPU of this machine. It has GPUs 0 and 1."),
        ("gups=0", "usage", "has no option “gups”. Did you mean gpus"),
        ("queue=alice_quue gpus=0", "queue_not_found", "alice_queue"),
        ("queue=default,nowhere gpus=0", "queue_not_found", "nowhere"),
        ("queue=default,default gpus=0", "invalid_value", "“default,default” isn't"),
        (
            "gpus=0 host=gpu02",
            "unknown_host",
            "where it runs, and not on “gpu02”. Leave out host=.",
        ),
        ("gpus=0 docker venv", "docker_venv_conflict", "not both. Leave out one of the two words."),
        ("gpus=0 venv image=a:1", "docker_venv_conflict", "not both. Leave out venv or image=."),
        ("gpus=0 run=wait", "usage", "has no option “run”"),
    ],
)
async def test_invalid_start(
    program: RunningProgram, fake_programs: Path, line: str, code: str, sentence: str
) -> None:
    install_gpus(program, FakeGpu("GPU-0"), FakeGpu("GPU-1"))
    await program.ask("/queue create")
    await _verify_refused(program, f"/worker start {line}", code, sentence, fake_programs)


@pytest.mark.parametrize("line", _ALL_COMMANDS)
async def test_command_without_a_personal_queue(program: RunningProgram, fake_programs: Path, line: str) -> None:
    install_gpus(program, FakeGpu("GPU-0"), FakeGpu("GPU-1"))
    await _verify_refused(program, line, "no_personal_queue", "/queue create", fake_programs)


async def _add_worker(program: RunningProgram, gpus: str) -> None:
    """Store a desired worker of Alice's queue without an agent."""
    person, queue = await program.find_person(), program.sandbox.state.find_queue("alice_queue")
    assert person is not None
    assert queue is not None
    plan = WorkerPlan((QueueBinding(queue["id"], "alice_queue"),), gpus)
    process = program.program.process
    worker_id = f"lab:alice_queue:gpu{gpus}"
    await process.host_workers.put(
        DesiredWorker(worker_id, "lab", plan, person.id, program.conversation, process.clock())
    )


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ("/worker restart gpus=9", "invalid_value", "“9” isn't a GPU of this machine. It has GPUs 0, 1 and 2."),
        ("/worker restart gpus=1,1", "invalid_value", "Name each GPU once, like 0,1."),
        ("/worker restart docker venv", "docker_venv_conflict", "Leave out one of the two words."),
        ('/worker restart venv image="a:1"', "docker_venv_conflict", "Leave out venv or image=."),
        (
            "/worker restart run=later",
            "invalid_value",
            "isn't a valid choice. Use wait, requeue or abort.",
        ),
        ("/worker restart queue=nowhere", "queue_not_found", "nowhere"),
        ("/worker restart lab:bob_queue:gpu0", "worker_not_found", "See all with /worker list."),
        (
            "/worker start gpus=1,0 image=a:1",
            "worker_exists",
            "Change its GPUs or its image with /worker restart.",
        ),
        ("/worker stop lab:alice_queue:gpu7", "worker_not_found", "Did you mean lab:alice_queue:gpu0,1"),
        ("/worker stop queue=default", "no_worker_for_queue", "The bot runs no worker for default on lab"),
        ("/worker drain queue=nowhere", "queue_not_found", "nowhere"),
        ("/worker log 0", "invalid_value", "Give one from 1 to 10000."),
        ("/worker log", "worker_not_running", "isn't running"),
    ],
)
async def test_invalid_command_for_a_worker(
    program: RunningProgram, fake_programs: Path, line: str, code: str, sentence: str
) -> None:
    install_gpus(program, FakeGpu("GPU-0"), FakeGpu("GPU-1"), FakeGpu("GPU-2"))
    await program.ask("/queue create")
    await _add_worker(program, "0,1")
    await _verify_refused(program, line, code, sentence, fake_programs)


async def test_missing_agent_and_missing_docker(
    program: RunningProgram, fake_programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await program.ask("/queue create")
    docker = tmp_path / "programs" / "docker"
    docker.unlink()
    monkeypatch.setenv("PATH", str(docker.parent))
    for containers in ("image=a:1", "docker", "docker image=a:1"):
        line = f"/worker start gpus=none {containers}"
        await _verify_refused(
            program, line, "docker_missing", "Docker isn't installed on lab. Install it", fake_programs
        )
    (tmp_path / "programs" / "clearml-agent").unlink()
    missing = "clearml-agent isn't installed on lab. Install it there with: pip install clearml-agent"
    await _verify_refused(program, "/worker start gpus=none", "agent_missing", missing, fake_programs)


async def test_missing_driver_offers_a_worker_without_gpus(program: RunningProgram, fake_programs: Path) -> None:
    await program.ask("/queue create")
    sentence = "Check with nvidia-smi, or use gpus=none."
    await _verify_refused(program, "/worker start gpus=0 name=x", "no_gpu_driver", sentence, fake_programs)
    reply = to_plain_text(await program.send("/worker start gpus=0 name=x"))
    assert "[Start without GPUs] /worker start gpus=none name=x" in reply
    await _add_worker(program, "0")
    reply = to_plain_text(await program.send("/worker restart gpus=1"))
    assert "[Start without GPUs] /worker restart gpus=none" in reply
    assert to_plain_text(await program.send("/gpus")).splitlines()[0].endswith("Check with nvidia-smi.")


@pytest.mark.parametrize("line", _ALL_COMMANDS)
async def test_credentials_are_checked_before_the_agent_starts(
    sandbox: Sandbox, tmp_path: Path, fake_programs: Path, line: str
) -> None:
    """The agent would report it too, but less clearly."""
    await _prepare_database(sandbox, tmp_path)
    wrong = replace(sandbox.alice, secret_key="of long ago")
    async with run_program(sandbox, tmp_path / "data", user=wrong) as program:
        install_gpus(program, FakeGpu("GPU-0"), FakeGpu("GPU-1"))
        sentence = "doesn't accept the credentials. Check CLEARML_API_ACCESS_KEY"
        await _verify_refused(program, line, "clearml_credentials", sentence, fake_programs)


@pytest.mark.parametrize("line", _ALL_COMMANDS)
async def test_server_outage_is_reported_before_the_agent_starts(
    sandbox: Sandbox, tmp_path: Path, fake_programs: Path, line: str
) -> None:
    await _prepare_database(sandbox, tmp_path)
    nowhere = f"http://127.0.0.1:{unused_port()}"
    async with run_program(sandbox, tmp_path / "data", host=nowhere) as program:
        install_gpus(program, FakeGpu("GPU-0"), FakeGpu("GPU-1"))
        sentence = "doesn't answer"
        await _verify_refused(program, line, "clearml_unreachable", sentence, fake_programs)


async def _prepare_database(sandbox: Sandbox, tmp_path: Path) -> None:
    """Create a database in which Alice has a queue and a desired worker."""
    async with run_program(sandbox, tmp_path / "data") as program:
        await program.ask("/queue create")
        await _add_worker(program, "0,1")
