"""Who talks to the bot, from where, and what he may do."""

from dataclasses import dataclass
from enum import IntEnum


class Role(IntEnum):
    """What a person may do; a higher role may all that a lower one may."""

    VIEWER = 1
    MEMBER = 2
    ADMIN = 3

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Identity:
    """A user of one platform. Slack's user ids hold only within a workspace; elsewhere it is empty."""

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
    """A person as the settings name him, with all the identities by which he may speak.

    `clearml_user` is the id or the name of his ClearML user.
    """

    name: str
    role: Role
    clearml_user: str
    identities: tuple[Identity, ...]


@dataclass(frozen=True, slots=True)
class QueueBinding:
    """The personal queue into which a person's experiments go unless he says otherwise."""

    queue_id: str
    queue_name: str
