"""Differences between experiments, or between two states of one."""

from collections.abc import Sequence
from dataclasses import dataclass

from clearml_chatops.models.experiments import Container, Experiment, Parameter, Script


@dataclass(frozen=True, slots=True)
class ValueChange:
    """One value before and after; None where it is missing."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class VaryingParameter:
    """One parameter's values in several experiments; None where it is missing."""

    name: str
    values: tuple[str | None, ...]


def diff_experiments(before: Experiment, after: Experiment) -> tuple[ValueChange, ...]:
    return (
        *diff_parameters(before.parameters, after.parameters),
        *diff_containers(before.container, after.container),
        *diff_scripts(before.script, after.script),
    )


def diff_parameters(before: Sequence[Parameter], after: Sequence[Parameter]) -> tuple[ValueChange, ...]:
    """Return the parameters with different values, sorted by name."""
    old = {item.key: item.value for item in before}
    new = {item.key: item.value for item in after}
    changed_keys = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    return tuple(ValueChange(str(key), old.get(key), new.get(key)) for key in changed_keys)


def find_varying_parameters(experiments: Sequence[Experiment]) -> tuple[VaryingParameter, ...]:
    """Return the parameters that are not the same in all experiments, sorted by name."""
    values = [{item.key: item.value for item in experiment.parameters} for experiment in experiments]
    keys = sorted(key for key in set().union(*values) if len({known.get(key) for known in values}) > 1)
    return tuple(VaryingParameter(str(key), tuple(known.get(key) for known in values)) for key in keys)


def diff_containers(before: Container, after: Container) -> tuple[ValueChange, ...]:
    return _diff_values(
        ("container image", before.image, after.image),
        ("container arguments", before.arguments, after.arguments),
        ("container setup", before.setup_shell_script, after.setup_shell_script),
    )


def diff_scripts(before: Script, after: Script) -> tuple[ValueChange, ...]:
    return _diff_values(
        ("script repository", before.repository, after.repository),
        ("script branch", before.branch, after.branch),
        ("script commit", before.commit, after.commit),
        ("script entry point", before.entry_point, after.entry_point),
        ("script folder", before.working_directory, after.working_directory),
    )


def _diff_values(*values: tuple[str, str, str]) -> tuple[ValueChange, ...]:
    return tuple(ValueChange(name, old or None, new or None) for name, old, new in values if old != new)
