"""All commands. A new family is a new file and a line here."""

from clearml_chatops.handlers.alerts import ALERTS
from clearml_chatops.handlers.daily_digests import DIGESTS
from clearml_chatops.handlers.drafts import DRAFTS
from clearml_chatops.handlers.experiments import EXPERIMENTS
from clearml_chatops.handlers.gpus import GPUS
from clearml_chatops.handlers.help import HELP
from clearml_chatops.handlers.home import HOME
from clearml_chatops.handlers.links import PLATFORMS
from clearml_chatops.handlers.plots import PLOTS
from clearml_chatops.handlers.queues import QUEUES
from clearml_chatops.handlers.quiet import QUIET
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.handlers.runs import RUNS
from clearml_chatops.handlers.watches import NOTIFICATIONS
from clearml_chatops.handlers.workers import WORKERS


def build_registry() -> Registry:
    return Registry(
        [
            HOME,
            EXPERIMENTS,
            DRAFTS,
            RUNS,
            PLOTS,
            QUEUES,
            WORKERS,
            GPUS,
            NOTIFICATIONS,
            ALERTS,
            QUIET,
            DIGESTS,
            HELP,
            PLATFORMS,
        ]
    )
