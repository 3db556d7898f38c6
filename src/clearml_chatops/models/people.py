"""People, their identities on the platforms, and their roles."""

from dataclasses import dataclass
from enum import IntEnum


class Role(IntEnum):
    """What a person may do; each role includes the lower ones."""

    VIEWER = 1
    MEMBER = 2
    ADMIN = 3

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Identity:
    """A user of one platform. Slack's user ids are unique only within a `workspace`; it is empty elsewhere."""

    platform: str
    user_id: str
    workspace: str = ""

    def __str__(self) -> str:
        return ":".join(part for part in (self.platform, self.workspace, self.user_id) if part)


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    name: str
    role: Role
    clearml_user_id: str = ""


@dataclass(frozen=True, slots=True)
class ConfiguredPerson:
    """A person from the settings, with all their identities.

    `clearml_user` is the id or the name of their ClearML user.
    """

    name: str
    role: Role
    clearml_user: str
    identities: tuple[Identity, ...]


@dataclass(frozen=True, slots=True)
class QueueBinding:
    """A person's own queue, the default for their experiments."""

    queue_id: str
    queue_name: str
