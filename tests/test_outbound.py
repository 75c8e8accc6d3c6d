"""The one door out, against real servers on 127.0.0.1 and names that lead astray."""

import datetime
import gzip
import ipaddress
import logging
import socket
import ssl
import time
import zlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from outsiders import serving

from service import outbound
from service.outbound import Outbound, Refused, Unreachable
from service.settings import Unusable, load, networks


@pytest.fixture
def service():
    with serving() as served:
        yield served


def opened(service, **more):
    """A door that the operator lets reach this one server."""
    return Outbound(networks(f"127.0.0.1/32 port {service.port}"), **more)


def test_it_sends_and_gives_what_was_answered(service):
    service.answer = (201, {"X-Told": "so"}, b"heard")
    answer = opened(service).post(f"{service.url}/hook?x=1", b"said", {"Content-Type": "text/x"})
    assert (answer.status, answer.body, answer.headers["x-told"]) == (201, b"heard", "so")
    asked = service.asked[0]
    assert (asked.method, asked.path, asked.body) == ("POST", "/hook?x=1", b"said")
    assert asked.headers["User-Agent"] == "Rejoinder"
    assert opened(service).get(service.url).status == 201


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "100.100.100.200", "192.0.0.192", "224.0.0.1", "239.1.1.1", "240.0.0.1"),
        *("255.255.255.255", "198.18.0.1", "203.0.113.9", "168.63.129.16"),
        *("::1", "::", "fe80::1", "fe80::1%1", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1"),
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::7f00:1"),
        *("2002:7f00:1::", "2002:a9fe:a9fe::1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe"),
        *("64:ff9b:1::10.0.0.1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "2001:db8::1"),
    ],
)
def test_an_address_that_is_not_public_is_none_for_us(address):
    assert not outbound.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "192.0.66.2"],
)
def test_a_public_address_is_public(address):
    assert outbound.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "0"),
        *("localhost", "localhost.", "LOCALHOST", "[::1]", "[::ffff:127.0.0.1]", "[::]"),
        *("①②⑦.⓪.⓪.①", "１２７.0.0.1", "127。0。0。1", "127.0.0.1."),
    ],
)
def test_no_spelling_of_a_host_leads_inside(service, host):
    with pytest.raises((Refused, Unreachable)):
        Outbound().post(f"http://{host}:{service.port}/", b"")
    with pytest.raises((Refused, Unreachable)):
        Outbound().get(f"http://{host}/")
    assert service.asked == []


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.org/", "does not begin with"),
        ("file:///etc/passwd", "does not begin with"),
        ("//example.org/", "does not begin with"),
        ("gopher://127.0.0.1:25/", "does not begin with"),
        ("https://user:secret@example.org/", "name or a password"),
        ("https://user@example.org/", "name or a password"),
        ("https://", "is none"),
        ("https://./", "is none"),
        ("https://exa mple.org/", "is none"),
        ("https://example.org:99999/", "is none"),
        ("https://example.org/\r\nX: y", "is none"),
    ],
)
def test_an_address_that_is_none_of_ours_is_refused_before_anybody_is_asked(monkeypatch, url, why):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: pytest.fail("it looked it up"))
    for check in (outbound.check, Outbound().get):
        with pytest.raises(Refused, match=why):
            check(url)


def leads_to(monkeypatch, *answers):
    """Names lead to these addresses, one list after the other, the last for good."""
    left, asked = list(answers), []

    def find(host, port, *_, **__):
        asked.append(host)
        found = left.pop(0) if len(left) > 1 else left[0]
        kind = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [
            (kind[ipaddress.ip_address(ip).version], socket.SOCK_STREAM, 6, "", (ip, port))
            for ip in found
        ]

    monkeypatch.setattr(outbound.socket, "getaddrinfo", find)
    return asked


def test_a_name_that_leads_elsewhere_the_second_time_is_asked_once(monkeypatch):
    connected = []

    def connect(self, host, port, timeout=None, **_):
        connected.append(host)
        raise outbound.httpcore.ConnectError

    monkeypatch.setattr(outbound.httpcore.SyncBackend, "connect_tcp", connect)
    asked = leads_to(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    with pytest.raises(Unreachable):
        Outbound().get("http://rebind.example/")
    assert (asked, connected) == (["rebind.example"], ["8.8.8.8"])


def test_a_name_that_also_leads_inside_is_refused_whole(monkeypatch):
    leads_to(monkeypatch, ["8.8.8.8", "127.0.0.1"])
    with pytest.raises(Refused, match="may not reach"):
        Outbound().get("http://both.example/")


def test_only_the_web_s_ports_are_used(monkeypatch):
    leads_to(monkeypatch, ["8.8.8.8"])
    for port in (22, 25, 6379, 8080):
        with pytest.raises(Refused, match="port"):
            Outbound().get(f"http://example.org:{port}/")


def test_what_the_operator_allows_is_that_network_and_that_port(service):
    with pytest.raises(Refused):
        Outbound(networks("127.0.0.1/32")).get(service.url)
    with pytest.raises(Refused):
        Outbound(networks("10.0.0.0/8, ::1/128 port 80")).get(service.url)
    assert opened(service).get(service.url).status == 200


def test_a_redirect_is_an_answer_and_leads_nowhere(service):
    service.answer = (302, {"Location": f"{service.url}/inside"}, b"")
    assert opened(service).get(service.url).status == 302
    assert len(service.asked) == 1


def test_a_library_that_follows_redirects_is_checked_at_each(service):
    service.answer = (302, {"Location": "http://127.0.0.2/"}, b"")
    with opened(service).client() as client, pytest.raises(Refused):
        client.get(service.url, follow_redirects=True)


def drip(handler):
    """A byte now and then, for as long as anybody listens."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(200):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def drip_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(200):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def say_nothing(handler):
    time.sleep(5)


@pytest.mark.parametrize("slow", [drip, drip_headers, say_nothing])
def test_the_time_is_of_the_whole_and_not_of_each_byte(service, slow):
    service.answer, began = slow, time.monotonic()
    with pytest.raises(Unreachable, match="in time"):
        opened(service).get(service.url, seconds=0.4)
    assert time.monotonic() - began < 2


def test_a_dns_that_is_silent_costs_no_more_than_the_time_there_is(monkeypatch):
    monkeypatch.setattr(outbound.socket, "getaddrinfo", lambda *a, **k: time.sleep(1.5) or [])
    began = time.monotonic()
    with pytest.raises(Unreachable, match="looked up in time"):
        Outbound().get("http://silent.example/", seconds=0.2)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("coding", "pack"), [("", bytes), ("gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_an_answer_has_so_many_bytes_at_most_as_decoded(service, coding, pack):
    headers = {"Content-Encoding": coding} if coding else {}
    service.answer = (200, headers, pack(b"x" * 1_000))
    assert opened(service).get(service.url, largest=1_000).body == b"x" * 1_000
    service.answer = (200, headers, pack(b"x" * 50_000_000))
    with pytest.raises(Unreachable, match="too long"):
        opened(service).get(service.url, largest=100_000)


def test_an_encoding_that_nobody_asked_for_or_a_damaged_one_is_no_answer(service):
    for coding in ("br", "gzip, gzip", "gzip"):
        service.answer = (200, {"Content-Encoding": coding}, b"no such thing")
        with pytest.raises(Unreachable):
            opened(service).get(service.url)


def test_endless_headers_are_no_answer(service):
    service.answer = lambda handler: handler.wfile.write(
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 99_999
    )
    with pytest.raises(Unreachable):
        opened(service).get(service.url)


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b"])
def test_no_header_hides_another(service, value):
    with pytest.raises(Refused):
        opened(service).post(service.url, b"", {"X-Id": value})
    assert service.asked == []


def test_the_environment_and_cookies_have_no_say(service, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    service.answer = (200, {"Set-Cookie": "a=b"}, b"")
    with opened(service).client() as client:
        assert "set-cookie" not in client.get(service.url).headers
        client.get(service.url)
    assert [asked.headers["Cookie"] for asked in service.asked] == [None, None]


def test_nothing_of_an_address_is_logged_or_said(service, caplog):
    caplog.set_level(logging.DEBUG)
    opened(service).get(f"{service.url}/a-key")
    service.answer = (200, {"Content-Encoding": "br"}, b"")
    with pytest.raises(Unreachable) as failed:
        opened(service).get(f"{service.url}/a-key")
    assert "a-key" not in caplog.text + str(failed.value)
    assert failed.value.__cause__ is None


@pytest.fixture
def secure(tmp_path):
    """A server at localhost with a certificate of its own, and a context that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    today = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "made.pem"
    path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, *private))
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(path)
    names = []
    own.sni_callback = lambda _, name, __: names.append(name)
    with serving(lambda plain: own.wrap_socket(plain, server_side=True)) as served:
        yield served, ssl.create_default_context(cafile=str(path)), names


def test_a_certificate_is_for_the_name_and_not_for_the_address(secure, monkeypatch):
    service, trusting, names = secure
    leads_to(monkeypatch, ["127.0.0.1"])
    out = opened(service, tls=trusting)
    for host in ("localhost", "localhost."):
        assert out.get(f"https://{host}:{service.port}/").status == 200
    assert names == ["localhost", "localhost"]
    with pytest.raises(Unreachable, match="certificate"):
        out.get(f"https://127.0.0.1:{service.port}/")
    with pytest.raises(Unreachable, match="certificate"):
        opened(service).get(f"https://127.0.0.1:{service.port}/")


def test_an_operator_s_networks_are_read_or_the_start_is_refused(tmp_path):
    given = {"SECRET_KEY": "x", "INSTANCE": tmp_path, "EMAIL_KEYS": "A" * 43 + "="}
    given["INDEX_KEY"] = given["EMAIL_KEYS"]
    read = load(given | {"PRIVATE_NETWORKS": "10.0.0.0/8, ::1/128 port 5001"}, {})
    assert [(str(r.network), sorted(r.ports)) for r in read["PRIVATE_NETWORKS"]] == [
        ("10.0.0.0/8", [80, 443]),
        ("::1/128", [5001]),
    ]
    for wrong in ("10.0.0.1/8", "everything", "10.0.0.0/8 port x"):
        with pytest.raises(Unusable):
            load(given | {"PRIVATE_NETWORKS": wrong}, {})
