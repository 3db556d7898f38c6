"""`clearml-chatops demo` as new users run it: the main job with a real clearml-agent."""

import asyncio
import contextlib
import os
import pty
import re
import signal
from functools import partial
from pathlib import Path

import pytest

from tests.support.polling import wait_until
from tests.support.processes import PROGRAM, build_process_environment, list_processes


async def test_the_tour_shows_the_main_job_and_leaves_nothing_behind(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        "demo",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=build_process_environment(tmp_path),
    )
    output, _ = await process.communicate()
    transcript = re.sub(r"\s+", " ", output.decode())

    assert process.returncode == 0, output.decode()
    for expected_text in (
        "> /find",
        "baseline Completed",
        "Cloned as “on two GPUs”",
        "Args/gpus 0 1,2",
        "Args/lr 0.1 0.05",
        "-v /data:/data -w /workspace --user 1000:1000",
        "5 differences from “baseline”",
        "Created queue alice_queue",
        "Worker lab:alice_queue:cpu listens on alice_queue",
        "“on two GPUs” is Pending in alice_queue",
        "“on two GPUs” started on lab:alice_queue:cpu.",
        "“on two GPUs” completed after",
        "gpus=1,2 lr=0.05 epochs=2",
        "Stopped lab:alice_queue:cpu",
    ):
        assert expected_text in transcript, f"no {expected_text!r} in: {output.decode()}"
    assert list(tmp_path.iterdir()) == []
    assert list_processes(tmp_path) == []


async def test_a_line_that_fails_makes_the_demo_fail(tmp_path: Path) -> None:
    script = tmp_path / "tour.txt"
    script.write_text("/find baseline\n/clone nothing-of-this-name\n/find\n")

    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        "demo",
        "--script",
        str(script),
        stdout=asyncio.subprocess.PIPE,
        env=build_process_environment(tmp_path),
    )
    output, _ = await process.communicate()

    assert process.returncode == 1
    assert "No experiment named “nothing-of-this-name”" in re.sub(r"\s+", " ", output.decode())


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_during_a_run_stops_everything_the_demo_started(tmp_path: Path, signal_number: int) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    script = tmp_path / "tour.txt"
    script.write_text(
        "/queue create\n/worker start gpus=none\n/rerun baseline args.epochs=500\n/wait completed timeout=1h\n"
    )
    output_file = tmp_path / "output.txt"
    with output_file.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            PROGRAM,
            "demo",
            "--script",
            str(script),
            stdout=file,
            stderr=file,
            env=build_process_environment(folder),
            # Tests that run in the background ignore SIGINT, and child processes inherit that.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
    await wait_until(lambda: "” started on " in output_file.read_text() or process.returncode is not None)

    process.send_signal(signal_number)
    await process.wait()

    assert process.returncode != 0
    assert "Traceback" not in output_file.read_text()
    assert list(folder.iterdir()) == []
    assert list_processes(folder) == []


async def test_the_demo_is_interactive_at_a_terminal(tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        "demo",
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=build_process_environment(tmp_path, TERM="xterm-256color"),
    )
    os.close(terminal)
    screen = _PseudoTerminal(controller)

    await wait_until(lambda: screen.shows("/help lists the commands"))
    os.write(controller, b"/find baseline\r")
    await wait_until(lambda: screen.shows("Completed"))
    # Between two prompts the terminal itself consumes a Ctrl-D, so it's pressed again.
    await wait_until(lambda: process.returncode is not None or screen.press(b"\x04"))

    assert process.returncode == 0
    screen.close()


class _PseudoTerminal:
    """A pseudo-terminal that collects its output."""

    def __init__(self, controller: int) -> None:
        os.set_blocking(controller, False)
        self._controller = controller
        self._text = b""

    def shows(self, text: str) -> bool:
        self._drain()
        return text.encode() in self._text

    def press(self, key: bytes) -> bool:
        """Press a key and read the output. Always returns False, for use in a condition."""
        with contextlib.suppress(OSError):
            os.write(self._controller, key)
        self._drain()
        return False

    def _drain(self) -> None:
        """Read the pending output: a full terminal would block the program."""
        try:
            while chunk := os.read(self._controller, 65536):
                self._text += chunk
        except OSError:
            pass  # no output, or the other end is closed

    def close(self) -> None:
        os.close(self._controller)
