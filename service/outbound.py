"""The only code that opens HTTP to elsewhere (hard rule 11), built on httpx.

A host is looked up once, every address that it has is checked, and the connection goes to exactly
one of those. No proxy, no cookie, no redirect that is followed unseen; time and size are bounded
for the whole of it. Nothing of what is sent or answered is logged: addresses may be keys.
"""

import ipaddress
import logging
import queue
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx
from flask import Flask

from .settings import Reach

SECONDS = 3.0  # for all of a request, from looking up the host to the last byte
LARGEST = 64 * 1024  # bytes of an answer, as decoded
PORTS = {"http": 80, "https": 443}
USER_AGENT = "Rejoinder"
UNTRUSTED = "its certificate cannot be trusted"
LOOKUPS = threading.BoundedSemaphore(8)  # a DNS server that is silent may keep so many threads

# Addresses that carry one of IPv4 in them, which is where they lead: the network and how far to
# the right the 32 bits stand. RFC 6052 (NAT64), RFC 8215 (its local use), RFC 4291, 2.5.5.1.
CARRYING = (
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),
    (ipaddress.IPv6Network("64:ff9b:1::/48"), 0),
    (ipaddress.IPv6Network("::/96"), 0),
)
# Not told as private everywhere, and answer only inside: Azure's service to its machines, IETF's
# protocol assignments (Oracle's is among them), the site-local addresses of old (RFC 3879).
INSIDE = tuple(
    ipaddress.ip_network(network) for network in ("168.63.129.16/32", "192.0.0.0/24", "fec0::/10")
)

HOSTLESS = re.compile(r"[\s%@/\\\\]")  # what no host has in its name, however it was written
LAST_PORT = 65_535

IP = ipaddress.IPv4Address | ipaddress.IPv6Address

for chatty in ("httpx", "httpcore"):  # they write down whole URLs
    logging.getLogger(chatty).setLevel(logging.WARNING)


class Failed(httpx.TransportError):
    """Nothing came of it; the message finishes "…, because" in words and names no address."""


class Refused(Failed):
    """This service does not go there."""


class Unreachable(Failed):
    """It did not answer, or not so that it could be used."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str]


class Outbound:
    """The door out. Takes the private networks that the operator lets it reach, and another TLS
    context than the usual one (certifi's authorities)."""

    def __init__(self, reach: Iterable[Reach] = (), tls: ssl.SSLContext | None = None) -> None:
        self._reach = tuple(reach)
        self._tls = tls or httpx.create_ssl_context(trust_env=False)

    def check(self, url: str) -> None:
        """Raises Refused for an address where this service certainly does not go: as the function
        of this name, and where it names a number on a network that may not be reached."""
        check(url)
        parsed = httpx.URL(url)
        try:
            ip = ipaddress.ip_address(parsed.host)
        except ValueError:
            return
        _check_ip(self._reach, ip, parsed.port or PORTS[parsed.scheme])

    def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        seconds: float = SECONDS,
        largest: int = LARGEST,
    ) -> Answer:
        """Asks for an address. Takes the seconds that all of it may take, and the bytes that the
        answer may have. A redirect is an answer like any other. Raises Refused or Unreachable."""
        return self._send("GET", url, None, headers, seconds, largest)

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        seconds: float = SECONDS,
        largest: int = LARGEST,
    ) -> Answer:
        """Sends a body to an address; the rest is as in `get`."""
        return self._send("POST", url, body, headers, seconds, largest)

    def client(self, *, seconds: float = SECONDS, largest: int = LARGEST) -> httpx.Client:
        """For a library that wants a client of httpx's: the same door, whatever it is asked. Each
        request has the seconds to itself."""
        return httpx.Client(
            transport=_Guard(self._reach, self._tls, seconds, largest),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"},
            timeout=seconds,
            trust_env=False,
            follow_redirects=False,
        )

    def _send(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        seconds: float,
        largest: int,
    ) -> Answer:
        check(url)
        with self.client(seconds=seconds, largest=largest) as client:
            try:
                answer = client.request(method, url, content=body, headers=headers)
            except Failed as failed:
                # Without what led to it: that may quote the address, which may be a key.
                raise type(failed)(str(failed)) from None
            except (ValueError, UnicodeError):
                raise Refused("it cannot be sent as it is written") from None
        return Answer(answer.status_code, answer.content, answer.headers)


def init_app(app: Flask) -> None:
    app.extensions["outbound"] = Outbound(app.config["PRIVATE_NETWORKS"])


def check(url: str) -> None:
    """Raises Refused for an address that can be told to be none of ours before anybody is asked:
    it names another protocol, no host, or somebody's name and password."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, UnicodeError):
        raise Refused("its address is none") from None
    _check(parsed)


def _check(url: httpx.URL) -> None:
    if url.scheme not in PORTS:
        raise Refused("its address does not begin with http:// or https://")
    if url.userinfo:
        raise Refused("its address holds a name or a password")
    if not url.host.strip(".") or HOSTLESS.search(url.host) or (url.port or 0) > LAST_PORT:
        raise Refused("its address is none")


def is_public(ip: IP) -> bool:
    """Whether an address is anybody's on the public internet, and so is the one that it carries."""
    is_inside = any(ip in network for network in INSIDE)
    if is_inside or ip.is_multicast or ip.is_unspecified or not ip.is_global:
        return isinstance(ip, ipaddress.IPv6Address) and _is_mapped_to_public(ip)
    return all(is_public(carried) for carried in _carried(ip))


def _is_mapped_to_public(ip: ipaddress.IPv6Address) -> bool:
    """::ffff:1.2.3.4 is 1.2.3.4 and nothing else."""
    return ip.ipv4_mapped is not None and is_public(ip.ipv4_mapped)


def _carried(ip: IP) -> Iterator[IP]:
    if isinstance(ip, ipaddress.IPv4Address):
        return
    if ip.sixtofour:
        yield ip.sixtofour
    if ip.teredo:
        yield from ip.teredo
    for network, right in CARRYING:
        if ip in network:
            yield ipaddress.IPv4Address(int(ip) >> right & 0xFFFFFFFF)


class _Deadline:
    """When all of a request has to be over."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds; raises Unreachable if there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise Unreachable("it did not answer in time")
        return left


class _Guard(httpx.BaseTransport):
    """Carries one request at a time, each by a connection of its own, and reads the whole answer."""

    def __init__(
        self, reach: tuple[Reach, ...], tls: ssl.SSLContext, seconds: float, largest: int
    ) -> None:
        self._reach, self._tls = reach, tls
        self._seconds, self._largest = seconds, largest

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        _check(request.url)
        for name, value in request.headers.raw:
            if any(sign in name + value for sign in b"\r\n\0"):
                raise Refused("it cannot be sent as it is written")
        deadline = _Deadline(self._seconds)
        backend = _Backend(self._reach, deadline)
        try:
            with httpcore.ConnectionPool(
                ssl_context=self._tls, max_connections=1, network_backend=backend
            ) as pool:
                return self._answer(pool.handle_request(self._asked(request)), deadline)
        except httpcore.TimeoutException:
            raise Unreachable("it did not answer in time") from None
        except httpcore.LocalProtocolError:
            raise Refused("it cannot be sent as it is written") from None
        except httpcore.ConnectError as error:
            # httpcore hides TLS's own errors behind its own.
            is_tls = isinstance(error.__context__, ssl.SSLError)
            said = UNTRUSTED if is_tls else "it could not be reached"
            raise Unreachable(said) from None
        except (httpcore.NetworkError, httpcore.ProtocolError):
            raise Unreachable("it broke off, or did not speak HTTP") from None

    def _asked(self, request: httpx.Request) -> httpcore.Request:
        url = request.url
        # The name in a certificate has no dot at its end.
        named = {"sni_hostname": url.raw_host.decode("ascii").rstrip(".")}
        return httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=[(name, value) for name, value in request.headers.raw if name != b"Cookie"],
            content=request.read(),
            extensions=named | {"timeout": dict.fromkeys(("connect", "read", "write"))},
        )

    def _answer(self, response: httpcore.Response, deadline: _Deadline) -> httpx.Response:
        """The answer, read to its end and decoded, within bounds."""
        headers = [(name.lower(), value) for name, value in response.headers]
        coding = b",".join(value for name, value in headers if name == b"content-encoding")
        body = self._decoder(coding.strip().lower())(self._read(response, deadline))
        left_out = (b"content-encoding", b"content-length", b"transfer-encoding", b"set-cookie")
        kept = [(name, value) for name, value in headers if name not in left_out]
        return httpx.Response(response.status, headers=kept, content=body)

    def _read(self, response: httpcore.Response, deadline: _Deadline) -> bytes:
        body = b""
        for part in response.iter_stream():
            deadline.left()
            body += part
            self._limit(body)
        return body

    def _decoder(self, coding: bytes) -> Callable[[bytes], bytes]:
        if coding in (b"", b"identity"):
            return bytes
        if coding in (b"gzip", b"x-gzip", b"deflate"):
            return self._inflate
        raise Unreachable("it answered in an encoding that nobody asked for")

    def _inflate(self, packed: bytes) -> bytes:
        """Never unpacks more than an answer may have, however much is in it."""
        try:
            return self._limit(zlib.decompressobj(47).decompress(packed, self._largest + 1))
        except zlib.error:
            raise Unreachable("its answer is damaged") from None

    def _limit(self, body: bytes) -> bytes:
        if len(body) > self._largest:
            raise Unreachable("its answer is too long")
        return body


class _Backend(httpcore.SyncBackend):
    """Connects to no address that was not checked."""

    def __init__(self, reach: tuple[Reach, ...], deadline: _Deadline) -> None:
        self._reach, self._deadline = reach, deadline

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.NetworkStream:
        found = _look_up(host, port, self._deadline.left())
        for ip in found:
            _check_ip(self._reach, ip, port)
        failed: Exception = Unreachable("it could not be reached")
        for ip in found:
            try:
                stream = super().connect_tcp(str(ip), port, self._deadline.left())
            except httpcore.ConnectError as error:
                failed = error
                continue
            return _Stream(stream, self._deadline)
        raise failed


def _check_ip(reach: Iterable[Reach], ip: IP, port: int) -> None:
    if any(one.holds(ip, port) for one in reach):
        return
    if not is_public(ip):
        raise Refused("it is on a network that this service may not reach")
    if port not in PORTS.values():
        raise Refused("its address names a port that this service does not use")


class _Stream(httpcore.NetworkStream):
    """A connection that lasts until the deadline, however slowly something comes."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), LARGEST):
            self._stream.write(buffer[start : start + LARGEST], self._deadline.left())

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._deadline.left()
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _look_up(host: str, port: int, seconds: float) -> list[IP]:
    """All addresses of a host, each once. The system's own look-up knows no time-out, so a thread
    waits for it and may be left behind. Raises Unreachable."""
    answer: queue.SimpleQueue[list[IP]] = queue.SimpleQueue()
    if not LOOKUPS.acquire(blocking=False):
        raise Unreachable("its name could not be looked up in time")

    def ask() -> None:
        try:
            answer.put(_addresses(host, port))
        finally:
            LOOKUPS.release()

    threading.Thread(target=ask, daemon=True).start()
    try:
        found = answer.get(timeout=seconds)
    except queue.Empty:
        raise Unreachable("its name could not be looked up in time") from None
    if not found:
        raise Unreachable("there is no server of that name")
    return found


def _addresses(host: str, port: int) -> list[IP]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError):
        return []
    return list(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))
