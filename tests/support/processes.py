"""The installed program as a process of its own."""

import os
import sys
from pathlib import Path

import psutil

PROGRAM = str(Path(sys.executable).with_name("clearml-chatops"))


def build_process_environment(folder: Path, **variables: str) -> dict[str, str]:
    """The tests' environment, which has no settings in it, with a folder for all that the program writes."""
    return {**os.environ, "HOME": str(folder), "TMPDIR": str(folder), "CHATOPS_USER": "alice", **variables}


def list_processes(folder: Path) -> list[psutil.Process]:
    """The processes whose environment names the folder: what the program started and left behind."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and str(folder) in process.environ().values():
                found.append(process)
        except psutil.Error:
            continue
    return found
