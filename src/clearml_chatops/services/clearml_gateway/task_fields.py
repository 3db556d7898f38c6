"""The fields that requests for experiments ask ClearML for."""

EXPERIMENT_FIELDS = (
    "id",
    "name",
    "status",
    "status_changed",
    "status_reason",
    "status_message",
    "user.name",
    "project.name",
    "project.system_tags",
    "parent",
    "tags",
    "system_tags",
    "hyperparams",
    "container",
    "script",
    "execution.queue",
    "last_worker",
    "created",
    "started",
    "completed",
    "last_iteration",
    "last_metrics",
)
"""All fields of an `Experiment`."""

SUMMARY_FIELDS = (
    "id",
    "name",
    "status",
    "status_changed",
    "status_reason",
    "created",
    "user.name",
    "project.name",
    "parent",
    "execution.queue",
    "started",
    "completed",
    "last_worker",
    "last_worker_report",
    "last_iteration",
)
"""Fields for lists of experiments and for estimates of their duration."""

SEARCH_FIELDS = (*SUMMARY_FIELDS, "tags", "system_tags", "project.system_tags")
"""Fields for searches: what a list shows, and what tells whether ClearML's web UI hides an experiment."""

RUN_FIELDS = (
    "id",
    "name",
    "status",
    "status_changed",
    "status_reason",
    "status_message",
    "user.name",
    "started",
    "last_worker",
    "last_worker_report",
    "runtime",
)
"""Fields that show which agent runs an experiment."""

STATE_FIELDS = (
    "id",
    "name",
    "status",
    "status_changed",
    "created",
    "parent",
    "started",
    "completed",
    "last_worker",
    "last_worker_report",
    "status_reason",
    "status_message",
    "last_changed_by",
    "user.name",
    "project.name",
    "execution.queue",
)
"""Fields for the watcher."""
