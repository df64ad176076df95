"""A browser without a network but the service, in which a page that complains or asks elsewhere fails its test."""

import re
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests.testing import servers

WAIT_SECONDS = 90.0  # a worker's first child has torch to import, beside other tests
expect.set_options(timeout=WAIT_SECONDS * 1000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium")
    if found is None:
        servers.missing("Chromium")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield made
        made.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """A page at an address; keywords as `Browser.new_context` has them. At the end none may have complained."""
    complaints: list[str] = []
    contexts = []

    def opened(address: str, *, width: int = 1200, **settings: object) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, **settings)  # type: ignore[arg-type]
        context.set_default_timeout(WAIT_SECONDS * 1000)
        contexts.append(context)
        page = context.new_page()
        own = address.split("/", 3)[2] if "/" in address else ""

        def asked(request: Request) -> None:
            if request.url.startswith("http") and own and request.url.split("/", 3)[2] != own:
                complaints.append(f"asks {request.url}")

        page.on("request", asked)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    # what a form was refused for, and that a busy service asked for patience, browsers call errors
    assert [said for said in complaints if not re.search(r"status of (422|503) ", said)] == []
