"""Real PNGs of any width, height and file size."""

import struct
import zlib


def build_png(width: int, height: int, *, padding_size: int = 0) -> bytes:
    """Build a black picture. `padding_size` adds bytes in a chunk that isn't displayed."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height))
    padding = _build_chunk(b"prVt", bytes(padding_size)) if padding_size else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + _build_chunk(b"IHDR", header)
        + _build_chunk(b"IDAT", rows)
        + padding
        + _build_chunk(b"IEND", b"")
    )


def _build_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
