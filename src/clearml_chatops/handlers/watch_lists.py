"""The list of what is watched in a conversation."""

from collections.abc import Sequence
from dataclasses import dataclass

from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.formatting import format_count, format_time_ago
from clearml_chatops.handlers.pages import Page, build_option
from clearml_chatops.models.notifications import EventKind, ExperimentState, Subscription
from clearml_chatops.models.replies import Button, Buttons, Reply, Table, Text, Tone

_PAGE_SIZE = 10
_EVENT_WORDS = {
    EventKind.ENQUEUED: "enqueued",
    EventKind.STARTED: "started",
    EventKind.COMPLETED: "completed",
    EventKind.FAILED: "failed",
    EventKind.ABORTED: "aborted",
}
_THREAD_NOTE = " (in a thread)"
_OWN_NOT_WATCHED = Text(
    "Notifications for what you enqueue elsewhere are off. Turn them on with /watch mine=on.", Tone.SUBTLE
)


@dataclass(frozen=True, slots=True)
class WatchList:
    """What is watched in a conversation; each experiment with whether it is watched only in a thread."""

    subscriptions: Sequence[Subscription]
    experiments: Sequence[tuple[ExperimentState, bool]]

    @property
    def total(self) -> int:
        return len(self.subscriptions) + len(self.experiments)

    def get_slice(self, first: int, last: int) -> "WatchList":
        """Return the items from `first` up to `last`, excluded. Subscriptions come before experiments."""
        subscription_count = len(self.subscriptions)
        return WatchList(
            self.subscriptions[first:last],
            self.experiments[max(first - subscription_count, 0) : max(last - subscription_count, 0)],
        )


def build_watches_reply(context: Context, watch_list: WatchList, page: int, *, watches_own: bool) -> Reply:
    """Return one page of the list.

    `watches_own` is whether the person gets notified about what they enqueue outside the bot.
    """
    first = (page - 1) * _PAGE_SIZE
    page_items = watch_list.get_slice(first, first + _PAGE_SIZE)
    current_page = Page(
        page, _PAGE_SIZE, page_items.total, first + page_items.total < watch_list.total, watch_list.total
    )
    own_notice = None if watches_own else _OWN_NOT_WATCHED
    if not page_items.total:
        empty_text = (
            f"There's no page {page}."
            if watch_list.total
            else "Nothing is watched here. Use /watch with an experiment, queue= or project=."
        )
        return Reply.of(empty_text, own_notice, current_page.build_buttons([Word("/watching")]))
    experiments = [item for item, _ in page_items.experiments]
    return Reply.of(
        Text(f"{_format_counts(watch_list)} watched here", Tone.HEADING),
        _build_subscriptions_table(context, page_items.subscriptions),
        _build_experiments_table(context, page_items.experiments),
        None if current_page.is_only_page else Text(current_page.range_text, Tone.SUBTLE),
        own_notice,
        Buttons(
            (
                *(
                    Button(f"Unwatch {_format_title(item)}", build_unwatch_line(item))
                    for item in page_items.subscriptions
                ),
                *(Button(f"Unwatch {item.name}", f"/unwatch {item.experiment_id}") for item in experiments),
            )
        ),
        current_page.build_buttons([Word("/watching")]),
    )


def _build_subscriptions_table(context: Context, subscriptions: Sequence[Subscription]) -> Table | None:
    rows = tuple(
        (_format_title(item) + _format_thread_note(context, item), format_events(item)) for item in subscriptions
    )
    return Table(("queue or project", "notifies when"), rows) if rows else None


def _build_experiments_table(
    context: Context, experiments: Sequence[tuple[ExperimentState, bool]]
) -> Table | None:
    now = context.clock()
    rows = tuple(
        (
            item.experiment_id[:8],
            item.name + (_THREAD_NOTE if in_thread else ""),
            item.status.label,
            format_time_ago(item.status_changed, now),
        )
        for item, in_thread in experiments
    )
    return Table(("id", "name", "status", "changed"), rows) if rows else None


def _format_counts(watch_list: WatchList) -> str:
    """Return the counts of subscriptions and experiments, without those that are zero."""
    subscription_count = len(watch_list.subscriptions)
    parts = (
        [
            f"{subscription_count} queue or project"
            if subscription_count == 1
            else f"{subscription_count} queues and projects"
        ]
        if subscription_count
        else []
    )
    if watch_list.experiments:
        parts.append(format_count(len(watch_list.experiments), "experiment"))
    return " and ".join(parts)


def _format_thread_note(context: Context, subscription: Subscription) -> str:
    return "" if subscription.conversation == context.message.source_conversation else _THREAD_NOTE


def _format_title(subscription: Subscription) -> str:
    """Return the kind and name of its target: queue gpu_queue."""
    return f"{subscription.kind} {subscription.name}"


def format_events(subscription: Subscription) -> str:
    """Return the events it notifies about: started, completed."""
    return ", ".join(word for kind, word in _EVENT_WORDS.items() if kind in subscription.event_kinds)


def build_unwatch_line(subscription: Subscription) -> str:
    """Return the command line that removes a subscription. It holds the id, since the name may change."""
    return join_words([Word("/unwatch"), build_option(subscription.kind.value, subscription.target_id)])
