"""SVG pictures of the terminal."""

from xml.etree import ElementTree as ET

from clearml_chatops.bot.frontends.console import ConsoleFrontEnd, create_recording_console
from clearml_chatops.models.replies import Button, Buttons, Code, Reply, Text, Tone
from tests.frontends.conftest import FakeBot, FakeSuggestions, build_small_registry


async def test_a_screenshot_is_self_contained(bot: FakeBot, suggestions: FakeSuggestions) -> None:
    front_end = ConsoleFrontEnd(
        handle=bot.handle,
        registry=build_small_registry(),
        suggestions=suggestions,
        user="anna",
        console=create_recording_console(),
    )
    bot.replies["/log"] = Reply.of(
        Text("Log", Tone.HEADING), Code("<loss> & more " + "x" * 200), Buttons((Button("Clone", "/clone"),))
    )
    await front_end.run_lines(["/log"])
    await front_end.deliver(Reply.of(Text("Completed", Tone.SUCCESS)))

    svg = front_end.export_svg("clearml-chatops")

    text = "".join(ET.fromstring(svg).itertext()).replace("\N{NO-BREAK SPACE}", " ")
    assert "<loss> & more" in text
    assert text.count("x") >= 200
    assert "Completed" in text
    svg_without_namespace = svg.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "http" not in svg_without_namespace
    assert "@font-face" not in svg
    assert svg_without_namespace.count("url(") == svg_without_namespace.count("url(#")
    assert svg == front_end.export_svg("clearml-chatops")
