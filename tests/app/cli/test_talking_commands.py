"""The commands beside a service that listens: each in words, as JSON, and in a word."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from app.cli.main import main
from tests.testing.in_process import BELL, Listening, listening

COUNTS = {"00": 507, "11": 493}
UNKNOWN = "job_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    with listening(tmp_path_factory.mktemp("commands") / "data") as made:
        yield made


@pytest.fixture(scope="module")
def bell(service: Listening) -> str:
    """A finished circuit."""
    job = httpx.post(f"{service.url}/v1/circuits", json=BELL | {"name": "bell", "labels": {"course": "qc101"}}).json()
    service.worker.run_circuit(COUNTS)
    return str(job["id"])


@pytest.fixture
def queued(service: Listening) -> str:
    return str(httpx.post(f"{service.url}/v1/circuits", json=BELL | {"name": "later"}).json()["id"])


def qstill(service: Listening, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--server", service.url])


def test_jobs_are_listed_in_words_as_json_and_by_their_ids(service: Listening, bell: str) -> None:
    said = qstill(service, "jobs", "--status", "succeeded", "--label", "course=qc101")
    assert said.exit_code == 0
    assert said.output.splitlines()[0].split() == [bell, "succeeded", "circuit", "bell"]
    page = json.loads(qstill(service, "jobs", "--kind", "circuit", "--json").output)
    assert page["object"] == "list"
    assert bell in qstill(service, "jobs", "-q").output.splitlines()
    assert "no job matches" in qstill(service, "jobs", "--kind", "sweep").output


def test_a_job_is_shown_with_what_came_of_it(service: Listening, bell: str) -> None:
    said = qstill(service, "show", bell)
    assert said.exit_code == 0
    assert said.output.splitlines()[:3] == [f"{bell} circuit succeeded", "bell", "1,000 shots, 95% intervals"]
    assert "[0.476, 0.538]" in said.output
    assert qstill(service, "show", bell, "-q").output == "succeeded\n"
    assert json.loads(qstill(service, "show", bell, "--json").output)["id"] == bell


def test_a_job_that_is_not_there_is_said_in_a_sentence(service: Listening) -> None:
    said = qstill(service, "show", UNKNOWN)
    assert said.exit_code == 1
    assert "Traceback" not in said.output
    assert said.output.startswith("Error: ")


def test_logs_tell_each_event(service: Listening, bell: str) -> None:
    assert qstill(service, "logs", bell, "-q").output.split() == ["queued", "running", "succeeded"]
    assert "goes on" in qstill(service, "logs", bell, "--limit", "1").output


def test_a_histogram_is_bars_or_a_picture(service: Listening, bell: str, tmp_path: Path) -> None:
    assert qstill(service, "histogram", bell, "-q").output.splitlines() == ["00 507", "11 493"]
    assert "█" in qstill(service, "histogram", bell).output
    for ending, opening in ((".svg", b"<svg"), (".png", b"\x89PNG")):
        assert qstill(service, "histogram", bell, "--save", str(tmp_path / f"bell{ending}")).exit_code == 0
        assert (tmp_path / f"bell{ending}").read_bytes().startswith(opening)
    refused = qstill(service, "histogram", bell, "--save", str(tmp_path / "bell.pdf"))
    assert (refused.exit_code, "a picture ends in .svg or .png" in refused.output) == (2, True)


@pytest.mark.parametrize(("action", "status"), [("pause", "paused"), ("cancel", "cancelled")])
def test_a_job_is_paused_and_ended(service: Listening, queued: str, action: str, status: str) -> None:
    assert qstill(service, action, queued, "-q").output == f"{status}\n"


def test_a_paused_job_goes_on_and_a_finished_one_is_deleted(service: Listening, queued: str) -> None:
    qstill(service, "pause", queued)
    assert qstill(service, "resume", queued).output == f"{queued} is queued\n"
    assert "Traceback" not in qstill(service, "delete", queued).output
    qstill(service, "cancel", queued)
    assert qstill(service, "delete", queued, "-q").output == f"{queued}\n"
    assert qstill(service, "show", queued).exit_code == 1


def test_ctrl_c_leaves_the_job_running(service: Listening, queued: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.cli.commands.jobs.follow", interrupted)
    done = qstill(service, "watch", queued)
    assert done.exit_code == 130
    assert f"the job goes on; `qstill watch {queued}` takes it up again" in done.output
    assert qstill(service, "show", queued, "-q").output == "queued\n"
    qstill(service, "cancel", queued)


def test_a_report_is_asked_of_distillations_only(service: Listening, bell: str) -> None:
    done = qstill(service, "report", bell)
    assert (done.exit_code, done.output) == (1, f"Error: {bell} is a circuit; this is of a distillation\n")


def test_files_go_up_and_what_a_table_holds_is_told(service: Listening, tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("age,city\n36,London\n,Paris\n41,London\n")
    said = qstill(service, "upload", str(table))
    assert said.exit_code == 0
    assert "people.csv, 36 bytes" in said.output
    assert [line.split() for line in said.output.splitlines()[1:]] == [["age", "numeric"], ["city", "categorical"]]
    assert said.output.split()[0] in qstill(service, "files", "-q").output.splitlines()


def test_a_template_is_shown_with_the_body_that_submits_it(service: Listening, tmp_path: Path) -> None:
    assert "ghz" in qstill(service, "templates", "-q").output.splitlines()
    (tmp_path / "ghz.json").write_text(qstill(service, "templates", "ghz", "-q").output)
    submitted = qstill(service, "submit", str(tmp_path / "ghz.json"), "-q")
    assert submitted.exit_code == 0
    assert qstill(service, "cancel", submitted.output.strip(), "-q").output == "cancelled\n"


def test_a_program_is_submitted_as_it_stands(service: Listening, tmp_path: Path) -> None:
    (tmp_path / "bell.qasm").write_text('OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\ncreg c[1];\nh q[0];\n')
    job = json.loads(qstill(service, "submit", str(tmp_path / "bell.qasm"), "--json").output)
    request = httpx.get(service.url + job["links"]["request"]).json()
    assert request["circuit"]["format"] == "openqasm2"
    qstill(service, "cancel", job["id"])


def test_the_dashboard_is_named_where_nobody_looks(service: Listening, bell: str) -> None:
    assert qstill(service, "open", bell, "-q").output == f"{service.url}/jobs/{bell}\n"
