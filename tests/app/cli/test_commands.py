"""The command line: what its options, the environment and the defaults decide, and where a file is sent."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from app.cli.client import Client
from app.cli.main import main
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.kinds import kind_of
from qstill.contract.sweeps.sweep import Sweep
from tests.testing.in_process import BELL, DIGITS

SETTINGS = ("QSTILL_HOST", "QSTILL_PORT", "QSTILL_DATA_DIR")


@pytest.mark.parametrize(
    ("environment", "options", "expected"),
    [
        ({}, [], ("127.0.0.1", 8400, "qstill-data")),
        ({"QSTILL_PORT": "8599", "QSTILL_DATA_DIR": "there"}, [], ("127.0.0.1", 8599, "there")),
        ({"QSTILL_PORT": "8599", "QSTILL_HOST": "::1"}, ["--port", "0"], ("::1", 0, "qstill-data")),
        ({"QSTILL_DATA_DIR": "there"}, ["--data-dir", "here"], ("127.0.0.1", 8400, "here")),
        ({"QSTILL_PORT": "", "QSTILL_HOST": "", "QSTILL_DATA_DIR": ""}, [], ("127.0.0.1", 8400, "qstill-data")),
    ],
)
def test_up_heeds_its_options_then_the_environment(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], options: list[str], expected: tuple[str, int, str]
) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr("app.cli.up.serve", lambda **settings: asked.update(settings) or 0)
    done = CliRunner(env=dict.fromkeys(SETTINGS) | environment).invoke(main, ["up", *options])
    assert done.exit_code == 0, done.output
    assert (asked["host"], asked["port"], asked["data_dir"]) == (*expected[:2], Path(expected[2]))


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (BELL, "/v1/circuits"),
        ({"circuits": [BELL["circuit"]]}, "/v1/circuits"),
        *(
            (body, "/v1/distillations")
            for body in (DIGITS, *DistillationJob.model_config["json_schema_extra"]["examples"])
        ),  # type: ignore[index, call-overload]
        *((body, "/v1/sweeps") for body in Sweep.model_config["json_schema_extra"]["examples"]),  # type: ignore[index, call-overload]
        ({"space": {}}, "/v1/sweeps"),
    ],
)
def test_a_file_is_sent_where_its_fields_belong(body: dict[str, Any], path: str) -> None:
    assert kind_of(body).path == path


@pytest.mark.parametrize(
    ("server", "address"),
    [
        ("127.0.0.1:8477", "http://127.0.0.1:8477"),
        ("localhost", "http://localhost"),
        ("https://qstill.example/", "https://qstill.example"),
    ],
)
def test_a_server_needs_no_scheme(server: str, address: str) -> None:
    with Client(server) as client:
        assert client.server == address


@pytest.mark.parametrize("server", ["ftp://127.0.0.1", "http://", "", "127.0.0.1:port"])
def test_what_is_no_server_is_said_at_once(server: str) -> None:
    with pytest.raises(click.ClickException, match="is no address of a server"):
        Client(server)


@pytest.mark.parametrize("command", ["submit", "preflight"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"training": {"epochs": 3}, "training": {"epochs": 9}}', "'training' twice"),
        ('{"training": {"epochs": 3, "seed": 1, "epochs": 9}}', "'epochs' twice"),
        ('{"training": {"learning_rate": NaN}}', "NaN is no number"),
        ("[" * 100_000, "too deep"),
        ('{"training": ', "is not JSON"),
        ("[]", "no JSON object"),
    ],
)
def test_a_file_that_says_something_else_than_it_seems_is_not_sent(
    tmp_path: Path, command: str, text: str, said: str
) -> None:
    (tmp_path / "job.json").write_text(text)
    done = CliRunner().invoke(main, [command, str(tmp_path / "job.json"), "--server", "http://127.0.0.1:9"])
    assert done.exit_code == 1
    assert said in done.output


def test_a_server_that_is_not_there_is_said_before_it_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    with (
        Client("127.0.0.1:1", patience=1.2) as client,
        pytest.raises(click.ClickException, match="does not answer"),
    ):
        client.get("/livez")
    assert capsys.readouterr().err == "http://127.0.0.1:1 does not answer; trying again for 1 s\n"


def test_commands_look_for_the_service_at_the_port_that_it_was_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def ask(client: Client, path: str) -> dict[str, Any]:
        asked.append(client.server)
        return {"data": []}

    monkeypatch.setattr(Client, "get", ask)
    monkeypatch.delenv("QSTILL_SERVER", raising=False)
    for port, address in (("8477", "http://127.0.0.1:8477"), ("", "http://127.0.0.1:8400")):
        monkeypatch.setenv("QSTILL_PORT", port)
        CliRunner().invoke(main, ["models"])
        assert asked.pop() == address


def test_a_preflight_says_how_many_candidates_fit_into_a_budget(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    time = {"total": {"expected": 30.0, "low": 20.0, "high": 90.0}}
    said = {"time": time, "advice": [], "candidates": [{"parameters": 1_200}, {"parameters": 85}]}
    monkeypatch.setattr(Client, "post", lambda self, path, body: said)
    (tmp_path / "job.json").write_text("{}")
    done = CliRunner().invoke(main, ["preflight", str(tmp_path / "job.json"), "--server", "http://127.0.0.1:9"])
    assert "about 30 s, between 20 and 90" in done.output
    assert "2 candidates fit into the budget, of 85 to 1,200 parameters" in done.output


@pytest.mark.parametrize(
    ("status", "options", "expected"),
    [
        ("queued", [], 0),
        ("running", [], 0),
        ("succeeded", [], 0),
        ("failed", [], 1),
        ("cancelled", [], 1),
        ("succeeded", ["--watch"], 0),
        ("failed", ["--watch"], 1),
        ("cancelled", ["--watch"], 1),
    ],
)
def test_submit_ends_with_1_where_the_job_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: str, options: list[str], expected: int
) -> None:
    error = {"title": "Not so.", "code": "qasm_invalid"} if status == "failed" else None
    job = {"id": "job_1", "status": status, "result": {}, "error": error, "kind": "circuit", "links": {"self": "/"}}
    monkeypatch.setattr(Client, "submit", lambda self, body, *, wait: job)
    monkeypatch.setattr("app.cli.commands.jobs.follow", lambda client, job, console: job)
    if status == "succeeded":
        monkeypatch.setattr("app.cli.commands.jobs.show_outcome", lambda client, job, console: None)
    (tmp_path / "job.json").write_text("{}")
    done = CliRunner().invoke(main, ["submit", str(tmp_path / "job.json"), "--server", "http://127.0.0.1:9", *options])
    assert done.exit_code == expected, done.output
    assert ("Not so." in done.output) == (status == "failed")


SERVICE_ONLY = ("alembic", "celery", "fastapi", "pydantic_settings", "redis", "sqlalchemy", "uvicorn")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["jobs", "--help"], 0, "List your jobs"),
        (["jobs", "--server", "ftp://here"], 1, "is no address of a server"),
        (["up"], 1, "which runs a service: pip install 'qstill[server,worker]'"),
        (["doctor"], 1, "which runs a service: pip install 'qstill[server,worker]'"),
    ],
)
def test_without_what_a_service_needs_the_command_talks_and_says_what_is_missing(
    arguments: list[str], status: int, said: str
) -> None:
    program = f"import sys; sys.modules.update(dict.fromkeys({SERVICE_ONLY}))\nfrom app.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, said in done.stdout + done.stderr) == (status, True), done.stderr
