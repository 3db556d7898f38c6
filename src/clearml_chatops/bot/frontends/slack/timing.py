"""Delays and timeouts of the Slack front end."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Timing:
    """Delays and timeouts.

    - `typing_indicator_delay`: until the typing indicator is shown.
    - `heartbeat`: between two checks of the connection.
    - `shutdown_timeout`: for commands that run at shutdown. A second later each has an answer.
    - `suggestion_timeout`: for the options of a select menu. Slack waits 3 seconds.
    - `submission_timeout`: for a submitted form to be judged before it is acknowledged. Slack waits 3 seconds.
    - `acknowledgement_delay`: between an acknowledgement that updates a modal and the next update of that
      modal. Without it the two may arrive in the wrong order.
    """

    typing_indicator_delay: timedelta = timedelta(seconds=1)
    heartbeat: timedelta = timedelta(seconds=5)
    shutdown_timeout: timedelta = timedelta(seconds=2.5)
    suggestion_timeout: timedelta = timedelta(seconds=2.5)
    submission_timeout: timedelta = timedelta(seconds=2)
    acknowledgement_delay: timedelta = timedelta(seconds=0.3)


DEFAULT_TIMING = Timing()
