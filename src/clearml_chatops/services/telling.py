"""Who is told of what: everybody who watches, but nobody of what he did himself. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import ACTS, Act, EventKind, ExperimentEvent, Recipient

ACT_COUNTS_FOR = timedelta(minutes=10)
"""How long after a command what happens is taken for its effect: an agent needs some seconds to end a run."""


def addressed(
    events: Iterable[ExperimentEvent],
    *,
    recipients: Mapping[str, Sequence[Recipient]],
    acts: Mapping[tuple[str, EventKind], Act],
    names: Mapping[str, str],
    bot_user_id: str = "",
) -> list[tuple[ExperimentEvent, Conversation]]:
    """Each event for each recipient, with the name of who did it.

    `acts` are the commands of the last minutes; where there is none, ClearML tells the user, whose name is
    among `names` if he is known here. A bot that cannot act for its people is itself the user there, and who
    has no ClearML user of his own is the bot's, `bot_user_id`.
    """
    told = []
    for event in events:
        act = acts.get((event.experiment_id, event.kind)) if event.kind in ACTS else None
        by_name = act.person_name if act else names.get(event.by, "")
        named = replace(event, by_name=by_name) if by_name else event
        told += [
            (named, recipient.conversation)
            for recipient in recipients.get(event.experiment_id, ())
            if event.kind not in ACTS or not _is_own(event, act, recipient, bot_user_id)
        ]
    return told


def _is_own(event: ExperimentEvent, act: Act | None, recipient: Recipient, bot_user_id: str) -> bool:
    if act is not None:
        return act.person_id == recipient.person_id
    return bool(event.by) and event.by == (recipient.clearml_user_id or bot_user_id)
