"""`python -m tests.support.screenshots docs`: write slack.png and telegram.png into a folder."""

import asyncio
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.screenshots.browser import find_browser, measure_height, take_screenshot
from tests.support.screenshots.conversation import record_conversation
from tests.support.screenshots.slack_page import WIDTH as SLACK_WIDTH
from tests.support.screenshots.slack_page import render_slack_page
from tests.support.screenshots.telegram_page import WIDTH as TELEGRAM_WIDTH
from tests.support.screenshots.telegram_page import render_telegram_page

_REMOVED_PREFIXES = ("CLEARML_", "CHATOPS_", "SLACK_", "TELEGRAM_", "TRAINS_", "DATABASE_URL")


def main(folder: Path) -> None:
    browser = find_browser()
    with TemporaryDirectory() as home:
        # No settings, credentials or proxy of the person who makes the pictures.
        for name in list(os.environ):
            if name.startswith(_REMOVED_PREFIXES) or name.lower().endswith("_proxy"):
                del os.environ[name]
        os.environ.update(HOME=home, CLEARML_CONFIG_FILE=f"{home}/clearml.conf")
        conversation = asyncio.run(record_conversation())
    pages = {
        "slack.png": (render_slack_page(conversation.slack), SLACK_WIDTH),
        "telegram.png": (render_telegram_page(conversation.telegram), TELEGRAM_WIDTH),
    }
    # The same height, because README shows them side by side.
    height = max(measure_height(browser, html, width=width) for html, width in pages.values())
    for name, (html, width) in pages.items():
        take_screenshot(browser, html, folder / name, width=width, height=height)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
