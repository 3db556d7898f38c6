"""Orders for workers that cannot be carried out: one sentence each that says what to do, and nothing changed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import unused_port

from clearml_chatops.models.people import QueueBinding
from clearml_chatops.models.replies import Outcome
from clearml_chatops.models.workers import WantedWorker, WorkerPlan
from clearml_chatops.sandbox import Sandbox
from tests.support.agents import agents_of, listed
from tests.support.nvml import FakeCard, put_in
from tests.support.program import RunningProgram, plain_text, running_program
from tests.support.stand_ins import stand_in, stand_in_agent

_ALL_ORDERS = ("/worker start gpus=0", "/worker restart gpus=1", "/worker stop", "/worker drain")


async def _state(program: RunningProgram) -> tuple[Any, ...]:
    """All that an order could have changed: what is wanted, what runs, and what ClearML knows of it."""
    wanted = await program.program.process.host_workers.wanted()
    tags = {queue["name"]: list(queue["tags"]) for queue in program.sandbox.state.queues.values()}
    return wanted, await agents_of(program), listed(program), tags


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An agent and a docker that must not be called; the file in which it would stand."""
    called = tmp_path / "called"
    stand_in_agent(monkeypatch, tmp_path, f'echo "$@" >> {called}; exit 1')
    stand_in(monkeypatch, tmp_path, "docker", f'echo "$@" >> {called}; exit 1')
    return called


async def _refused(program: RunningProgram, line: str, code: str, sentence: str, called: Path) -> None:
    before = await _state(program)
    reply = await program.say(line)
    (entry,) = await program.program.process.audit.last(1)
    assert (entry.error_code, reply.outcome) == (code, Outcome.REFUSED), plain_text(reply)
    said = plain_text(reply).splitlines()[0]
    assert sentence in said
    assert "{" not in said
    assert await _state(program) == before, f"{line} changed something"
    assert not called.exists(), f"{line} called a program"


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ("gpus=9", "invalid_value", "“9” is not a card of this machine; it has 0, 1."),
        ("gpus=0,9", "invalid_value", "“9” is not a card of this machine; it has 0, 1."),
        ("gpus=0,0", "invalid_value", "“0,0” is not a list of different cards; name each card once, like 0,1."),
        ("gpus=0,00", "invalid_value", "name each card once, like 0,1."),
        ("gpus=0,GPU-0", "invalid_value", "name each card once, like 0,1."),
        ("gpus=first", "invalid_value", "“first” is not a list of cards; write it like 0,1 or all or none"),
        ("gpus=", "invalid_value", "“” is not a list of cards; write it like 0,1 or all or none"),
        ("gpus=0,", "invalid_value", "“0,” is not a list of cards; write it like 0,1"),
        ("gpus=-1", "invalid_value", "“-1” is not a list of cards; write it like 0,1"),
        ("gpus=GPU-f", "invalid_value", "“GPU-f” is not a card of this machine; it has 0, 1."),
        ("gpus=0:1", "invalid_value", "“0:1” is not a card of this machine; it has 0, 1."),
        ("gpus 0", "usage", "does not know what to do with “gpus”"),
        ("gpu=0", "usage", "has no option “gpu”. Did you mean gpus"),
        ("queue=alice_quue gpus=0", "queue_not_found", "alice_queue"),
        ("queue=default,nowhere gpus=0", "queue_not_found", "nowhere"),
        ("queue=default,default gpus=0", "invalid_value", "“default,default” is not"),
        (
            "gpus=0 host=gpu02",
            "unknown_host",
            "the machine that I am on, and not on “gpu02”; leave out host=.",
        ),
        ("gpus=0 docker venv", "docker_or_venv", "not both; leave out one of the two words."),
        ("gpus=0 venv image=a:1", "docker_or_venv", "not both; leave out venv or image=."),
        ("gpus=0 run=wait", "usage", "has no option “run”"),
    ],
)
async def test_a_start_that_cannot_be(
    program: RunningProgram, programs: Path, line: str, code: str, sentence: str
) -> None:
    put_in(program, FakeCard("GPU-0"), FakeCard("GPU-1"))
    await program.ask("/queue create")
    await _refused(program, f"/worker start {line}", code, sentence, programs)


@pytest.mark.parametrize("line", _ALL_ORDERS)
async def test_an_order_for_ones_own_queue_of_a_person_who_has_none(
    program: RunningProgram, programs: Path, line: str
) -> None:
    put_in(program, FakeCard("GPU-0"), FakeCard("GPU-1"))
    await _refused(program, line, "no_personal_queue", "/queue create", programs)


async def _has(program: RunningProgram, gpus: str) -> None:
    """Has a worker of Alice's queue be wanted, without an agent."""
    person, queue = await program.person(), program.sandbox.state.queue_named("alice_queue")
    assert person is not None
    assert queue is not None
    plan = WorkerPlan((QueueBinding(queue["id"], "alice_queue"),), gpus)
    process = program.program.process
    worker_id = f"lab:alice_queue:gpu{gpus}"
    await process.host_workers.put(
        WantedWorker(worker_id, "lab", plan, person.id, program.conversation, process.clock())
    )


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ("/worker restart gpus=9", "invalid_value", "“9” is not a card of this machine; it has 0, 1, 2."),
        ("/worker restart gpus=1,1", "invalid_value", "name each card once, like 0,1."),
        ("/worker restart docker venv", "docker_or_venv", "leave out one of the two words."),
        ('/worker restart venv image="a:1"', "docker_or_venv", "leave out venv or image=."),
        (
            "/worker restart run=later",
            "invalid_value",
            "not a way to treat a run; use wait, requeue or abort.",
        ),
        ("/worker restart queue=nowhere", "queue_not_found", "nowhere"),
        ("/worker restart lab:bob_queue:gpu0", "worker_not_found", "/worker list shows what there is."),
        ("/worker start gpus=1,0 image=a:1", "worker_exists", "/worker restart changes its cards or its image."),
        ("/worker stop lab:alice_queue:gpu7", "worker_not_found", "Did you mean lab:alice_queue:gpu0,1"),
        ("/worker stop queue=default", "no_worker", "No worker that I started for default runs on lab"),
        ("/worker drain queue=nowhere", "queue_not_found", "nowhere"),
        ("/worker log 0", "invalid_value", "give one from 1 to 10000."),
        ("/worker log", "worker_not_running", "does not run just now"),
    ],
)
async def test_orders_for_a_worker_that_cannot_be(
    program: RunningProgram, programs: Path, line: str, code: str, sentence: str
) -> None:
    put_in(program, FakeCard("GPU-0"), FakeCard("GPU-1"), FakeCard("GPU-2"))
    await program.ask("/queue create")
    await _has(program, "0,1")
    await _refused(program, line, code, sentence, programs)


async def test_a_missing_agent_and_a_missing_docker(
    program: RunningProgram, programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await program.ask("/queue create")
    docker = tmp_path / "programs" / "docker"
    docker.unlink()
    monkeypatch.setenv("PATH", str(docker.parent))
    for containers in ("image=a:1", "docker", "docker image=a:1"):
        line = f"/worker start gpus=none {containers}"
        await _refused(program, line, "docker_missing", "docker is not installed on lab; install it", programs)
    (tmp_path / "programs" / "clearml-agent").unlink()
    missing = "clearml-agent is not installed on lab; install it there with: pip install clearml-agent"
    await _refused(program, "/worker start gpus=none", "agent_missing", missing, programs)


async def test_no_driver_offers_a_worker_without_cards(program: RunningProgram, programs: Path) -> None:
    await program.ask("/queue create")
    sentence = "look with nvidia-smi, or use gpus=none."
    await _refused(program, "/worker start gpus=0 name=x", "no_gpu_driver", sentence, programs)
    reply = plain_text(await program.say("/worker start gpus=0 name=x"))
    assert "[Start it without cards] /worker start gpus=none name=x" in reply
    await _has(program, "0")
    reply = plain_text(await program.say("/worker restart gpus=1"))
    assert "[Start it without cards] /worker restart gpus=none" in reply
    assert plain_text(await program.say("/gpus")).splitlines()[0].endswith("look with nvidia-smi.")


@pytest.mark.parametrize("line", _ALL_ORDERS)
async def test_the_server_is_asked_before_the_agent_whether_it_takes_the_credentials(
    sandbox: Sandbox, tmp_path: Path, programs: Path, line: str
) -> None:
    """An agent would say so, too, but only in its own words."""
    await _with_a_worker(sandbox, tmp_path)
    wrong = replace(sandbox.alice, secret_key="of long ago")
    async with running_program(sandbox, tmp_path / "data", user=wrong) as program:
        put_in(program, FakeCard("GPU-0"), FakeCard("GPU-1"))
        sentence = "does not accept the credentials; check CLEARML_API_ACCESS_KEY"
        await _refused(program, line, "clearml_credentials", sentence, programs)


@pytest.mark.parametrize("line", _ALL_ORDERS)
async def test_a_server_that_is_down_is_said_before_an_agent_is_called_that_takes_long_to_say_so(
    sandbox: Sandbox, tmp_path: Path, programs: Path, line: str
) -> None:
    await _with_a_worker(sandbox, tmp_path)
    nowhere = f"http://127.0.0.1:{unused_port()}"
    async with running_program(sandbox, tmp_path / "data", host=nowhere) as program:
        put_in(program, FakeCard("GPU-0"), FakeCard("GPU-1"))
        sentence = "does not answer"
        await _refused(program, line, "clearml_unreachable", sentence, programs)


async def _with_a_worker(sandbox: Sandbox, tmp_path: Path) -> None:
    """A database in which Alice has a queue and wants a worker, as she left it when all was well."""
    async with running_program(sandbox, tmp_path / "data") as program:
        await program.ask("/queue create")
        await _has(program, "0,1")
