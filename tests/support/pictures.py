"""Real PNGs of any size and weight."""

import struct
import zlib


def png(width: int, height: int, *, at_least: int = 0) -> bytes:
    """A black picture; made heavier, where asked to, by a chunk that nothing shows."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height))
    padding = _chunk(b"prVt", bytes(at_least)) if at_least else b""
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + padding + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
