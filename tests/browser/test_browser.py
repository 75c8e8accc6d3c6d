"""The tests' own browser treats an embed as a reader's does; without that the others prove little."""

STORES = """<script>
  const before = localStorage.getItem('kept');
  localStorage.setItem('kept', 'from the frame');
  document.title = `found ${before}, ${document.cookie || 'no cookie'}`;
</script>"""
COOKIE = {"Set-Cookie": "everywhere=1; SameSite=None; Secure"}


def test_it_blocks_third_party_cookies_and_keeps_storage_apart(
    page, publisher, another_publisher, console_errors
):
    # 127.0.0.1 and localhost are two sites to a browser, two ports of one are not.
    framed = another_publisher.write("/frame", STORES, COOKIE).replace("localhost", "127.0.0.1")
    article = publisher.write("/article", f'<iframe src="{framed}"></iframe>')
    titles = []
    for _ in range(2):
        page.goto(article)
        titles.append(page.frames[1].title())
    page.goto(framed)
    titles.append(page.title())
    assert titles == [
        "found null, no cookie",
        "found from the frame, no cookie",
        "found null, everywhere=1",
    ]
    assert console_errors == []


def test_it_hears_a_page_s_errors(page, publisher, console_errors):
    page.goto(publisher.write("/", "<script>missing()</script>"))
    assert console_errors == ["missing is not defined"]


def test_it_serves_the_application(page, live):
    assert page.goto(f"{live.url}/healthz").status == 200


def test_it_takes_pictures(page, publisher, screenshot):
    page.goto(publisher.write("/", "<h1>An article</h1>"))
    assert screenshot(page, "article").read_bytes().startswith(b"\x89PNG")
