"""The list of what is watched in a conversation."""

from collections.abc import Sequence
from dataclasses import dataclass

from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.lines import Word, join_words
from clearml_chatops.handlers.pages import Page, option
from clearml_chatops.handlers.wording import ago, count
from clearml_chatops.models.notifications import EventKind, ExperimentState, Subscription
from clearml_chatops.models.replies import Button, Buttons, Reply, Table, Text, Tone

_ON_A_PAGE = 10
_TOLD = {
    EventKind.ENQUEUED: "enqueued",
    EventKind.LEFT_PENDING: "left Pending",
    EventKind.COMPLETED: "Completed",
    EventKind.FAILED: "Failed",
    EventKind.ABORTED: "Aborted",
}
_IN_A_THREAD = " (in a thread)"
_OWN_OFF = Text("What you enqueue elsewhere is not told you; /watch mine=on changes that.", Tone.QUIET)


@dataclass(frozen=True, slots=True)
class Watches:
    """What is watched in a conversation; of an experiment also whether only in a thread."""

    subscriptions: Sequence[Subscription]
    experiments: Sequence[tuple[ExperimentState, bool]]

    @property
    def total(self) -> int:
        return len(self.subscriptions) + len(self.experiments)

    def part(self, first: int, last: int) -> "Watches":
        """Those from `first` to before `last`; the subscriptions come before the experiments."""
        before = len(self.subscriptions)
        return Watches(
            self.subscriptions[first:last], self.experiments[max(first - before, 0) : max(last - before, 0)]
        )


def watches_reply(context: Context, watches: Watches, page: int, *, tells_own: bool) -> Reply:
    """A page of the list; `tells_own` is whether the person hears of what he enqueues elsewhere."""
    first = (page - 1) * _ON_A_PAGE
    shown = watches.part(first, first + _ON_A_PAGE)
    part = Page(page, _ON_A_PAGE, shown.total, first + shown.total < watches.total, watches.total)
    off = None if tells_own else _OWN_OFF
    if not shown.total:
        nothing = (
            f"There is no page {page}."
            if watches.total
            else "Nothing is watched here; /watch with an experiment, queue= or project= changes that."
        )
        return Reply.of(nothing, off, part.buttons([Word("/watching")]))
    experiments = [item for item, _ in shown.experiments]
    return Reply.of(
        Text(f"{_counted(watches)} watched here", Tone.HEADING),
        _subscriptions_table(context, shown.subscriptions),
        _experiments_table(context, shown.experiments),
        None if part.is_all else Text(part.range, Tone.QUIET),
        off,
        Buttons(
            (
                *(Button(f"Unwatch {title(item)}", unwatch_line(item)) for item in shown.subscriptions),
                *(Button(f"Unwatch {item.name}", f"/unwatch {item.experiment_id}") for item in experiments),
            )
        ),
        part.buttons([Word("/watching")]),
    )


def _subscriptions_table(context: Context, subscriptions: Sequence[Subscription]) -> Table | None:
    rows = tuple((title(item) + _place(context, item), told(item)) for item in subscriptions)
    return Table(("everybody's in", "told"), rows) if rows else None


def _experiments_table(context: Context, experiments: Sequence[tuple[ExperimentState, bool]]) -> Table | None:
    now = context.clock()
    rows = tuple(
        (
            item.experiment_id[:8],
            item.name + (_IN_A_THREAD if in_thread else ""),
            item.status.word,
            ago(item.status_changed, now),
        )
        for item, in_thread in experiments
    )
    return Table(("id", "name", "status", "changed"), rows) if rows else None


def _counted(watches: Watches) -> str:
    """How many of each, what there is none of left out."""
    of_all = len(watches.subscriptions)
    counted = [f"{of_all} queue or project" if of_all == 1 else f"{of_all} queues and projects"] if of_all else []
    if watches.experiments:
        counted.append(count(len(watches.experiments), "experiment"))
    return " and ".join(counted)


def _place(context: Context, subscription: Subscription) -> str:
    return "" if subscription.conversation == context.message.said_in else _IN_A_THREAD


def title(subscription: Subscription) -> str:
    """What it is of: “queue gpu_queue”."""
    return f"{subscription.kind} {subscription.name}"


def told(subscription: Subscription) -> str:
    """What it tells, in words."""
    return ", ".join(word for kind, word in _TOLD.items() if kind in subscription.told)


def unwatch_line(subscription: Subscription) -> str:
    """By its id: a queue may be called otherwise by then."""
    return join_words([Word("/unwatch"), option(subscription.kind.value, subscription.target_id)])
