"""Pictures in the terminal: a file, and its path below the caption."""

from pathlib import Path

import pytest
from rich.console import Console

from clearml_chatops.bot.frontends.console import ConsoleFrontEnd
from clearml_chatops.bot.frontends.console.picture_files import MOST_KEPT, PictureFiles
from clearml_chatops.models.replies import Picture, Reply, Text, Tone
from tests.frontends.conftest import FakeBot, FakeNames, small_registry, written

_PICTURE = Picture("plot-4f2a.png", b"\x89PNG and so on", "loss: last 0.5")


def _front_end(bot: FakeBot, console: Console, folder: Path) -> ConsoleFrontEnd:
    return ConsoleFrontEnd(
        handle=bot.handle,
        registry=small_registry(),
        names=FakeNames(),
        user="anna",
        console=console,
        picture_folder=folder,
    )


async def test_a_picture_is_a_file_whose_path_stands_whole_below_the_caption(
    bot: FakeBot, console: Console, tmp_path: Path
) -> None:
    folder = tmp_path / ("long " * 10) / ("folder" * 20)
    bot.replies["/plot"] = Reply.of(_PICTURE, "And more.")
    front_end = _front_end(bot, console, tmp_path / ("folder" * 20))

    await front_end.run_lines(["/plot"])
    await front_end.deliver(Reply.of(_PICTURE))

    assert not folder.exists()
    files = sorted((tmp_path / ("folder" * 20)).iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert [path.read_bytes() for path in files] == [_PICTURE.png] * 2
    assert all(path.name.startswith("plot-4f2a-") and path.suffix == ".png" for path in files)
    assert all(path.stat().st_mode & 0o077 == 0 for path in [*files, files[0].parent])
    assert written(console).startswith(f"> /plot\n  loss: last 0.5\n  The picture is in\n  {files[0]}\n")
    assert f"{files[1]}\n" in written(console)


async def test_a_reply_without_pictures_makes_no_folder(tmp_path: Path) -> None:
    reply = Reply.of("Done.")
    assert await PictureFiles(tmp_path / "pictures").saved(reply) is reply
    assert not list(tmp_path.iterdir())


async def test_the_oldest_files_go(tmp_path: Path) -> None:
    pictures = PictureFiles(tmp_path)
    first = await pictures.saved(Reply.of(_PICTURE))
    for _ in range(MOST_KEPT):
        await pictures.saved(Reply.of(_PICTURE))

    assert len(list(tmp_path.iterdir())) == MOST_KEPT
    assert not _path_in(first).exists()


@pytest.mark.parametrize("name", ["../../outside.png", "/etc/x.png", "", ".", "a\nb\0.png", "x" * 400])
async def test_a_name_never_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "pictures"
    saved = await PictureFiles(folder).saved(Reply.of(Picture(name, b"x")))
    assert _path_in(saved).parent == folder
    assert list(tmp_path.iterdir()) == [folder]


async def test_without_a_folder_the_files_are_temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pictures = PictureFiles(None)
    paths = [_path_in(await pictures.saved(Reply.of(_PICTURE))) for _ in range(2)]
    assert len(set(paths)) == 2
    assert {path.parent.parent for path in paths} == {tmp_path}


async def test_a_picture_that_cannot_be_saved_costs_nothing_but_itself(tmp_path: Path) -> None:
    (tmp_path / "pictures").write_text("no folder")
    reply = await PictureFiles(tmp_path / "pictures").saved(Reply.of(_PICTURE, about="4f2a"))
    assert reply.blocks == (_PICTURE, Text("The picture could not be saved: File exists.", Tone.WARNING))
    assert reply.experiment_id == "4f2a"


def _path_in(reply: Reply) -> Path:
    (text,) = (block.text for block in reply.blocks if isinstance(block, Text))
    return Path(text.splitlines()[-1])
