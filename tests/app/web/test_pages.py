import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import httpx
import pytest

from app.web import pages
from tests.testing.in_process import running

EXAMPLE = "job_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"
SOURCES = Path(pages.__file__).parent / "dashboard" / "src"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with running(tmp_path_factory.mktemp("pages")) as service:
        yield service.client


@pytest.mark.parametrize("path", [*(path.format(job=EXAMPLE) for path in pages.PATHS), "/docs"])
def test_every_page_has_a_policy_and_loads_only_what_is_here(client: httpx.Client, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["x-content-type-options"] == "nosniff"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    loaded = re.findall(r"""(?:src|href)=["']([^"']+)""", page.text)
    assert len(loaded) >= 3
    for address in loaded:
        assert client.get(address).status_code == 200, address


def test_what_is_named_by_its_content_is_kept_and_the_page_is_not(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.headers["cache-control"] == "no-cache"
    assert client.get("/", headers={"If-None-Match": page.headers["etag"]}).status_code in (200, 304)
    script = re.findall(r"/dashboard/assets/[^\"]+\.js", page.text)[0]
    assert "immutable" in client.get(script).headers["cache-control"]
    assert client.get("/dashboard/icon.svg").headers["cache-control"] == "no-cache"


def test_no_other_page_is_made_up(client: httpx.Client) -> None:
    assert client.get("/jobs").status_code == 404
    assert client.get("/dashboard/assets/none.js").status_code == 404
    assert client.get("/dashboard/../main.py").status_code == 404


def test_every_page_that_the_script_knows_is_served() -> None:
    known = set(re.findall(r'route\.path === "([^"]+)"', (SOURCES / "App.svelte").read_text()))
    assert known == {path for path in pages.PATHS if "{" not in path}


def test_the_wheel_holds_what_was_built() -> None:
    package = tomllib.loads((pages.BUILT.parents[2] / "pyproject.toml").read_text())["tool"]["setuptools"][
        "package-data"
    ]
    wanted = [path.relative_to(pages.BUILT.parents[1]).as_posix() for path in pages.BUILT.rglob("*") if path.is_file()]
    assert wanted
    assert [path for path in wanted if not any(fnmatch(path, pattern) for pattern in package["app"])] == []
