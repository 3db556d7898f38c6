"""The installed program in a separate process."""

import os
import sys
from pathlib import Path

import psutil

PROGRAM = str(Path(sys.executable).with_name("clearml-chatops"))


def build_process_environment(folder: Path, **variables: str) -> dict[str, str]:
    """Return the tests' environment, which has no settings, with a folder for the program's files."""
    return {**os.environ, "HOME": str(folder), "TMPDIR": str(folder), "CHATOPS_USER": "alice", **variables}


def list_processes(folder: Path) -> list[psutil.Process]:
    """Return the processes with the folder in their environment: those that the program started."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and str(folder) in process.environ().values():
                found.append(process)
        except psutil.Error:
            continue
    return found
