"""A queue that was typed behind the experiment, as in `/enqueue first run in alice_queue`."""

from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.pages import build_option
from clearml_chatops.models.errors import QueueNotFoundError
from clearml_chatops.models.replies import Button

_PREPOSITIONS = frozenset({"in", "to", "on", "into", "queue"})


async def offer_trailing_queue(context: Context, reference: str, *, front: bool, force: bool) -> list[Button]:
    """Return a button that enqueues the experiment in the queue that the last word names, if it names one."""
    *words, last = reference.split() or [""]
    if not words:
        return []
    try:
        queue = await context.services.queues.find(last)
    except QueueNotFoundError:
        return []
    while words and words[-1].casefold() in _PREPOSITIONS:
        words.pop()
    if not words:
        return []
    name = " ".join(words)
    flags = [Word(word) for word, is_set in (("front", front), ("--force", force)) if is_set]
    line = join_words([Word("/enqueue"), Word(name, quoted=True), build_option("queue", queue.name), *flags])
    return [Button(f"Enqueue {name} in {queue.name}", line)]
