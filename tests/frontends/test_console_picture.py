"""The picture of a terminal for the README."""

from xml.etree import ElementTree as ET

from clearml_chatops.bot.frontends.console import ConsoleFrontEnd, recording_console
from clearml_chatops.models.replies import Button, Buttons, Code, Reply, Text, Tone
from tests.frontends.conftest import FakeBot, FakeNames, small_registry


async def test_a_picture_holds_what_was_shown_and_refers_to_nothing_outside(
    bot: FakeBot, names: FakeNames
) -> None:
    front_end = ConsoleFrontEnd(
        handle=bot.handle, registry=small_registry(), names=names, user="anna", console=recording_console()
    )
    bot.replies["/log"] = Reply.of(
        Text("Log", Tone.HEADING), Code("<loss> & more " + "x" * 200), Buttons((Button("Clone", "/clone"),))
    )
    await front_end.run_lines(["/log"])
    await front_end.deliver(Reply.of(Text("Completed", Tone.SUCCESS)))

    picture = front_end.export_svg("clearml-chatops")

    text = "".join(ET.fromstring(picture).itertext()).replace("\N{NO-BREAK SPACE}", " ")
    assert "<loss> & more" in text
    assert text.count("x") >= 200
    assert "Completed" in text
    outside = picture.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "http" not in outside
    assert "@font-face" not in picture
    assert outside.count("url(") == outside.count("url(#")
    assert picture == front_end.export_svg("clearml-chatops")
