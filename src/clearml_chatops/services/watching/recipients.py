"""Decides who gets which events: everyone who watches, except for their own actions. Pure.

A channel that subscribed to a queue or a project is not a person: it also gets the actions of its members.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import (
    OWN_ACTION_KINDS,
    EventKind,
    ExperimentEvent,
    OwnAction,
    Recipient,
    Subscription,
)

OWN_ACTION_WINDOW = timedelta(minutes=10)
"""How long after a command an event counts as its effect: an agent needs some seconds to end a run."""


def address_events(
    events: Iterable[ExperimentEvent],
    *,
    recipients: Mapping[str, Sequence[Recipient]],
    own_actions: Mapping[tuple[str, EventKind], OwnAction],
    names: Mapping[str, str],
    owners: Mapping[str, str] | None = None,
    bot_user_id: str = "",
) -> list[tuple[ExperimentEvent, Conversation]]:
    """Return each event with each conversation to send it to, once per conversation, with the actor's name.

    `own_actions` are the commands of the last minutes. Without one, the actor is the ClearML user of the event;
    `names` maps the users that the bot knows to their names. If the bot cannot act on behalf of people, the
    ClearML user of their actions is the bot's own, `bot_user_id`. `owners` maps experiment ids to the owners'
    names, which subscribers see.
    """
    addressed_events = []
    for event in events:
        own_action = own_actions.get((event.experiment_id, event.kind)) if event.kind in OWN_ACTION_KINDS else None
        actor_name = own_action.person_name if own_action else names.get(event.actor_id, "")
        named_event = replace(event, actor_name=actor_name) if actor_name else event
        owned_event = replace(named_event, owner_name=(owners or {}).get(event.experiment_id, ""))
        by_conversation: dict[Conversation, ExperimentEvent] = {}
        people: dict[Conversation, dict[int, None]] = {}
        for recipient in recipients.get(event.experiment_id, ()):
            if event.kind in OWN_ACTION_KINDS and _is_own_action(event, own_action, recipient, bot_user_id):
                continue
            if recipient.subscription is None:
                by_conversation.setdefault(recipient.conversation, named_event)
            elif recipient.subscription.includes(event.kind, event.at):
                by_conversation[recipient.conversation] = owned_event
            else:
                continue
            person_id = recipient.subscription.person_id if recipient.subscription else recipient.person_id
            if person_id is not None:
                people.setdefault(recipient.conversation, {})[person_id] = None
        addressed_events += [
            (replace(conversation_event, person_ids=tuple(people.get(conversation, ()))), conversation)
            for conversation, conversation_event in by_conversation.items()
        ]
    return addressed_events


def combine_recipients(
    experiment: Experiment,
    subscriptions: Iterable[Subscription],
    watch_recipients: Mapping[str, Sequence[Recipient]],
) -> list[Recipient]:
    """Return who watches an experiment, then who gets notified of it by a subscription.

    A private subscription is left out if the person watches the experiment in the same chat, in any thread.
    """
    watchers = watch_recipients.get(experiment.id, ())
    private_watchers = {(item.person_id, item.conversation.platform, item.conversation.id) for item in watchers}
    return [
        *watchers,
        *(
            Recipient(item.conversation, item.person_id if item.private else None, item.clearml_user_id, item)
            for item in subscriptions
            if item.covers(experiment)
            if not (
                item.private
                and (item.person_id, item.conversation.platform, item.conversation.id) in private_watchers
            )
        ),
    ]


def _is_own_action(
    event: ExperimentEvent, own_action: OwnAction | None, recipient: Recipient, bot_user_id: str
) -> bool:
    if recipient.person_id is None:
        return False
    if own_action is not None:
        return own_action.person_id == recipient.person_id
    return bool(event.actor_id) and event.actor_id == (recipient.clearml_user_id or bot_user_id)
