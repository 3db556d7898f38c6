"""Reading of scripts."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import BinaryIO

_CHUNK_SIZE = 65536


async def read_lines(stream: BinaryIO) -> AsyncIterator[str]:
    """Yield the lines of a file or of standard input, each as soon as it arrives.

    A daemon thread reads them: a thread of the loop's pool would keep the program from ending while a pipe
    stays open.
    """
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    def put_line(line: str | None) -> bool:
        if loop.is_closed():
            return False
        loop.call_soon_threadsafe(lines.put_nowait, line)
        return True

    def read() -> None:
        for line in _iterate_lines(stream):
            if not put_line(line.decode("utf-8-sig", errors="replace")):
                return
        put_line(None)

    threading.Thread(target=read, name="script-reader", daemon=True).start()
    while (line := await lines.get()) is not None:
        yield line


def _iterate_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a stream, without its buffer.

    A thread that waits for input inside the buffer holds its lock. The interpreter needs that lock to exit, and
    aborts without it.
    """
    raw, rest = getattr(stream, "raw", stream), b""
    while chunk := raw.read(_CHUNK_SIZE):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in lines)
    if rest:
        yield rest
