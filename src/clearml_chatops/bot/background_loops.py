"""What every program does beside its front ends: look at ClearML, at the workers and at the cards."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from clearml_chatops.bot.daily_digests import queue_due_digests
from clearml_chatops.bot.loops import Loop
from clearml_chatops.services.command_services import create_gpu_handovers
from clearml_chatops.services.process import ProcessContext

_DELETED_INTERVAL = timedelta(minutes=2)
_WORKERS_INTERVAL = timedelta(seconds=2)
_GPUS_INTERVAL = timedelta(seconds=5)
"""The driver is asked only while somebody waits for a card."""
_DIGESTS_INTERVAL = timedelta(seconds=20)
"""Nobody looks at his watch for a digest."""
_CLEANUP_INTERVAL = timedelta(hours=1)


def build_background_loops(process: ProcessContext) -> Iterator[Loop]:
    """All of it but the deliveries, which belong to the front ends."""
    watcher = process.watcher
    yield Loop(
        watcher.poll,
        watcher.get_poll_delay,
        "The watcher cannot ask ClearML",
        wake_event=process.watcher_wakeup.subscribe(),
    )
    yield Loop(watcher.poll_deleted, _DELETED_INTERVAL, "The watcher cannot ask what was deleted")
    yield Loop(process.run_poller.poll, process.alert_interval, "ClearML cannot be asked for alerts and alarms")
    yield Loop(process.reconciler.reconcile, _WORKERS_INTERVAL, "The workers cannot be kept running")
    yield Loop(process.gpu_watches.poll, _GPUS_INTERVAL, "The watched cards cannot be read")
    yield Loop(
        create_gpu_handovers(process).poll,
        _GPUS_INTERVAL,
        "What people agreed about cards cannot be carried out",
        wake_event=process.handover_wakeup.subscribe(),
    )
    yield Loop(
        partial(queue_due_digests, process.daily_digests), _DIGESTS_INTERVAL, "Daily digests cannot be made"
    )
    yield Loop(process.notifications.delete_old, _CLEANUP_INTERVAL, "Old notifications are not deleted")
