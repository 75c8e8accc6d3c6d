"""What readers are sent under every article is compressed; what holds a secret is not."""

import gzip

import pytest
from cast import ARTICLE, add_site
from flask import Flask
from flask.testing import FlaskClient

GZIP = {"Accept-Encoding": "gzip"}
THREAD = f"/embed/daily?url={ARTICLE}"


@pytest.fixture(autouse=True)
def site(app: Flask) -> None:
    add_site(app)


@pytest.mark.parametrize("path", [THREAD, "/embed.js", "/static/thread.css"])
def test_it_is_compressed_for_who_takes_that(client: FlaskClient, path: str) -> None:
    plain, packed = client.get(path), client.get(path, headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) == packed.content_length < len(plain.data)
    assert {"Accept-Encoding"} <= set(plain.vary) & set(packed.vary)
    assert gzip.decompress(packed.data) == plain.data


@pytest.mark.parametrize("path", [THREAD, "/embed.js", "/static/thread.css"])
def test_what_a_browser_has_is_not_sent_again(client: FlaskClient, path: str) -> None:
    tag = client.get(path, headers=GZIP).headers["ETag"]
    assert client.get(path).headers["ETag"] == tag
    again = client.get(path, headers=GZIP | {"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert "Content-Encoding" not in again.headers


@pytest.mark.parametrize("path", ["/desk/login", "/receipts/whatever"])
def test_a_page_with_a_secret_keeps_its_length(client: FlaskClient, path: str) -> None:
    assert "Content-Encoding" not in client.get(path, headers=GZIP).headers
