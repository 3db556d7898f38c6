"""The question which worker a person means."""

from collections.abc import Sequence

from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.handlers.option_spellings import spell_out_options
from clearml_chatops.handlers.registry import Command
from clearml_chatops.models.errors import AmbiguousWorkerError
from clearml_chatops.models.replies import Button, Reply


def build_worker_choice(error: AmbiguousWorkerError, command: Command, words: Sequence[Word]) -> Reply:
    """Offer the same command line once for each worker that matches. `words` follow the command's name."""
    kept = [word for word in spell_out_options(command, words) if not _names_worker(word, error)]
    options = (
        Button(id_, join_words([*map(Word, f"/{command.name}".split()), Word(id_), *kept]))
        for id_ in error.worker_ids
    )
    return Reply.with_choice(str(error), *options)


def _names_worker(word: Word, error: AmbiguousWorkerError) -> bool:
    """Return whether a word is the argument that named the workers."""
    if word.key is None:
        return error.parameter == "worker" and word.text == error.reference
    return word.key.removeprefix("--") == error.parameter
