"""The dashboard in Chromium, beside a service that computes: what a person does in a first quarter of an hour."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.testing.in_process import BELL, DIGITS
from tests.testing.service import Service, running

pytestmark = [pytest.mark.service, pytest.mark.timeout(400)]

PEOPLE = "name,age,city,renews\n" + "".join(
    f"Ada,{age},London,yes\nAlan,,Wilmslow,no\nGrace,{age + 1},Bryn Mawr,no\n" for age in range(20, 90, 2)
)
PAGES = ("/", "/circuits/new", "/distillations/new", "/models", "/files")

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("dashboard") / "data") as made:
        yield made


@pytest.fixture(scope="module")
def bells(service: Service) -> list[str]:
    """Two finished circuits."""
    made = []
    for seed in (7, 8):
        body = BELL | {"name": f"bell {seed}", "seed": seed, "labels": {"course": "qc101"}}
        made.append(_post(service, "/v1/circuits", body, wait=60)["id"])
    return made


def _post(service: Service, path: str, body: Any, wait: int = 0) -> dict[str, Any]:
    answer = httpx.post(service.address + path, json=body, headers={"Prefer": f"wait={wait}"}, timeout=wait + 60)
    answer.raise_for_status()
    made: dict[str, Any] = answer.json()
    return made


def test_a_first_visit_says_how_to_begin_and_a_bell_circuit_runs(service: Service, open_page: Open) -> None:
    page = open_page(service.address + "/?label=nobody=has")
    expect(page.get_by_text("No job matches.")).to_be_visible()
    page.get_by_role("link", name="New circuit").first.click()
    expect(page.get_by_role("img", name="Diagram of the circuit")).to_be_visible()
    expect(page.get_by_text("stabilizer")).to_be_visible()
    page.get_by_role("button", name="Run it").click()
    expect(page.get_by_text("succeeded").first).to_be_visible()
    expect(page.get_by_role("img", name="Histogram of the outcomes, with 95% intervals")).to_be_visible()
    expect(page.get_by_role("img", name="Diagram of the circuit")).to_be_visible()
    page.get_by_text("The same as a table").click()
    assert {row.inner_text() for row in page.locator("tbody code").all()} == {"00", "11"}


def test_a_problem_is_marked_at_its_line(service: Service, open_page: Open) -> None:
    page = open_page(service.address + "/circuits/new")
    page.get_by_label("OpenQASM 3 or 2, or JSON").fill('OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit q;\nhh q;\n')
    expect(page.get_by_text("Line 4, column 1: there is no gate 'hh'.")).to_be_visible()
    expect(page.locator(".numbers .bad")).to_have_text("✕")
    assert [each.inner_text() for each in page.locator(".numbers > div > div").all()] == ["1", "2", "3", "✕", "5"]
    expect(page.get_by_role("button", name="Run it")).to_be_disabled()


def test_a_template_is_written_with_its_parameters(service: Service, open_page: Open) -> None:
    page = open_page(service.address + "/circuits/new")
    page.get_by_label("Template").select_option("ghz")
    page.get_by_label("qubits", exact=True).fill("4")
    page.get_by_label("qubits", exact=True).press("Tab")
    expect(page.get_by_text("4 qubits")).to_be_visible()
    written = json.loads(page.get_by_label("OpenQASM 3 or 2, or JSON").input_value())
    assert written == {"format": "template", "template": {"name": "ghz", "qubits": 4}}


def test_two_histograms_stand_beside_each_other(service: Service, bells: list[str], open_page: Open) -> None:
    page = open_page(f"{service.address}/jobs/{bells[0]}")
    page.get_by_label("Beside").fill(bells[1])
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("chance alone may explain the difference")).to_be_visible()
    assert f"beside={bells[1]}" in page.url


def test_a_distillation_starts_from_the_form_its_curves_move_and_it_is_cancelled(
    service: Service, open_page: Open
) -> None:
    page = open_page(service.address + "/distillations/new")
    page.get_by_label("Epochs").fill("4000")
    page.get_by_label("Epochs").press("Tab")
    written = json.loads(page.get_by_label("The whole job, as JSON").input_value())
    assert written["training"]["epochs"] == 4000
    page.get_by_role("button", name="Start it").click()
    chart = page.get_by_role("img", name="validation accuracy over epoch")
    expect(chart.locator("canvas")).to_be_visible()
    page.get_by_text("The same as a table").click()
    rows = page.locator(".table tbody tr")
    first = rows.count()
    expect(rows.nth(first + 3)).to_be_attached()
    page.get_by_role("button", name="cancel").click()
    expect(page.get_by_text("cancelled").first).to_be_visible()


def test_a_field_says_what_is_wrong_with_it(service: Service, open_page: Open) -> None:
    page = open_page(service.address + "/distillations/new")
    page.get_by_label("Temperature").fill("-1")
    page.get_by_label("Temperature").press("Tab")
    expect(page.get_by_label("Temperature")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("small.bad")).to_have_text("Input should be greater than or equal to 0.01")


def test_a_finished_distillation_tells_the_verdict_first(service: Service, open_page: Open) -> None:
    body = DIGITS | {"training": {"epochs": 12}, "evaluation": {"baseline": True, "seeds": 3}}
    job = _post(service, "/v1/distillations", body, wait=60)
    page = open_page(f"{service.address}/jobs/{job['id']}")
    verdict = page.locator(".verdict")
    expect(verdict).to_contain_text("istillation")
    assert verdict.inner_text() == httpx.get(f"{service.address}/v1/jobs/{job['id']}").json()["headline"]
    expect(page.get_by_role("img", name="Learning, epoch by epoch")).to_be_visible()
    page.get_by_role("button", name="Make it a model").nth(1).click()
    expect(page.get_by_role("heading", name="Models")).to_be_visible()
    page.get_by_role("button", name="Try").click()
    expect(page.get_by_label("The question, as JSON")).to_have_value(re.compile("inputs"))
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("region", name="The answer")).to_contain_text("probabilities")


def test_what_is_understood_of_a_dropped_table_is_shown(service: Service, open_page: Open, tmp_path: Any) -> None:
    table = tmp_path / "people.csv"
    table.write_text(PEOPLE)
    page = open_page(service.address + "/distillations/new")
    page.get_by_label("Data").select_option("a file of mine")
    page.get_by_label("Drop a table, arrays, images or texts here, or choose a file").set_input_files(table)
    expect(page.get_by_label("What is to be learned")).to_have_value("renews")
    told = page.locator("tbody tr", has_text="age").inner_text()
    assert "numeric" in told
    assert '"target": "renews"' in page.get_by_label("The whole job, as JSON").input_value()


def test_the_list_is_filtered_by_its_address_alone(service: Service, bells: list[str], open_page: Open) -> None:
    page = open_page(service.address + "/")
    expect(page.get_by_text("bell 8")).to_be_visible()
    page.get_by_role("link", name="course=qc101").first.click()
    expect(page).to_have_url(re.compile(r"\?label=course%3Dqc101$"))
    expect(page.get_by_text("bell 7")).to_be_visible()
    page.get_by_role("button", name="failed").click()
    expect(page.get_by_text("No job matches.")).to_be_visible()
    page.go_back()


def test_everything_is_reached_by_the_keyboard(service: Service, bells: list[str], open_page: Open) -> None:
    page = open_page(service.address + "/")
    expect(page.get_by_text("bell 8")).to_be_visible()
    reached: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
        if reached[-1] == "bell 8":
            break
    assert reached[-1] == "bell 8"
    assert "New circuit" in reached
    assert "succeeded" in reached
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="bell 8")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_pages_fit_and_are_accessible(
    service: Service, bells: list[str], open_page: Open, scheme: str, width: int
) -> None:
    axe = Axe()
    for path in (*PAGES, f"/jobs/{bells[0]}"):
        page = open_page(service.address + path, width=width, color_scheme=scheme)
        expect(page.locator("h1")).to_be_visible()
        page.wait_for_timeout(600)  # what follows as one types has come, and stays
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        found = axe.run(page).response["violations"]
        serious = [each for each in found if each["impact"] in ("serious", "critical")]
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in serious] == [], path
        page.close()


def test_the_last_good_data_stays_when_the_service_is_gone(service: Service, bells: list[str], open_page: Open) -> None:
    page = open_page(service.address + "/")
    expect(page.get_by_text("bell 8")).to_be_visible()
    page.route(
        "**/v1/**", lambda route: route.fulfill(status=422, json={"code": "out", "title": "The service is out."})
    )
    expect(page.get_by_text("The service is out.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Updated \d+ s ago"))).to_be_visible()
    expect(page.get_by_text("bell 8")).to_be_visible()
