"""How long this front end waits for what."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Timing:
    """`patience`: until a sign of life is due. `heartbeat`: between two looks at the connection.

    `wait_at_the_end`: for commands under way when the program ends; a second later each has an answer.
    `suggesting`: for experiments found while one types; Slack waits 3 seconds. `head_start`: what an
    acknowledgement that changes a window has before the next change of it, lest the two arrive in turn.
    """

    typing_indicator_delay: timedelta = timedelta(seconds=1)
    heartbeat: timedelta = timedelta(seconds=5)
    shutdown_timeout: timedelta = timedelta(seconds=2.5)
    suggestion_timeout: timedelta = timedelta(seconds=2.5)
    acknowledgement_delay: timedelta = timedelta(seconds=0.3)


DEFAULT_TIMING = Timing()
