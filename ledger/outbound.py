"""Calls to places that users name: which are allowed, and how to go there and nowhere else.

A name is looked up once and the connection made to the address that was checked, so that a name which points to an
inner address the second time (DNS rebinding) gains nothing. Any HTTP client does it this way, told not to follow
redirects and not to use proxies:

    place = resolve("https://teacher.example/v1/logits", named=settings.named_hosts)
    client.post(place.url, headers={"Host": place.host}, extensions={"sni_hostname": place.server_name})
"""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from qstill.contract.errors import Problem

PORTS = {"https": 443, "http": 80}
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # carries an IPv4 address in its last four bytes
BY_OPERATOR = {"operator": "QSTILL_OUTBOUND_HOSTS names the host"}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Destination:
    """url: with the address instead of the name. host: for the header. server_name: for TLS, which checks it."""

    url: str
    host: str
    server_name: str


def check(url: str, named: frozenset[str]) -> None:
    """Refuse what can be seen to be wrong without asking anybody. Raises Problem url_refused.

    named: hosts (`name` or `name:port`) that the operator allows although they are inside, or without TLS.
    """
    parsed, name, port = _parse(url)
    if _is_named(name, port, named):
        return
    if parsed.scheme != "https":
        raise _refused("Only https is called.", {"url": f"https{url[4:]}"}, BY_OPERATOR)
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return
    _refuse_inner(address)


def check_field(url: str, named: frozenset[str], pointer: str) -> None:
    """The same, for the field of a request body that holds the URL."""
    try:
        check(url, named)
    except Problem as problem:
        raise problem.within(pointer) from None


def resolve(url: str, named: frozenset[str]) -> Destination:
    """Look the name up, and check every address that it has. Blocks. Raises Problem url_refused."""
    check(url, named)
    parsed, name, port = _parse(url)
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Problem("url_refused", f"The name {name!r} cannot be looked up.") from None
    addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
    if not _is_named(name, port, named):
        for address in addresses:
            _refuse_inner(address)
    address = addresses[0]
    at = f"[{address}]" if address.version == 6 else str(address)
    path = (parsed.path or "/") + (f"?{parsed.query}" if parsed.query else "")
    host = f"[{name}]" if ":" in name else name
    shown = host if PORTS[parsed.scheme] == port else f"{host}:{port}"
    return Destination(f"{parsed.scheme}://{at}:{port}{path}", shown, name)


def _parse(url: str) -> tuple[SplitResult, str, int]:
    """The parts of a URL, its host in lower case, and its port."""
    try:
        parsed = urlsplit(url)
        name, port = parsed.hostname, parsed.port
    except ValueError:
        raise _refused("This is no URL.") from None
    if parsed.scheme not in PORTS or not name or not url.isascii() or any(c.isspace() or ord(c) < 33 for c in url):
        raise _refused("This is no http or https URL with a host.")
    if parsed.username is not None or parsed.password is not None:
        raise _refused("A URL is kept and shown: put no password into it.")
    return parsed, name.rstrip("."), PORTS[parsed.scheme] if port is None else port


def _is_named(name: str, port: int, named: frozenset[str]) -> bool:
    return name in named or f"{name}:{port}" in named


def _refuse_inner(address: Address) -> None:
    """Addresses of this machine, its network, and its cloud's metadata, in each way that they can be written."""
    for meant in _meant(address):
        if not meant.is_global or meant.is_multicast:
            raise _refused(f"{address} is not an address of the public internet.", BY_OPERATOR)


def _meant(address: Address) -> list[Address]:
    """The address, and the IPv4 address that it carries."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    carried = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in NAT64:
        carried.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [address, *(one for one in carried if one is not None)]


def _refused(title: str, *ways_out: dict[str, str]) -> Problem:
    return Problem("url_refused", title, ways_out=ways_out)
