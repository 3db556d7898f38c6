"""Programs that stand in for clearml-agent and docker, and do as a test says."""

import os
import stat
import sys
from pathlib import Path

import pytest


def install_fake_program(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, script: str) -> None:
    """A program of this name that is found on the PATH before all others, and does as the script says."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    program = programs / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


def install_fake_agent(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """A clearml-agent that does as the script says, found before the real one."""
    install_fake_program(monkeypatch, folder, "clearml-agent", script)
    monkeypatch.setattr(sys, "executable", str(folder / "programs" / "python"))
