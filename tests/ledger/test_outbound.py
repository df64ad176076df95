"""Where users' URLs may lead: to the public internet over TLS, or to what the operator named; nowhere by a trick."""

import ipaddress
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import outbound
from qstill.contract.errors import Problem
from tests.testing.refusals import problem_of

NOBODY: frozenset[str] = frozenset()


def answers(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Every name has these addresses."""

    def look_up(host: str, port: int, **given: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "teacher.example/x",
        "ftp://teacher.example/x",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "https://",
        "https:///x",
        "https://user:password@teacher.example/",
        "https://user@teacher.example/",
        "https://teacher.example:99999/",
        "https://teacher.example:port/",
        "https://teacher.example/a b",
        "https://teacher.example/\r\nX: y",
        "https://teächer.example/",
        "https://[::1/",
        "http://teacher.example/",
    ],
)
def test_what_is_no_url_to_call_is_refused_without_asking_anybody(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **more: pytest.fail("asked"))
    assert problem_of(outbound.resolve, url, NOBODY).code == "url_refused"


def test_the_ways_out_of_plain_http_are_the_same_place_over_tls_and_the_operator() -> None:
    refused = problem_of(outbound.check, "http://teacher.example:8080/x?y=1", NOBODY)
    secure, operator = refused.ways_out
    outbound.check(secure["url"], NOBODY)
    assert secure == {"url": "https://teacher.example:8080/x?y=1"}
    assert "QSTILL_OUTBOUND_HOSTS" in operator["operator"]


INNER = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",  # noqa: S104
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:db8::1",
]


@pytest.mark.parametrize("address", INNER)
def test_an_address_inside_is_refused_by_itself_and_behind_a_name(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    literal = f"[{address}]" if ":" in address else address
    with pytest.raises(Problem, match="not an address of the public internet"):
        outbound.check(f"https://{literal}/", NOBODY)
    answers(monkeypatch, "93.184.216.34", address)
    with pytest.raises(Problem, match="not an address of the public internet"):
        outbound.resolve("https://teacher.example/", NOBODY)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "LOCALHOST."])
def test_an_address_in_disguise_is_refused_where_it_is_looked_up(host: str) -> None:
    assert problem_of(outbound.resolve, f"https://{host}/", NOBODY).code == "url_refused"


@given(st.ip_addresses(v=4))
def test_whatever_is_let_through_is_global(address: ipaddress.IPv4Address) -> None:
    for written in (str(address), f"[::ffff:{address}]"):
        try:
            outbound.check(f"https://{written}/", NOBODY)
        except Problem:
            continue
        assert address.is_global
        assert not address.is_multicast


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "93.184.216.34")
    place = outbound.resolve("https://Teacher.Example/a/b?c=d", NOBODY)
    assert place == outbound.Destination("https://93.184.216.34:443/a/b?c=d", "teacher.example", "teacher.example")
    place = outbound.resolve("https://teacher.example:8443", NOBODY)
    assert place == outbound.Destination("https://93.184.216.34:8443/", "teacher.example:8443", "teacher.example")
    answers(monkeypatch, "2606:4700::1")
    assert outbound.resolve("https://teacher.example/", NOBODY).url == "https://[2606:4700::1]:443/"


@pytest.mark.parametrize("named", ["teacher.internal", "teacher.internal:80"])
def test_the_operator_may_name_a_host_inside(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "10.0.0.7")
    place = outbound.resolve("http://teacher.internal/x", frozenset({named}))
    assert place.url == "http://10.0.0.7:80/x"
    for url in ("http://teacher.internal:6379/", "http://other.internal/", "http://teacher.internal.evil.example/"):
        if named == "teacher.internal" and "teacher.internal:" in url:
            continue
        with pytest.raises(Problem):
            outbound.resolve(url, frozenset({named}))


def test_a_name_that_nobody_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*given: Any, **more: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Problem, match="cannot be looked up"):
        outbound.resolve("https://teacher.example/", NOBODY)
