"""The command lines behind the buttons for workers."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.models.workers import WorkerPlan

_NEEDS_NO_QUOTES = re.compile(r"[A-Za-z0-9_.,:/@-]+")


@dataclass(frozen=True, slots=True)
class WorkerCommandLine:
    """A worker command in parts, so that a button can change one of them."""

    command: str
    words: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the line as people type it, quoted where necessary."""
        words = [
            *(Word(word) for word in self.command.split()),
            *(Word(word, quoted=not _NEEDS_NO_QUOTES.fullmatch(word)) for word in self.words),
            *(
                Word(f"{name}={value}", name, not _NEEDS_NO_QUOTES.fullmatch(value))
                for name, value in self.options.items()
            ),
        ]
        return join_words(words)

    def with_words(self, *words: str) -> "WorkerCommandLine":
        return replace(self, words=(*self.words, *filter(None, words)))

    def without_words(self, *words: str) -> "WorkerCommandLine":
        return replace(self, words=tuple(word for word in self.words if word not in words))

    def with_options(self, **options: str) -> "WorkerCommandLine":
        return replace(self, options={**self.options, **options})


def build_command_line(command: str, *words: str, **options: str | None) -> WorkerCommandLine:
    """Return the line of a command, without the words and options that are empty or None."""
    given_options = {name: value for name, value in options.items() if value}
    return WorkerCommandLine(command, tuple(filter(None, words)), given_options)


def build_start_line(plan: WorkerPlan) -> WorkerCommandLine:
    """Return the line that starts a worker with this plan."""
    return build_command_line(
        "/worker start",
        *_list_set_flags(docker=plan.docker, services=plan.services_mode),
        queue=",".join(queue.queue_name for queue in plan.queues),
        gpus=None if plan.services_mode else plan.gpus,
        image=plan.image,
        name=plan.name,
    )


def _list_set_flags(**flags: bool) -> Iterable[str]:
    return (name for name, is_set in flags.items() if is_set)
