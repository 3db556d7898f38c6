"""The tags in a line, and experiments that were typed among them."""

from collections.abc import Sequence

from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.pages import build_option
from clearml_chatops.models.errors import AmbiguousExperimentError, ExperimentNotFoundError, UsageError
from clearml_chatops.models.replies import Button
from clearml_chatops.services.experiments.experiment_lookup import LAST_REFERENCE, is_explicit_reference

_USAGE = "/tag <tags…> [id=…] [find=…]"


def split_tags(words: Sequence[str]) -> tuple[str, ...]:
    """Return the tags in the words. Commas separate them, as they do in `/find tag=`."""
    return tuple(tag.strip() for word in words for tag in word.split(",") if tag.strip())


async def require_only_tags(context: Context, tags: Sequence[str]) -> None:
    """Refuse `/tag 4f2a best` and `/tag best last 3`: the experiments would become tags of the current one.

    Raises:
        UsageError: with a button that tags these experiments.
    """
    last_few = _list_last_few(tags)
    references = last_few or [tag for tag in tags if await _is_experiment(context, tag)]
    if not references:
        return
    others = [tag for tag in tags if tag not in (" ".join(last_few).split() or references)]
    words = [Word("/tag"), *(Word(tag, quoted=True) for tag in others), build_option("id", ",".join(references))]
    button = Button(f"Tag {', '.join(references)} with {', '.join(others)}", join_words(words))
    raise UsageError(
        reason=f"“{references[0]}” is an experiment, not a tag. Name experiments with id=….",
        usage=_USAGE,
        buttons=[button] if others else [],
    )


def _list_last_few(tags: Sequence[str]) -> list[str]:
    """Return `last 3` if these are the last tags."""
    *_, word, count = ("", *tags) if len(tags) > 1 else ("", "")
    return [f"{LAST_REFERENCE} {count}"] if word.casefold() == LAST_REFERENCE and count.isdecimal() else []


async def _is_experiment(context: Context, tag: str) -> bool:
    """Return whether a tag is the id of an experiment, the start of one, or a link. The tag `last` is none."""
    if tag.casefold() == LAST_REFERENCE or not is_explicit_reference(tag):
        return False
    try:
        found = await context.services.experiments.get(tag)
    except AmbiguousExperimentError as error:
        return all(item.id.startswith(tag.casefold()) for item in error.candidates)
    except ExperimentNotFoundError:
        return False
    return "://" in tag or found.id.startswith(tag.casefold())
