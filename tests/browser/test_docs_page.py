"""The documentation page in a real browser, with no network but the service itself."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.testing import servers
from tests.testing.in_process import Listening, listening

pytestmark = pytest.mark.service

NAME = "qstill.example"  # a page that knows it is local may hide what it loads from elsewhere
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP {NAME} 127.0.0.1, MAP * ~NOTFOUND",  # no other host is found
    "--window-size=1200,1600",
    "--virtual-time-budget=20000",  # ms of the page's own clock: until everything has loaded and run
)
BROWSER_SECONDS = 100
A_PICTURE = 20_000  # bytes; a blank page is smaller


@pytest.fixture(scope="module")
def chromium() -> str:
    found = shutil.which("chromium")
    if found is None:
        servers.missing("Chromium")
    return str(found)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    with listening(tmp_path_factory.mktemp("docs") / "data") as made:
        yield made


def visit(chromium: str, url: str, folder: Path, *wanted: str) -> str:
    """What the browser writes about a page."""
    command = [chromium, *QUIET, f"--user-data-dir={folder / 'profile'}", *wanted, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BROWSER_SECONDS, check=True, cwd=folder)
    return done.stdout


def elsewhere(text: str, service: Listening) -> set[str]:
    """The hosts that a document loads something from, beside the service. A link to follow loads nothing."""
    text = re.sub(r"<a\s[^>]*>", "", text)
    loaded = re.findall(r"""(?:src|href|action)=["'](?:https?:)?//([^/"']+)|url\(["']?https?://([^/"')]+)""", text)
    return {host for pair in loaded for host in pair if host} - {f"{NAME}:{service.port}"}


def test_the_page_and_its_assets_name_no_other_host(service: Listening) -> None:
    page = httpx.get(f"{service.url}/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert elsewhere(page.text, service) == set()
    assets = re.findall(r"""(?:src|href)=["']([^"']+)""", page.text)
    assert len(assets) >= 3
    for asset in assets:
        assert httpx.get(f"{service.url}{asset}").status_code == 200, asset


def test_the_page_shows_every_operation(chromium: str, service: Listening, tmp_path: Path) -> None:
    document = visit(chromium, f"http://{NAME}:{service.port}/docs", tmp_path, "--dump-dom")
    shown = {path.replace("\u200b", "") for path in re.findall(r'data-path="([^"]+)"', document)}
    assert shown == set(httpx.get(f"{service.url}/openapi.json").json()["paths"])
    assert "/v1/circuits" in shown
    assert "Failed to load" not in document
    assert elsewhere(document, service) == set()


def test_the_page_looks_like_something(chromium: str, service: Listening, tmp_path: Path) -> None:
    picture = tmp_path / "docs.png"
    visit(chromium, f"http://{NAME}:{service.port}/docs", tmp_path, f"--screenshot={picture}")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > A_PICTURE
