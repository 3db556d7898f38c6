"""Pictures of replies as files, because a terminal can't show them."""

import asyncio
import os
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from clearml_chatops.models.replies import Block, Picture, Reply, Text, Tone

MAX_FILES = 50
_SUFFIX = ".png"


class PictureFiles:
    """Saves the last 50 pictures, readable by their owner only, in a folder or else a temporary one."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    async def save_pictures(self, reply: Reply) -> Reply:
        """Save the pictures of a reply. Return the reply with the file's path below each picture."""
        if not any(isinstance(block, Picture) for block in reply.blocks):
            return reply
        blocks = [block async for block in self._save_and_add_paths(reply)]
        return Reply(tuple(blocks), reply.outcome, reply.experiment_id, reply.is_card)

    async def _save_and_add_paths(self, reply: Reply) -> AsyncIterator[Block]:
        for block in reply.blocks:
            yield block
            if isinstance(block, Picture):
                try:
                    path = await asyncio.to_thread(self._save, block)
                except OSError as error:
                    yield Text(f"Can't save the picture: {error.strerror}.", Tone.WARNING)
                else:
                    yield Text(f"Picture saved to\n{path}", Tone.SUBTLE)

    def _save(self, picture: Picture) -> Path:
        folder = self._create_folder()
        stem = re.sub(r"[^\w.-]+", "_", Path(picture.name).stem) or "picture"
        handle, name = tempfile.mkstemp(prefix=f"{stem[:80]}-", suffix=_SUFFIX, dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(picture.png)
        _remove_oldest(folder)
        return Path(name)

    def _create_folder(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="clearml-chatops-pictures-"))
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._folder


def _remove_oldest(folder: Path) -> None:
    pictures = sorted(folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime_ns)
    for path in pictures[:-MAX_FILES]:
        path.unlink(missing_ok=True)
