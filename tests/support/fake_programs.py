"""Fake programs that replace clearml-agent and docker with a test's script."""

import os
import stat
import sys
from pathlib import Path

import pytest


def install_fake_program(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, script: str) -> None:
    """Install a program that runs the script, found on the PATH before all others."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    program = programs / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


def install_fake_agent(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """Install a clearml-agent that runs the script, found before the real one."""
    install_fake_program(monkeypatch, folder, "clearml-agent", script)
    monkeypatch.setattr(sys, "executable", str(folder / "programs" / "python"))
