"""What every program does beside its front ends: look at ClearML, at the workers and at the cards."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from clearml_chatops.bot.daily_digests import tell_due_digests
from clearml_chatops.bot.loops import Loop
from clearml_chatops.services.command_services import card_handovers
from clearml_chatops.services.process import ProcessContext

_DELETED_PAUSE = timedelta(minutes=2)
_WORKERS_PAUSE = timedelta(seconds=2)
_CARDS_PAUSE = timedelta(seconds=5)
"""The driver is asked only while somebody waits for a card."""
_DIGESTS_PAUSE = timedelta(seconds=20)
"""Nobody looks at his watch for a digest."""
_OLD_PAUSE = timedelta(hours=1)


def process_loops(process: ProcessContext) -> Iterator[Loop]:
    """All of it but the deliveries, which belong to the front ends."""
    watcher = process.watcher
    yield Loop(watcher.look, watcher.pause, "The watcher cannot ask ClearML", wake=process.watched.listener())
    yield Loop(watcher.look_for_deleted, _DELETED_PAUSE, "The watcher cannot ask what was deleted")
    yield Loop(process.run_watching.look, process.alert_interval, "ClearML cannot be asked for alerts and alarms")
    yield Loop(process.reconciler.reconcile, _WORKERS_PAUSE, "The workers cannot be kept running")
    yield Loop(process.card_watching.look, _CARDS_PAUSE, "The watched cards cannot be read")
    yield Loop(
        card_handovers(process).look,
        _CARDS_PAUSE,
        "What people agreed about cards cannot be carried out",
        wake=process.agreed.listener(),
    )
    yield Loop(partial(tell_due_digests, process.daily_digests), _DIGESTS_PAUSE, "Daily digests cannot be made")
    yield Loop(process.notifications.forget_old, _OLD_PAUSE, "Old notifications are not deleted")
