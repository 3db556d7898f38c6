"""Many ids in one statement: as many as every database takes."""

from collections.abc import Collection, Iterator, Sequence

_IDS_PER_QUERY = 500
"""SQLite takes some thousands of variables in a statement; far below it."""


def split_into_chunks(ids: Collection[str]) -> Iterator[Sequence[str]]:
    """The ids in parts, each for one statement; in their order."""
    in_order = list(ids)
    return (in_order[start : start + _IDS_PER_QUERY] for start in range(0, len(in_order), _IDS_PER_QUERY))
