"""Which errors of a database pass by themselves: it is locked, starting, overloaded or not reachable."""

import socket
import sqlite3

from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_SQLITE_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_PRIMARY_CODE_MASK = 0xFF
"""SQLite's extended codes, such as SQLITE_BUSY_RECOVERY, have their primary code in the lowest byte."""

_POSTGRESQL_STATES = ("08", "53", "57P", "55P03", "40001", "40P01")
"""How the states begin: no connection, too few resources, stopping or starting, locked, conflicts."""


def is_busy(error: BaseException) -> bool:
    """Return whether the same attempt may succeed a little later, with nobody changing a setting."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & _PRIMARY_CODE_MASK in _SQLITE_CODES
    if isinstance(cause, socket.gaierror):
        return cause.errno == socket.EAI_AGAIN
    state = str(getattr(cause, "sqlstate", None) or "")
    return isinstance(cause, PoolTimeoutError | ConnectionError | TimeoutError) or state.startswith(
        _POSTGRESQL_STATES
    )
