"""Who is told of what: everybody who watches, but nobody of what he did himself. Pure.

A channel that subscribed to a queue or a project is no person: it is told also of what those in it have done.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import (
    ACTS,
    Act,
    EventKind,
    ExperimentEvent,
    Recipient,
    Subscription,
)

ACT_COUNTS_FOR = timedelta(minutes=10)
"""How long after a command what happens is taken for its effect: an agent needs some seconds to end a run."""


def addressed(
    events: Iterable[ExperimentEvent],
    *,
    recipients: Mapping[str, Sequence[Recipient]],
    acts: Mapping[tuple[str, EventKind], Act],
    names: Mapping[str, str],
    owners: Mapping[str, str] | None = None,
    bot_user_id: str = "",
) -> list[tuple[ExperimentEvent, Conversation]]:
    """Each event for each recipient, once in a conversation, with the name of who did it.

    `acts` are the commands of the last minutes; where there is none, ClearML tells the user, whose name is
    among `names` if he is known here. A bot that cannot act for its people is itself the user there, and who
    has no ClearML user of his own is the bot's, `bot_user_id`. Subscribers read whose an experiment is, which
    `owners` tells by its id.
    """
    told = []
    for event in events:
        act = acts.get((event.experiment_id, event.kind)) if event.kind in ACTS else None
        by_name = act.person_name if act else names.get(event.by, "")
        named = replace(event, by_name=by_name) if by_name else event
        owned = replace(named, owner=(owners or {}).get(event.experiment_id, ""))
        by_place: dict[Conversation, ExperimentEvent] = {}
        people: dict[Conversation, dict[int, None]] = {}
        for recipient in recipients.get(event.experiment_id, ()):
            if event.kind in ACTS and _is_own(event, act, recipient, bot_user_id):
                continue
            if recipient.subscription is None:
                by_place.setdefault(recipient.conversation, named)
            elif recipient.subscription.tells(event.kind, event.at):
                by_place[recipient.conversation] = owned
            else:
                continue
            if (wanted_by := _wanted_by(recipient)) is not None:
                people.setdefault(recipient.conversation, {})[wanted_by] = None
        told += [
            (replace(event_there, people=tuple(people.get(place, ()))), place)
            for place, event_there in by_place.items()
        ]
    return told


def with_subscribers(
    experiment: Experiment, subscriptions: Iterable[Subscription], watching: Mapping[str, Sequence[Recipient]]
) -> list[Recipient]:
    """Who watches an experiment, and behind them who is told of it by subscription.

    Who watches it in his private conversation, whichever thread of that, is told there already.
    """
    watchers = watching.get(experiment.id, ())
    served = {(item.person_id, item.conversation.platform, item.conversation.id) for item in watchers}
    return [
        *watchers,
        *(
            Recipient(item.conversation, item.person_id if item.private else None, item.clearml_user_id, item)
            for item in subscriptions
            if item.covers(experiment)
            if not (item.private and (item.person_id, item.conversation.platform, item.conversation.id) in served)
        ),
    ]


def _is_own(event: ExperimentEvent, act: Act | None, recipient: Recipient, bot_user_id: str) -> bool:
    if recipient.person_id is None:
        return False
    if act is not None:
        return act.person_id == recipient.person_id
    return bool(event.by) and event.by == (recipient.clearml_user_id or bot_user_id)


def _wanted_by(recipient: Recipient) -> int | None:
    return recipient.subscription.person_id if recipient.subscription else recipient.person_id
