"""Where the service is and who asks: the call, then the environment, then the file; and a key is shown to nobody."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qstill.client import AsyncClient, Client
from qstill.client.settings import DEFAULT_SERVER, access

KEY = "qs_secret"
addresses = st.none() | st.sampled_from(["http://a", "https://b.example", "c:8400"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "qstill" / "client.toml"
    place.parent.mkdir()
    return place


@given(addresses, addresses, addresses)
def test_what_is_said_first_counts(called: str | None, environment: str | None, written: str | None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("qstill.client.settings._read", lambda file: {"server": written} if written else {})
        found = access(called, environment={"QSTILL_SERVER": environment} if environment else {})
    wanted = called or environment or written or DEFAULT_SERVER
    assert found.server == (wanted if "://" in wanted else f"http://{wanted}")


def test_a_key_of_the_file_goes_to_its_own_server_only(file: Path) -> None:
    file.write_text(f'server = "https://own.example/"\nkey = "{KEY}"\n')
    file.chmod(0o600)
    environment = {"XDG_CONFIG_HOME": str(file.parent.parent)}
    assert access(environment=environment).key == KEY
    assert access("https://own.example", environment=environment).key == KEY
    assert access("https://other.example", environment=environment).key is None
    assert access(environment=environment | {"QSTILL_SERVER": "http://other"}).key is None
    assert access("https://other.example", "mine", environment=environment).key == "mine"
    assert access(environment=environment | {"QSTILL_KEY": "theirs"}).key == "theirs"


def test_a_key_that_others_may_read_is_warned_of(file: Path) -> None:
    file.write_text(f'key = "{KEY}"\n')
    file.chmod(0o644)
    with pytest.warns(UserWarning, match="chmod 600"):
        assert access(environment={}, file=file).key == KEY


@pytest.mark.parametrize("server", ["ftp://a", "http://", "a:port"])
def test_what_is_no_address_is_said_at_once(server: str) -> None:
    with pytest.raises(ValueError, match="is no address of a server"):
        access(server, environment={}, file=Path("/nowhere"))


def test_a_file_that_is_no_toml_is_named(file: Path) -> None:
    file.write_text("server = ")
    with pytest.raises(ValueError, match=r"client.toml is not TOML"):
        access(environment={}, file=file)


def test_a_key_stands_in_no_text(file: Path) -> None:
    found = access("http://a", KEY, environment={}, file=file)
    assert found.headers() == {"Authorization": f"Bearer {KEY}"}
    for thing in (found, Client("http://a", KEY), AsyncClient("http://a", KEY)):
        assert KEY not in repr(thing) + str(thing)
    with pytest.raises(ValueError, match="no key has") as refused:
        access("http://a", f"{KEY}\n", environment={}, file=file)
    assert KEY not in str(refused.value)
