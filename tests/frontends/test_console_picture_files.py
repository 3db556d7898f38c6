"""Pictures at the terminal: a file, and its path below the caption."""

from pathlib import Path

import pytest
from rich.console import Console

from clearml_chatops.bot.frontends.console import ConsoleFrontEnd
from clearml_chatops.bot.frontends.console.picture_files import MAX_FILES, PictureFiles
from clearml_chatops.models.replies import Picture, Reply, Text, Tone
from tests.frontends.conftest import FakeBot, FakeSuggestions, build_small_registry, read_output

_PICTURE = Picture("plot-4f2a.png", b"\x89PNG and so on", "loss: last 0.5")


def _create_front_end(bot: FakeBot, console: Console, folder: Path) -> ConsoleFrontEnd:
    return ConsoleFrontEnd(
        handle=bot.handle,
        registry=build_small_registry(),
        suggestions=FakeSuggestions(),
        user="anna",
        console=console,
        picture_folder=folder,
    )


async def test_a_picture_is_saved_and_its_path_shown_unbroken(
    bot: FakeBot, console: Console, tmp_path: Path
) -> None:
    folder = tmp_path / ("long " * 10) / ("folder" * 20)
    bot.replies["/plot"] = Reply.of(_PICTURE, "And more.")
    front_end = _create_front_end(bot, console, tmp_path / ("folder" * 20))

    await front_end.run_lines(["/plot"])
    await front_end.deliver(Reply.of(_PICTURE))

    assert not folder.exists()
    files = sorted((tmp_path / ("folder" * 20)).iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert [path.read_bytes() for path in files] == [_PICTURE.png] * 2
    assert all(path.name.startswith("plot-4f2a-") and path.suffix == ".png" for path in files)
    assert all(path.stat().st_mode & 0o077 == 0 for path in [*files, files[0].parent])
    assert read_output(console).startswith(f"> /plot\n  loss: last 0.5\n  Picture saved to\n  {files[0]}\n")
    assert f"{files[1]}\n" in read_output(console)


async def test_a_reply_without_pictures_makes_no_folder(tmp_path: Path) -> None:
    reply = Reply.of("Done.")
    assert await PictureFiles(tmp_path / "pictures").save_pictures(reply) is reply
    assert not list(tmp_path.iterdir())


async def test_the_oldest_files_are_deleted(tmp_path: Path) -> None:
    pictures = PictureFiles(tmp_path)
    first = await pictures.save_pictures(Reply.of(_PICTURE))
    for _ in range(MAX_FILES):
        await pictures.save_pictures(Reply.of(_PICTURE))

    assert len(list(tmp_path.iterdir())) == MAX_FILES
    assert not _find_path(first).exists()


@pytest.mark.parametrize("name", ["../../outside.png", "/etc/x.png", "", ".", "a\nb\0.png", "x" * 400])
async def test_a_name_cannot_escape_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "pictures"
    saved = await PictureFiles(folder).save_pictures(Reply.of(Picture(name, b"x")))
    assert _find_path(saved).parent == folder
    assert list(tmp_path.iterdir()) == [folder]


async def test_without_a_folder_the_files_are_temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pictures = PictureFiles(None)
    paths = [_find_path(await pictures.save_pictures(Reply.of(_PICTURE))) for _ in range(2)]
    assert len(set(paths)) == 2
    assert {path.parent.parent for path in paths} == {tmp_path}


async def test_a_picture_that_cannot_be_saved_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "pictures").write_text("no folder")
    reply = await PictureFiles(tmp_path / "pictures").save_pictures(Reply.of(_PICTURE, experiment_id="4f2a"))
    assert reply.blocks == (_PICTURE, Text("Can't save the picture: File exists.", Tone.WARNING))
    assert reply.experiment_id == "4f2a"


def _find_path(reply: Reply) -> Path:
    (text,) = (block.text for block in reply.blocks if isinstance(block, Text))
    return Path(text.splitlines()[-1])
