"""Pictures of HTML pages, taken by a headless Chromium."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
_SCALE = 1.5
"""Pixels per CSS pixel, so that text is sharp on a phone or a good screen."""

_MEASURE_SCRIPT = (
    "<script>document.documentElement.dataset.height = document.documentElement.scrollHeight</script>"
)


def find_browser() -> str:
    """Return the browser's path; end the program with a plain message if there is none."""
    found = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if found is None:
        sys.exit("The chat pictures need Chromium. Install it first: apt-get install chromium fonts-inter")
    return found


def measure_height(browser: str, html: str, *, width: int) -> int:
    """Return how high a page is, in CSS pixels, in a window of this width."""
    output = _open_page(browser, html + _MEASURE_SCRIPT, f"--window-size={width},100", "--dump-dom")
    match = re.search(r'data-height="(\d+)"', output)
    assert match, output
    return int(match[1])


def take_screenshot(browser: str, html: str, target: Path, *, width: int, height: int) -> None:
    """Write a PNG of a page. `width` and `height` are CSS pixels."""
    _open_page(
        browser,
        # Not 100vh: the window's height differs from the picture's by some pixels.
        f"{html}<style>body {{ min-height: {height}px; }}</style>",
        f"--force-device-scale-factor={_SCALE}",
        f"--window-size={width},{height}",
        f"--screenshot={target.absolute()}",
    )


def _open_page(browser: str, html: str, *flags: str) -> str:
    """Open a page and return what the browser prints."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        page = Path(folder) / "page.html"
        page.write_text(html, encoding="utf-8")
        return subprocess.run(
            [browser, *_FLAGS, f"--user-data-dir={folder}/profile", *flags, page.as_uri()],
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=120,
        ).stdout
