"""Addresses: which hosts may be asked, so that nobody can have this machine ask its own network for them."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
# Where clouds tell a machine its own secrets. They lie in networks of one link, or are well known.
_METADATA = (ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200"))
# RFC 6052: IPv4 addresses written into IPv6 ones.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class NotAllowed(Exception):  # noqa: N818  # a decision about one address, told in the account
    """An address that is not asked; the message says why."""


def is_public(address: str) -> bool:
    """Whether an address is one of the whole internet, also where it is written into another one.

    Example:
        >>> [is_public(a) for a in ("1.1.1.1", "10.0.0.1", "::ffff:127.0.0.1", "169.254.169.254", "64:ff9b::a00:1")]
        [True, False, False, False, False]
    """
    return all(ip.is_global and not ip.is_multicast for ip in _every(ipaddress.ip_address(address)))


def is_metadata(address: str) -> bool:
    """Whether an address is of one link only, where clouds tell a machine its own secrets.

    Example:
        >>> is_metadata("169.254.169.254"), is_metadata("10.0.0.1")
        (True, False)
    """
    return any(ip.is_link_local or ip in _METADATA for ip in _every(ipaddress.ip_address(address)))


def _every(ip: Ip) -> list[Ip]:
    """An address with those that are written into it."""
    if isinstance(ip, ipaddress.IPv4Address):
        return [ip]
    inner: list[Ip | None] = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if ip in _NAT64:
        inner.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    made = [i for i in inner if i is not None]
    # Of a mapped address only the one that is meant counts.
    return made if ip.ipv4_mapped else [ip, *made]


def split(address: str) -> SplitResult:
    """An address taken apart.

    Raises:
        NotAllowed: It is no http or https address of a host, or holds a password.

    Example:
        >>> split("https://data.example.org/a.csv").hostname
        'data.example.org'
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise NotAllowed("it is no address of the web") from None
    if parts.scheme not in ("http", "https") or not host or any(c <= " " or c == "\\" for c in address):
        raise NotAllowed("it is no http or https address of a host")
    if parts.username or parts.password:
        raise NotAllowed("it holds a name or a password")
    return parts


def resolve(host: str, port: int, own: frozenset[str]) -> list[str]:
    """The addresses of a host, each checked, so that one of these is what is connected.

    Args:
        host: Its name, or an address however it is written.
        port: The port.
        own: Hosts of the city's own network, as ``host`` or ``host:port``.

    Raises:
        NotAllowed: It has a private address and is none of the city's own.
        OSError: It has no address.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise NotAllowed("its host is no name") from None
    addresses = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    if any(is_metadata(a) for a in addresses):
        raise NotAllowed("its host is one of this link only")
    is_own = bool({host.lower(), f"{host.lower()}:{port}"} & own)
    if not is_own and not all(is_public(a) for a in addresses):
        raise NotAllowed("its host is in a private network")
    return addresses
