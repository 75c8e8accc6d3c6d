"""The doctor: a publisher's page is fetched from a real server, and what is wrong with it is said."""

import time

import pytest
from cast import SITE, add_site, reply
from outsiders import LOOPBACK, serving
from sqlalchemy import update

from service import database, doctor
from service.doctor import examining, page, policy
from service.doctor.visiting import UNSET, Served, variants
from service.models import Article, Site
from service.outbound import UNTRUSTED, Outbound, Unreachable
from service.settings import networks

HTML = {"Content-Type": "text/html; charset=utf-8"}


@pytest.fixture
def blog():
    """A publisher's website."""
    with serving() as service:
        yield service


@pytest.fixture
def ours():
    """This service as the internet sees it, behind whatever stands in front."""
    with serving() as service:
        service.answer = answering({}, {})
        yield service


@pytest.fixture
def daily(app, blog):
    return add_site(app, origin=blog.url)


@pytest.fixture
def out(blog, ours):
    ports = [f"{LOOPBACK} port {service.port}" for service in (blog, ours)]
    return Outbound(networks(ports))


def answering(frame, script):
    """The answers for the thread and for the script, with these headers beside the usual ones."""

    def answer(handler):
        is_script = handler.path == "/embed.js"
        usual = {"Cache-Control": "public, max-age=0, s-maxage=10", "Content-Type": "text/html"}
        if is_script:
            usual["Content-Type"] = "text/javascript"
        handler.send_response(200)
        for name, value in (usual | (script if is_script else frame)).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def snippet(base, url, site=SITE, script=True):
    link = f'<a href="{base}/embed/{site}?url={url}">Comments</a>'
    element = f'<rejoinder-thread site="{site}">{link}</rejoinder-thread>'
    return element + (f'<script src="{base}/embed.js" async></script>' if script else "")


def html(*parts, canonical=""):
    link = f'<link rel="canonical" href="{canonical}">' if canonical else ""
    return f"<!doctype html><html><head>{link}</head><body>{''.join(parts)}</body></html>".encode()


@pytest.fixture
def examine(app, daily, blog, ours, out):
    """Serves a page and gives what the doctor says of it: the states by what was said."""

    def run(body=None, headers=None, url=None, base=None):
        address = url or f"{blog.url}/harbour"
        usual = html(snippet(ours.url, address), canonical=address)
        blog.answer = (200, HTML | (headers or {}), usual if body is None else body)
        return look(app, out, address, base or ours.url)

    return run


def look(app, out, url, base):
    with app.app_context():
        session = database.session()
        site = session.get_one(Site, 1)
        seen = doctor.visit(out, site.origins, url, base, site.key)
        return doctor.examine(session, site, seen, base)


def wrong(findings):
    return [finding.said for finding in findings if finding.state == doctor.State.MEND]


def test_a_page_as_the_snippet_has_it_is_in_order(examine, blog):
    findings = examine()
    assert wrong(findings) == []
    said = " ".join(finding.said for finding in findings)
    assert "The snippet is there" in said
    assert f"Its comments belong to {blog.url}/harbour" in said
    assert "lets the page frame the thread" in said


def test_nothing_of_the_page_is_said(examine, ours, blog):
    secret = "<p>A paragraph for subscribers only</p>"
    address = f"{blog.url}/harbour"
    findings = examine(html(secret, snippet(ours.url, address), canonical=address))
    assert "subscribers" not in repr(findings)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ("", "Neither the snippet nor a link"),
        ('<rejoinder-thread site="star"></rejoinder-thread>', "with the site key “star”"),
        ("SNIPPET WITHOUT SCRIPT", "The script is missing"),
        ("SNIPPET OF ANOTHER HOUSE", "The script comes from http://old.example/embed.js"),
        ('<rejoinder-thread site="daily"></rejoinder-thread>', "no link inside the element"),
        (
            '<rejoinder-thread site="daily"><a href="/more">More</a></rejoinder-thread>',
            "which is no thread of the site",
        ),
        ("SNIPPET OF ANOTHER ARTICLE", "The link inside the element is for"),
    ],
)
def test_what_is_wrong_with_the_snippet_is_said(examine, ours, blog, parts, said):
    address = f"{blog.url}/harbour"
    made = {
        "SNIPPET WITHOUT SCRIPT": snippet(ours.url, address, script=False),
        "SNIPPET OF ANOTHER HOUSE": snippet(ours.url, address, script=False)
        + '<script src="http://old.example/embed.js"></script>',
        "SNIPPET OF ANOTHER ARTICLE": snippet(ours.url, f"{blog.url}/another"),
    }.get(parts, parts)
    assert said in " ".join(wrong(examine(html(made, canonical=address))))


def test_a_link_and_a_fragment_are_embeds_too(examine, ours, blog):
    address = f"{blog.url}/harbour"
    link = f'<a href="{ours.url}/embed/daily?url={address}">Comments</a>'
    assert wrong(examine(html(link, canonical=address))) == []
    form = f'<form action="{ours.url}/embed/daily/comments"></form>'
    assert wrong(examine(html(form, canonical=address))) == []


@pytest.mark.parametrize(
    ("policy", "missing"),
    [
        ("default-src 'self'", ["script-src", "frame-src"]),
        ("script-src 'self' BASE; default-src 'none'", ["frame-src"]),
        ("script-src BASE; frame-src BASE", []),
        ("img-src 'self'", []),
    ],
)
def test_a_policy_that_is_in_the_way_is_named(examine, ours, policy, missing):
    header = {"Content-Security-Policy": policy.replace("BASE", ours.url)}
    found = [said.rpartition(" under ")[2].rstrip(".") for said in wrong(examine(headers=header))]
    assert found == missing


def test_a_policy_in_the_page_counts_as_well(examine, ours, blog):
    meta = '<meta http-equiv="Content-Security-Policy" content="frame-src \'none\'">'
    address = f"{blog.url}/harbour"
    body = html(meta, snippet(ours.url, address), canonical=address)
    assert "under frame-src" in wrong(examine(body))[0]


def test_no_canonical_link_is_to_know_and_one_elsewhere_to_mend(examine, ours, blog):
    address = f"{blog.url}/harbour"
    findings = examine(html(snippet(ours.url, address)))
    assert wrong(findings) == []
    assert "no canonical link" in " ".join(finding.said for finding in findings)
    elsewhere = html(snippet(ours.url, address), canonical="https://amp.example/harbour")
    assert "leads to another host" in wrong(examine(elsewhere))[0]


@pytest.mark.parametrize(
    ("other", "is_twin"),
    [
        ("/harbour/", True),
        ("/harbour?ref=newsletter", True),
        ("/harbour/index.html", True),
        ("/harbours", False),
        ("/another", False),
        ("/harbour/?ref=newsletter", True),
    ],
)
def test_articles_that_are_one_are_found(app, examine, blog, other, is_twin):
    reply(app, app.test_client(), url=f"{blog.url}{other}")
    assert [said for said in wrong(examine()) if "looks like the same" in said] == (
        [
            f"There are comments under {blog.url}{other} too (0 published): it looks like the same article."
        ]
        if is_twin
        else []
    )


@pytest.mark.parametrize(
    ("asked", "other", "is_twin"),
    [
        ("/?p=12", "/?p=1", False),
        ("/", "/?p=1", False),
        ("/post?id=12", "/post?id=1", False),
        ("/post?id=12", "/post/?id=12", True),
    ],
)
def test_what_says_which_article_it_is_makes_no_twins(app, examine, blog, asked, other, is_twin):
    reply(app, app.test_client(), url=f"{blog.url}{other}")
    said = " ".join(wrong(examine(url=f"{blog.url}{asked}")))
    assert ("looks like the same" in said) is is_twin


def test_so_is_one_under_http_or_www(app, examine, blog):
    reply(app, app.test_client(), url=f"{blog.url}/harbour/")
    moved = blog.url.replace("http://", "https://www.")
    with app.app_context(), database.writing() as session:
        session.execute(update(Article).values(url=f"{moved}/harbour"))
    assert "looks like the same article" in " ".join(wrong(examine()))


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ({"X-Frame-Options": "SAMEORIGIN"}, "forbids frames (X-Frame-Options: SAMEORIGIN)"),
        ({"Content-Security-Policy": "frame-ancestors 'self'"}, "frame-ancestors without this"),
        ({"Cache-Control": "public, max-age=86400"}, "keeps threads for 86,400 seconds"),
        ({"Age": "3600"}, "keeps threads for 3,600 seconds"),
    ],
)
def test_what_a_proxy_does_to_our_answers_is_said(examine, ours, frame, said):
    ours.answer = answering(frame, {})
    assert said in " ".join(wrong(examine()))


def test_a_script_that_is_none_is_said(examine, ours):
    ours.answer = answering({}, {"Content-Type": "text/html"})
    assert "does not answer with a script" in " ".join(wrong(examine()))


def test_a_page_by_https_and_a_service_by_http_do_not_meet():
    seen = doctor.Visit(page.Page("https://daily.example/"), "", [], [], None, None)
    said = [finding.said for finding in examining._mixed(seen, "http://comments.example")]
    assert "browsers block that" in said[0]


def test_a_script_by_http_on_a_page_by_https_is_blocked():
    here = page.Page("https://daily.example/", scripts={"http://comments.example/embed.js": ""})
    seen = doctor.Visit(here, "", [], [], None, None)
    site = Site(key=SITE, origins=["https://daily.example"])
    findings = examining._element(site, seen, [], "https://comments.example")
    assert "browsers block that" in " ".join(wrong(findings))


@pytest.mark.parametrize(
    ("failed", "state", "advice"),
    [
        (UNTRUSTED, doctor.State.MEND, "Renew it"),
        (UNSET, doctor.State.NOTE, "set BASE_URL"),
        ("it did not answer in time", doctor.State.NOTE, "in a browser elsewhere"),
    ],
)
def test_why_the_service_cannot_be_asked_says_what_to_do(failed, state, advice):
    here = page.Page("https://daily.example/")
    seen = doctor.Visit(here, "", [], [], Served(failed=failed), Served())
    [found] = examining._service(Site(key=SITE), seen, "https://comments.example")
    assert (found.state, advice in found.advice) == (state, True)


def test_where_the_service_cannot_be_asked_from_here_that_is_said(examine):
    findings = examine(base="http://127.0.0.1:9")
    assert "cannot be asked from here" in " ".join(finding.said for finding in findings)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((404, HTML, b""), "status 404"),
        ((200, {"Content-Type": "application/pdf"}, b"%PDF"), "no page but application/pdf"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), "leads on to http://127.0.0.1:1/"),
        ((302, {"Location": "/again"}, b""), "on and on"),
    ],
)
def test_what_is_no_page_is_said(app, daily, blog, out, answer, said):
    blog.answer = answer
    with pytest.raises(doctor.Lost, match=said):
        look(app, out, f"{blog.url}/harbour", "http://127.0.0.1:9")


def test_a_page_that_is_not_the_site_s_to_look_at_says_who_can_allow_it(app, daily, blog):
    with pytest.raises(doctor.Lost, match="may not reach") as lost:
        look(app, Outbound(), f"{blog.url}/harbour", "")
    assert "PRIVATE_NETWORKS" in lost.value.advice


def test_all_of_a_visit_has_its_time(app, daily, blog, out, monkeypatch):
    """However many redirects wait until the last moment."""
    monkeypatch.setattr("service.doctor.visiting.IN_ALL", 0.3)

    def answer(handler):
        time.sleep(0.2)
        handler.send_response(302)
        handler.send_header("Location", "/again")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    blog.answer = answer
    with pytest.raises(doctor.Lost, match=r"time|too long"):
        look(app, out, f"{blog.url}/harbour", "")
    assert len(blog.asked) == 2


def test_an_article_elsewhere_is_said_once(examine, ours, blog):
    """This service refuses the thread then; nothing is wrong with it."""
    element = (
        f'<rejoinder-thread site="{SITE}" url="https://elsewhere.example/x"></rejoinder-thread>'
    )

    def answer(handler):
        is_elsewhere = "elsewhere" in handler.path
        handler.send_response(403 if is_elsewhere else 200)
        handler.send_header("Content-Type", "text/javascript")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    ours.answer = answer
    said = " ".join(wrong(examine(html(element, canonical=f"{blog.url}/harbour"))))
    assert "on none of the site’s origins" in said
    assert "status 403" not in said


def test_what_a_page_has_a_thousand_times_is_said_once_and_shortly(examine, blog):
    threads = "".join(
        f'<rejoinder-thread site="daily" url="/{n}"><a href="/{"x" * 9_000}{n}">x</a></rejoinder-thread>'
        for n in range(100)
    )
    findings = examine(html(threads * 2))
    assert len(findings) == len(set(findings)) <= 40
    assert max(len(finding.said) for finding in findings) < 1_000


def test_nothing_that_a_page_says_acts_on_a_terminal(examine, blog):
    hidden = "&#27;]0;x&#7;&#x202e;"
    link = f'<a href="https://x.example/{hidden}">x</a>'
    element = f'<rejoinder-thread site="daily">{link}</rejoinder-thread>'
    findings = examine(html(element, canonical=f"https://amp.example/{hidden}"))
    assert "https://x.example/" in " ".join(wrong(findings))
    assert all(finding.said.isprintable() for finding in findings)


def test_addresses_that_are_none_stop_nothing(examine, ours, blog):
    broken = (
        '<base href="http://[b">',
        '<link rel="canonical" href="http://[c"><script src="http://[d"></script>',
        '<rejoinder-thread site="daily" url="http://[e"><a href="http://[f">x</a></rejoinder-thread>',
        '<form action="http://[g"></form>',
    )
    said = " ".join(wrong(examine(html(*broken))))
    assert "no link inside the element" in said
    assert "on none of the site’s origins" in said


def test_a_redirect_to_no_address_is_said(app, daily, blog, out):
    blog.answer = (302, {"Location": "http://[h/"}, b"")
    with pytest.raises(doctor.Lost, match="an address that is none"):
        look(app, out, f"{blog.url}/harbour", "http://127.0.0.1:9")


def test_nobody_is_asked_outside_the_site_s_origins(app, daily, ours, out):
    with pytest.raises(doctor.Lost, match="not on one of the site’s origins"):
        look(app, out, f"{ours.url}/harbour", ours.url)
    assert ours.asked == []


def test_a_redirect_within_the_site_is_followed(app, daily, blog, ours, out):
    def answer(handler):
        is_there = handler.path == "/new"
        body = html(snippet(ours.url, f"{blog.url}/new"), canonical=f"{blog.url}/new")
        handler.send_response(200 if is_there else 301)
        handler.send_header(
            "Location" if not is_there else "Content-Type", "/new" if not is_there else "text/html"
        )
        handler.send_header("Content-Length", str(len(body) if is_there else 0))
        handler.end_headers()
        handler.wfile.write(body if is_there else b"")

    blog.answer = answer
    findings = look(app, out, f"{blog.url}/old", ours.url)
    assert wrong(findings) == []
    assert f"leads on to {blog.url}/new" in " ".join(finding.said for finding in findings)


def test_a_host_is_asked_as_it_was_checked(app):
    """IDNA 2003 and 2008 read "ß" as two hosts."""
    asked = []

    class Out:
        def get(self, url, **_):
            asked.append(url)
            raise Unreachable("it could not be reached")

    with pytest.raises(doctor.Lost):
        doctor.visit(Out(), ["https://strasse.example"], "https://Straße.example?a=b#c", "", SITE)
    assert asked == ["https://strasse.example/?a=b"]


def test_the_other_spellings_of_an_address():
    assert variants("https://www.daily.example/a") == [
        "https://daily.example/a",
        "http://daily.example/a",
        "http://www.daily.example/a",
    ]


@pytest.mark.parametrize(
    ("written", "allowed"),
    [
        ("script-src *", True),
        ("script-src https:", True),
        ("script-src 'none'", False),
        ("script-src", False),
        ("script-src comments.example", True),
        ("script-src *.example", True),
        ("script-src *.comments.example", False),
        ("script-src https://comments.example:8443", False),
        ("script-src https://comments.example:*", True),
        ("script-src https://comments.example/other/", False),
        ("script-src https://comments.example/", True),
        ("script-src 'nonce-abc'", True),
        ("script-src 'strict-dynamic' https://comments.example", False),
        ("script-src 'strict-dynamic' 'nonce-abc'", True),
        ("default-src https://comments.example", True),
        ("script-src-elem 'self'; script-src https://comments.example", False),
        ("script-src https://comments.example, script-src 'self'", False),
        ("SCRIPT-SRC HTTPS://COMMENTS.EXAMPLE", True),
    ],
)
def test_a_policy_is_read_as_browsers_do(written, allowed):
    nonce = "abc" if "nonce" in written else ""
    policies = policy.read([written])
    url = "https://comments.example/embed.js"
    found = policy.allows(policies, "script-src", url, "https://daily.example/a", nonce)
    assert found is allowed


def test_broken_html_is_read_as_far_as_it_goes():
    found = page.read(
        '<p><rejoinder-thread site=daily><a href="/x">x<script src=/embed.js', "https://a.example/b"
    )
    assert [thread.site for thread in found.threads] == ["daily"]
    assert found.threads[0].link == "https://a.example/x"


@pytest.mark.parametrize(
    "around",
    [
        "<!-- {} -->",
        "<template>{}</template>",
        "<script>x = '{}'</script>",
        "<textarea>{}</textarea>",
    ],
)
def test_what_is_no_part_of_the_page_is_not_there(around):
    element = '<rejoinder-thread site="daily"></rejoinder-thread>'
    found = page.read(around.format(element) + "<p title='it\"s'>x</p><base href=/a>", "https://a/")
    assert found.threads == []
    assert page.read(f"<p a='\"' b=c>{element}", "https://a/").threads != []


def test_attributes_are_read_as_browsers_do():
    found = page.read(
        "<ReJoinder-thread SITE=daily site=other URL = '/a?b&amp;c' article=\"x > y\"/>"
        "</rejoinder-thread ><a href=/x>y</a>",
        "https://a.example/b",
    )
    assert found.threads == [page.Thread("daily", "/a?b&c", "x > y")]


@pytest.mark.parametrize(
    "much",
    ["<a", "<!--", "</", "<!x", "<?", "<![CDATA[", '<a x="', "<a x = ", "<a ", "<<", "<script>"],
)
def test_a_page_is_read_in_time_however_it_is_broken(much):
    began = time.process_time()
    page.read(much * (1024 * 1024 // len(much)), "https://a.example/")
    assert time.process_time() - began < 10  # html.parser: minutes


@pytest.mark.parametrize("odd", ["<![x[ y ]]>", "<![if IE]>", "<![endif]", "<!x", "<?x"])
def test_what_html_does_not_know_stops_nothing(odd):
    found = page.read(f"<p>{odd}><a href=/x>", "https://daily.example/")
    assert found.links == ["https://daily.example/x"]
