"""What the commands for experiments do with several of them."""

from collections.abc import Sequence

from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.pages import build_option
from clearml_chatops.handlers.several_experiments import (
    SeveralCommand,
    answer_for_several,
    build_no_match_reply,
    build_selection_words,
)
from clearml_chatops.models.errors import NoPersonalQueueError
from clearml_chatops.models.replies import Button, Reply
from clearml_chatops.services.experiments.selections import Chosen


async def enqueue_several(
    context: Context, chosen: Chosen, *, queue: str, front: bool, create: bool, force: bool
) -> Reply:
    options = (
        *((build_option("queue", queue),) if queue else ()),
        *((Word("front"),) if front else ()),
        *((Word("--create"),) if create else ()),
        *((Word("--force"),) if force else ()),
    )
    try:
        queue_name = await _find_queue_name(context, queue, create=create, is_confirmed=chosen.token is not None)
    except NoPersonalQueueError as error:
        if chosen.several == ():
            return build_no_match_reply()
        line = join_words([Word("/enqueue"), *build_selection_words(chosen), *options, Word("--create")])
        return Reply.with_choice(str(error), Button("Create and enqueue…", line))
    command = SeveralCommand(
        (Word("/enqueue"), *options),
        "Enqueue",
        "Enqueued",
        context.services.bulk_actions.enqueue(queue_name=queue, front=front, force=force),
        details=f" in {queue_name}" if queue_name else "",
    )
    return await answer_for_several(context, chosen, command)


async def _find_queue_name(context: Context, queue: str, *, create: bool, is_confirmed: bool) -> str:
    """Return the queue's name. The person's own queue is created only after the confirmation.

    Raises:
        NoPersonalQueueError: they have none, and `create` is not set.
    """
    try:
        binding = await context.services.queues.resolve_binding(queue, create=create and is_confirmed)
    except NoPersonalQueueError:
        if create:
            return "your new queue"
        raise
    return binding.queue_name


async def retry_several(context: Context, chosen: Chosen, *, queue: str) -> Reply:
    options = (build_option("queue", queue),) if queue else ()
    action = context.services.bulk_actions.retry(queue_name=queue)
    command = SeveralCommand((Word("/retry"), *options), "Retry", "Enqueued", action)
    return await answer_for_several(context, chosen, command)


async def dequeue_several(context: Context, chosen: Chosen) -> Reply:
    action = context.services.bulk_actions.dequeue()
    return await answer_for_several(
        context, chosen, SeveralCommand((Word("/dequeue"),), "Dequeue", "Dequeued", action)
    )


async def abort_several(context: Context, chosen: Chosen) -> Reply:
    action = context.services.bulk_actions.abort()
    return await answer_for_several(context, chosen, SeveralCommand((Word("/abort"),), "Abort", "Aborted", action))


async def reset_several(context: Context, chosen: Chosen) -> Reply:
    action = context.services.bulk_actions.reset()
    warning = " Their logs and metrics are deleted for good."
    command = SeveralCommand((Word("/reset"),), "Reset", "Reset", action, warning=warning)
    return await answer_for_several(context, chosen, command)


async def archive_several(context: Context, chosen: Chosen) -> Reply:
    action = context.services.bulk_actions.archive()
    return await answer_for_several(
        context, chosen, SeveralCommand((Word("/archive"),), "Archive", "Archived", action)
    )


async def tag_several(context: Context, chosen: Chosen, *, tags: Sequence[str]) -> Reply:
    add = [word for word in tags if not word.startswith("-")]
    remove = [word[1:] for word in tags if word.startswith("-")]
    command = SeveralCommand(
        (Word("/tag"), *(Word(tag, quoted=True) for tag in tags)),
        "Tag",
        "Tagged",
        context.services.bulk_actions.tag(add=add, remove=remove),
        details=f" with {', '.join(tags)}",
    )
    return await answer_for_several(context, chosen, command)


async def watch_several(context: Context, chosen: Chosen) -> Reply:
    action = context.services.bulk_actions.watch()
    return await answer_for_several(
        context, chosen, SeveralCommand((Word("/watch"),), "Watch", "Watching", action)
    )
