"""Workers with containers: the real clearml-agent and a fake docker that records its arguments."""

from pathlib import Path

import pytest

from clearml_chatops.models.people import QueueBinding
from clearml_chatops.models.workers import DesiredWorker, WorkerPlan
from clearml_chatops.services.workers.process_owners import find_executed_experiment_id
from tests.support.agents import find_agent_process, is_gone, kill, quick_agents, start_run
from tests.support.experiments import add_script
from tests.support.fake_programs import install_fake_agent, install_fake_program
from tests.support.nvml import FakeGpu, install_gpus
from tests.support.polling import wait_until
from tests.support.program import RunningProgram

pytestmark = pytest.mark.usefixtures(quick_agents.__name__)


async def test_docker_run_gets_image_arguments_and_gpus(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record = tmp_path / "docker-calls"
    install_fake_program(
        monkeypatch,
        tmp_path,
        "docker",
        f'for word in "$@"; do echo "$word"; done >> {record}; echo --- >> {record}',
    )
    install_gpus(program, FakeGpu("GPU-0"), FakeGpu("GPU-1"), FakeGpu("GPU-2"))
    await program.ask("/queue create")
    await program.ask("/worker start gpus=2,1 image=python:3.11")
    task = add_script(program.sandbox, "in a container", "print('inside')")
    await program.ask(f"/use {task}")
    await program.ask('/container image=python:3.12 args="-v /data:/data -w /workspace --user 1000:1000"')

    await program.ask("/enqueue")
    await wait_until(lambda: record.exists() and "\nrun\n" in f"\n{record.read_text()}")

    (words,) = [
        words for call in record.read_text().split("---\n") if (words := call.splitlines()) and words[0] == "run"
    ]
    assert _get_option_value(words, "--gpus") == '"device=1,2"'
    assert _get_option_value(words, "-w") == "/workspace"
    assert _get_option_value(words, "--user") == "1000:1000"
    assert "/data:/data" in words
    assert "python:3.12" in words
    assert "python:3.11" not in words


async def test_agent_uses_its_default_image(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record = tmp_path / "docker-calls"
    install_fake_program(monkeypatch, tmp_path, "docker", f'echo "$@" >> {record}')
    monkeypatch.setenv("CLEARML_DOCKER_IMAGE", "the-agents-own:1")
    await program.ask("/queue create")
    output = await program.ask("/worker start gpus=none docker")
    assert "container: default Docker image" in output
    task = add_script(program.sandbox, "no image", "print('inside')")
    await program.ask(f"/enqueue {task}")
    await wait_until(lambda: record.exists() and "\nrun " in f"\n{record.read_text()}")
    assert " the-agents-own:1 " in record.read_text()


@pytest.mark.parametrize(
    ("image", "line", "arguments"),
    [
        ("", "/worker restart docker", "--cpu-only --docker"),
        ("", "/worker restart image=a:2", "--cpu-only --docker a:2"),
        ("a:1", "/worker restart", "--cpu-only --docker a:1"),
        ("a:1", "/worker restart docker", "--cpu-only --docker a:1"),
        ("a:1", "/worker restart image= docker", "--cpu-only --docker"),
        ("a:1", "/worker restart venv", "--cpu-only"),
        ("a:1", '/worker restart image=""', "--cpu-only"),
    ],
)
async def test_restart_switches_containers_on_and_off(
    program: RunningProgram,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    image: str,
    line: str,
    arguments: str,
) -> None:
    record = tmp_path / "record"
    install_fake_agent(monkeypatch, tmp_path, f'echo "$@" > {record}; exit 1')
    install_fake_program(monkeypatch, tmp_path, "docker", "exit 0")
    await program.ask("/queue create")
    queue, person = program.sandbox.state.find_queue("alice_queue"), await program.find_person()
    assert queue is not None
    assert person is not None
    process = program.program.process
    plan = WorkerPlan((QueueBinding(queue["id"], "alice_queue"),), "none", image)
    old = DesiredWorker("lab:alice_queue:cpu", "lab", plan, person.id, program.conversation, process.clock())
    await process.host_workers.put(old)

    assert await program.send_for_error_code(line) == "agent_failed"

    assert record.read_text().strip().endswith(f"--detached {arguments}")
    assert [item.plan for item in await process.host_workers.list_desired()] == [plan], (
        "the previous worker is restored"
    )


async def test_abort_stops_the_container_of_a_killed_agent(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record = tmp_path / "docker-calls"
    install_fake_program(
        monkeypatch,
        tmp_path,
        "docker",
        f"""case "$1" in
        run) while :; do sleep 0.1; done ;;
        ps) echo "other1 \\"bash -c ... execute --id 0\\""
            echo "ours1 \\"bash -c ... execute --id $(cat {tmp_path}/task)\\"" ;;
        stop) echo "$@" >> {record} ;;
        esac""",
    )
    await program.ask("/queue create")
    await program.ask("/worker start gpus=none image=python:3.11")
    task = await start_run(program)
    (tmp_path / "task").write_text(task)
    worker_id = "lab:alice_queue:cpu"
    agent = await find_agent_process(program, worker_id)
    await wait_until(lambda: task in {find_executed_experiment_id(child) for child in agent.children()})
    (container,) = [child for child in agent.children() if find_executed_experiment_id(child) == task]
    await kill(agent)
    reconciler = program.program.process.reconciler
    await reconciler.reconcile()
    assert not is_gone(container)

    await program.program.process.clearml.bot.stop(task, reason="Aborted by alice")
    await reconciler.reconcile()

    assert program.sandbox.state.tasks[task]["status"] == "stopped"
    assert is_gone(container)
    assert record.read_text() == "stop -t 1 ours1\n"


def _get_option_value(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]
