"""Splitting many ids into chunks that fit one SQL statement."""

from collections.abc import Collection, Iterator, Sequence

_IDS_PER_QUERY = 500
"""Far below the several thousand variables that SQLite allows in a statement."""


def split_into_chunks(ids: Collection[str]) -> Iterator[Sequence[str]]:
    """Return the ids in chunks for one statement each, in their order."""
    in_order = list(ids)
    return (in_order[start : start + _IDS_PER_QUERY] for start in range(0, len(in_order), _IDS_PER_QUERY))
