"""The background loops that run with every front end: polling ClearML, the workers and the GPUs."""

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
"""The driver is polled only while somebody waits for a GPU."""
_DIGESTS_INTERVAL = timedelta(seconds=20)
"""A digest may be a few seconds late."""
_CLEANUP_INTERVAL = timedelta(hours=1)


def build_background_loops(process: ProcessContext) -> Iterator[Loop]:
    """Yield all loops but the deliveries, which belong to the front ends."""
    watcher = process.watcher
    yield Loop(
        partial(_poll_watcher, process),
        watcher.get_poll_delay,
        "Can't poll ClearML for changes",
        wake_event=process.watcher_wakeup.subscribe(),
    )
    yield Loop(watcher.poll_deleted, _DELETED_INTERVAL, "Can't poll ClearML for deleted experiments")
    yield Loop(process.run_poller.poll, process.alert_interval, "Can't check alerts and alarms")
    yield Loop(process.reconciler.reconcile, _WORKERS_INTERVAL, "Can't keep the workers running")
    yield Loop(process.gpu_watches.poll, _GPUS_INTERVAL, "Can't read the watched GPUs")
    yield Loop(
        create_gpu_handovers(process).poll,
        _GPUS_INTERVAL,
        "Can't carry out GPU handovers",
        wake_event=process.handover_wakeup.subscribe(),
    )
    yield Loop(
        partial(queue_due_digests, process.daily_digests), _DIGESTS_INTERVAL, "Can't create the daily digests"
    )
    yield Loop(process.notifications.delete_old, _CLEANUP_INTERVAL, "Can't delete old notifications")
    yield Loop(process.requests.delete_old, _CLEANUP_INTERVAL, "Can't delete old requests")


async def _poll_watcher(process: ProcessContext) -> None:
    """Poll once everybody in the settings is known: what happened to their experiments is found only once."""
    await process.configured_people.save_all()
    await process.watcher.poll()
