"""The report in a real browser: figures drawn, nothing on the console, nothing fetched, readable on a phone."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import made_run
import pytest
from browser import Browser

from earmark.report.page import write_page

HEADINGS = [
    "Headline numbers",
    "Timeline of all stages",
    "CKA watch",
    "Losses and validation errors",
    "Entropy metrics over the run",
    "Layers and the text",
    "Error rates",
    "Best and worst transcripts",
    "Hours and utterances",
    "What stands in for something else",
    "Commands, settings, versions, hashes",
]
IMAGES = """[...document.images].map(
  i => ({complete: i.complete, width: i.naturalWidth, height: i.naturalHeight, alt: i.alt}))"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = made_run.make(tmp_path_factory.mktemp("run"))
    write_page(config, config.folder / "report.html")
    return config.folder / "report.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, program: Callable[[str, str], str]) -> Iterator[Browser]:
    with Browser(program("chromium", "chromium"), tmp_path_factory.mktemp("profile")) as one:
        yield one


@pytest.fixture
def page(browser: Browser, report: Path) -> Browser:
    browser.resize(1280, 900)
    browser.open(report)
    return browser


def test_all_figures_are_drawn(page: Browser) -> None:
    images = page.evaluate(IMAGES)
    assert len(images) == 6
    for image in images:
        assert image["complete"] and image["width"] > 0 and image["height"] > 0
        assert len(image["alt"]) > 20


def test_figures_show_something(page: Browser) -> None:
    """Pixels of each figure, drawn by the browser: more than its background."""
    script = """Promise.all([...document.images].map(async i => {
      const c = document.createElement('canvas'); c.width = 400; c.height = 160;
      const x = c.getContext('2d'); x.drawImage(i, 0, 0, 400, 160);
      return new Set(new Uint32Array(x.getImageData(0, 0, 400, 160).data.buffer)).size; }))"""
    assert min(page.evaluate(script)) > 20


def test_nothing_is_on_the_console_and_nothing_is_fetched(page: Browser, report: Path) -> None:
    assert page.complaints() == []
    assert page.requested() == [report.as_uri()]


def test_headings_stand_in_their_order(page: Browser) -> None:
    assert page.evaluate("[...document.querySelectorAll('h2')].map(h => h.textContent)") == HEADINGS
    assert page.evaluate("[...document.querySelectorAll('nav a')].every(a => document.querySelector(a.hash))")


def test_a_phone_scrolls_figures_and_tables_but_not_the_page(page: Browser) -> None:
    page.resize(360, 740, mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert min(page.evaluate("[...document.images].map(i => i.getBoundingClientRect().width)")) > 600


def test_the_checks_see_what_is_wrong(browser: Browser, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text("<img src='data:image/svg+xml,none' alt=''><script>console.error('x'); nothing()</script>")
    browser.open(broken)
    assert browser.evaluate(IMAGES)[0]["width"] == 0
    complaints = " ".join(browser.complaints())
    assert "'x'" in complaints and "nothing is not defined" in complaints


def test_a_screenshot_is_a_picture(page: Browser) -> None:
    from PIL import Image

    with Image.open(BytesIO(page.screenshot())) as image:
        assert image.width == 1280 and image.height > 3000
