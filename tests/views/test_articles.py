"""The articles of a site at the desk, and what readers meet at an address where one was before."""

import re

import pytest
from cast import ARTICLE, SITE, add_site, csrf, on_record, reply, stored, token
from sqlalchemy import select

from service import aliases, articles, comments, database, moderation
from service.cli.articles import make_one, move_on
from service.mail.leaving import Leaving
from service.models import Article, Author, Comment, Follow, Move, Site
from service.status import BulkState, Role, Status

OTHER = "https://daily.example/2026/other"
NEW = "https://daily.example/blog/review"
LIST = "/desk/sites/daily/articles"
ADDRESSES = f"{LIST}/addresses"


@pytest.fixture
def pia(another):
    """The Daily's publisher."""
    return another("pia", role=Role.PUBLISHER)


@pytest.fixture
def review(app, daily):
    """The path of the article's page, under which Rita has written, and it is published."""
    publish(app)
    return f"/desk/articles/{stored(app)[0].article_id}"


@pytest.fixture
def other(app, daily):
    publish(app, OTHER, "Elsewhere.")
    return f"/desk/articles/{stored(app)[-1].article_id}"


def publish(app, url=ARTICLE, typed="Hear, hear."):
    assert reply(app, app.test_client(), url=url, comment=typed).status_code == 303
    with app.app_context(), database.writing() as session:
        comment = session.scalars(select(Comment).order_by(Comment.id.desc())).first()
        comment.status = Status.APPROVED
        session.flush()
        moderation.recount(session, comment.article_id)


def do(who, path, page="/desk/", **fields):
    return who.post(path, data={"csrf_token": csrf(who.get(page).text)} | fields)


def addresses(app):
    with app.app_context():
        return database.session().scalars(select(Article.url).order_by(Article.id)).all()


# The list


def test_moderators_read_the_list_and_publishers_are_shown_more(app, mo, pia, review):
    add_site(app, "stars", "https://stars.example")
    page = mo.get(LIST).text
    assert ARTICLE in page
    assert "<b>1</b> published" in page
    assert "move many at once" not in page
    assert "Articles</a>" in pia.get(LIST).text
    assert mo.get("/desk/sites/stars/articles").status_code == 404
    assert "All articles of The Daily" in mo.get(review).text
    assert "New address" not in mo.get(review).text


def test_several_that_are_ticked_are_closed_at_once(app, mo, review, other):
    numbers = [path.rpartition("/")[2] for path in (review, other)]
    answer = do(mo, f"{LIST}/set", LIST, article=numbers, action="close", sort="url", q="2026")
    assert answer.status_code == 303
    page = mo.get(answer.location).text
    assert "2 articles: Closed to new comments." in page
    assert 'value="2026"' in page
    assert page.count("Closed</span>") == 2
    # The one whose own button was pressed, whatever is ticked.
    do(mo, f"{LIST}/set", LIST, article=numbers, action=f"open {numbers[0]}")
    assert mo.get(LIST).text.count("Closed</span>") == 1
    none = do(mo, f"{LIST}/set", LIST, action="hold")
    assert "Tick the articles first" in mo.get(none.location).text
    assert [event.what for event in on_record(app)] == ["closed", "closed", "opened"]
    assert do(mo, f"{LIST}/set", LIST, article=numbers, action="burn").status_code == 400


def test_nobody_closes_another_sites_articles_by_its_number(app, pia, another, review):
    ada = another("ada", site=None, role=Role.ADMIN)
    add_site(app, "stars", "https://stars.example")
    star = "https://stars.example/a"
    reply(app, app.test_client(), "stars", url=star, token=token(app, star, "stars"))
    number = stored(app)[-1].article_id
    for who in (pia, ada):
        answer = do(who, f"{LIST}/set", LIST, article=[number], action="close")
        assert answer.status_code == 404
    assert on_record(app) == []


def test_it_is_searched_sorted_and_walked(app, mo, review, other, monkeypatch):
    monkeypatch.setattr("service.articles.page.__defaults__", ("", "last", None, 1))
    page = mo.get(f"{LIST}?sort=url").text
    assert OTHER in page
    assert ARTICLE not in page
    later = re.search(r'href="([^"]+)" rel="next"', page)[1].replace("&amp;", "&")
    page = mo.get(later).text
    assert ARTICLE in page
    assert 'rel="next"' not in page
    assert "No article of The Daily has" in mo.get(f"{LIST}?q=nothing&sort=burn&after=x").text
    assert "There are no more." not in mo.get(f"{LIST}?after=999").text


def test_from_an_article_one_goes_back_to_where_one_was_in_the_list(mo, review):
    listed = mo.get(f"{LIST}?q=daily&sort=url").text
    there = re.search(r'class="article-name"[^>]*href="([^"]+)"', listed)[1].replace("&amp;", "&")
    back = f'<a href="{LIST}?q=daily&amp;sort=url">Back</a>'
    assert back in mo.get(there).text


def test_an_article_outside_the_sites_origins_is_marked(app, mo, review):
    assert "Outside the site" not in mo.get(LIST).text
    with app.app_context(), database.writing() as session:
        session.scalars(select(Site)).one().origins = ["https://www.daily.example"]
    assert "Outside the site" in mo.get(LIST).text


# One article


def test_a_publisher_gives_an_article_its_title(app, pia, mo, review):
    answer = do(pia, f"{review}/rename", review, title="  A <b>review</b> ", next="/desk/")
    page = pia.get(answer.location).text
    assert "The title is saved." in page
    assert "<h1><bdi>A &lt;b&gt;review&lt;/b&gt;</bdi></h1>" in page
    too_long = do(pia, f"{review}/rename", review, title="x" * 301)
    assert too_long.status_code == 422
    assert "at most 300 characters" in too_long.text
    assert "x" * 301 in too_long.text
    assert do(mo, f"{review}/rename", review, title="Mine").status_code == 403


def test_an_article_moves_and_readers_of_the_old_page_miss_nothing(app, pia, review):
    reader = app.test_client()
    public_id = stored(app)[0].public_id
    old = {path: reader.get(path).headers["ETag"] for path in doors(ARTICLE)}
    answer = do(pia, f"{review}/move", review, url=f"{NEW}?utm_source=x#top")
    assert "The article has its new address." in pia.get(answer.location).text
    assert addresses(app) == [NEW]
    for path in (*doors(ARTICLE), *doors(NEW)):
        page = reader.get(path)
        assert "Hear, hear." in page.text, path
        is_feed = "atom" in path  # its readers know it by the address at which they began
        assert is_feed or page.headers["ETag"] != old.get(path), path
    thread = reader.get(f"/embed/{SITE}?url={ARTICLE}").text
    assert f'<link rel="canonical" href="{NEW}">' in thread
    assert f'name="url" type="hidden" value="{ARTICLE}"' in thread  # the page that it stands on
    asked = f"/embed/{SITE}/counts?url={ARTICLE}&url={NEW}&url={OTHER}&url=nonsense"
    assert reader.get(asked).json == {ARTICLE: 1, NEW: 1, OTHER: 0, "nonsense": 0}
    assert reader.get(f"/embed/{SITE}/token?url={ARTICLE}").status_code == 200
    assert reader.get(f"/comments/{public_id}").location == f"{NEW}#comment-{public_id}"
    # A form of the old page that was open all the while.
    assert reply(app, reader, parent=public_id, comment="Late.").status_code == 303
    assert addresses(app) == [NEW]
    assert stored(app)[-1].parent_id == stored(app)[0].id


def doors(url):
    paths = (f"/embed/{SITE}", f"/embed/{SITE}/fragment", f"/feeds/{SITE}/thread.atom")
    return [f"{path}?url={url}" for path in paths]


def test_a_former_address_outside_the_origins_leads_to_the_page_of_today(app, pia, review):
    """Hard rule 15 holds for the article, which is within."""
    with app.app_context(), database.writing() as session:
        site = session.scalars(select(Site)).one()
        site.origins = ["https://www.example.org"]
        article = session.scalars(select(Article)).one()
        articles.move(session, article, "https://www.example.org/review", "a test")
    page = app.test_client().get(f"/embed/{SITE}?url={ARTICLE}").text
    assert "Hear, hear." in page
    assert 'value="https://www.example.org/review"' in page
    assert "<form" in page
    unknown = app.test_client().get(f"/embed/{SITE}?url={OTHER}")
    assert unknown.status_code == 403


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "Enter the new address."),
        ("blog/review", "Enter a whole address"),
        (ARTICLE, "The article has this address already."),
        ("https://elsewhere.example/a", "Add its origin to the site first."),
        (f"https://daily.example/{'x' * 2000}", "Enter a whole address"),
    ],
)
def test_an_address_that_cannot_be_is_refused_beside_its_field(app, pia, review, url, said):
    answer = do(pia, f"{review}/move", review, url=url)
    assert answer.status_code == 422
    assert said in re.search(r'id="url-error">(.*?)</p>', answer.text)[1]
    assert f'value="{url}"' in answer.text
    assert addresses(app) == [ARTICLE]


def test_two_are_looked_at_and_then_made_one(app, pia, mo, review, other):
    taken = do(pia, f"{other}/move", other, url=ARTICLE)
    assert taken.status_code == 422
    link = re.search(r'href="([^"]+/merge\?into=[^"]+)"', taken.text)[1].replace("&amp;", "&")
    page = pia.get(link).text
    assert page.count("<b>1</b> approved") == 2
    assert "It cannot be undone." in page
    assert addresses(app) == [ARTICLE, OTHER]
    assert do(mo, f"{other}/merge", into=ARTICLE).status_code == 403
    reader = app.test_client()
    before = reader.get(f"/embed/{SITE}?url={OTHER}").headers["ETag"]
    answer = do(pia, f"{other}/merge", link, into=ARTICLE)
    assert answer.location.startswith(review)
    assert "The two articles are one." in pia.get(answer.location).text
    assert addresses(app) == [ARTICLE]
    for url in (ARTICLE, OTHER):
        page = reader.get(f"/embed/{SITE}?url={url}", headers={"If-None-Match": before})
        assert "Hear, hear." in page.text
        assert "Elsewhere." in page.text
    assert pia.get(other).location == review
    assert [event.what for event in on_record(app)] == ["merged"]
    assert "made two articles one" in pia.get("/desk/audit/").text


@pytest.mark.parametrize(
    ("into", "said"),
    [
        (ARTICLE, "This is the same article."),
        (NEW, "There is no article of The Daily"),
        ("x", "Enter a whole address"),
    ],
)
def test_what_is_no_other_article_is_said_beside_the_field(pia, review, into, said):
    page = pia.get(f"{review}/merge?into={into}")
    assert page.status_code == 422
    assert said in re.search(r'id="into-error">(.*?)</p>', page.text)[1]
    assert do(pia, f"{review}/merge", review, into=into).status_code == 422


def test_a_large_merge_is_left_to_the_worker_and_the_page_says_so(
    app, pia, review, other, monkeypatch
):
    monkeypatch.setattr("service.views.articles.SECONDS", 0)
    answer = do(pia, f"{other}/merge", review, into=ARTICLE)
    page = pia.get(answer.location).text
    assert "1 comment of an article that becomes part of this one follows" in page
    assert "Becoming part of another" in pia.get(LIST).text
    assert pia.get(other).location == review
    assert do(pia, f"{review}/merge", review, into=OTHER).status_code == 422

    with app.app_context():
        assert make_one()
        assert not make_one()
    assert "follows within" not in pia.get(review).text
    assert {comment.article_id for comment in stored(app)} == {int(review.rpartition("/")[2])}


def test_a_letters_way_to_leave_ends_what_the_article_became_part_of(app, pia, review, other):
    number = int(other.rpartition("/")[2])
    with app.app_context(), database.writing() as session:
        author = session.scalars(select(Author)).first()
        session.add(Follow(author_id=author.id, article_id=number))
        key = Leaving(author.email_index, author.site_id, number).sign(app.extensions["signer"])
    do(pia, f"{other}/merge", review, into=ARTICLE)
    left = app.test_client().post(f"/letters/leave/{key}", data={"List-Unsubscribe": "One-Click"})
    assert left.status_code == 200
    with app.app_context():
        assert database.session().scalars(select(Follow)).all() == []


# All of a pattern


def test_a_site_that_changes_its_address_rehearses_and_moves(app, pia, mo, review, other):
    wrong = do(pia, ADDRESSES, ADDRESSES, old="https://daily.example/2026/*", new="https://x.y/*")
    assert wrong.status_code == 422
    assert "Add its origin to the site first." in wrong.text
    asked = {"old": "https://daily.example/2026/*", "new": "https://daily.example/blog/*"}
    rehearsed = do(pia, ADDRESSES, ADDRESSES, **asked)
    assert rehearsed.status_code == 200
    assert "2 articles would move" in rehearsed.text
    assert NEW in rehearsed.text
    assert addresses(app) == [ARTICLE, OTHER]
    assert do(mo, ADDRESSES, **asked).status_code == 403
    assert do(mo, f"{ADDRESSES}/run", **asked, taken="leave").status_code == 403
    answer = do(pia, f"{ADDRESSES}/run", ADDRESSES, **asked, taken="leave")
    done = pia.get(answer.location).text
    assert "2 of 2 moved" in done
    assert "The articles have moved." in done
    assert addresses(app) == [NEW, "https://daily.example/blog/other"]
    assert "Hear, hear." in app.test_client().get(f"/embed/{SITE}?url={ARTICLE}").text
    again = do(pia, ADDRESSES, ADDRESSES, **asked)
    assert "No article with comments has such an address." in again.text
    assert [event.what for event in on_record(app)] == ["move_began", "move_ended"]


def test_whether_those_that_are_taken_merge_is_asked(app, pia, review, other):
    publish(app, NEW, "There already.")
    asked = {"old": "https://daily.example/2026/*", "new": "https://daily.example/blog/*"}
    page = do(pia, ADDRESSES, ADDRESSES, **asked).text
    assert "1 article would move" in page
    assert "At the new address of 1 of them there is another article already" in page
    assert re.search(r'checked[^>]+value="leave"', page)
    do(pia, f"{ADDRESSES}/run", ADDRESSES, **asked, taken="merge")
    with app.app_context():
        site_id = database.session().scalars(select(Site.id)).one()
        at = aliases.article_at(database.session(), site_id, [ARTICLE, NEW])
        assert len(set(at.values())) == 1
        assert comments.find_article(database.session(), site_id, ARTICLE).url == NEW


def test_a_move_is_stopped_and_goes_on(app, pia, mo, review, monkeypatch):
    monkeypatch.setattr("service.views.articles.SECONDS", 0)
    asked = {"old": "https://daily.example/2026/*", "new": "https://daily.example/blog/*"}
    answer = do(pia, f"{ADDRESSES}/run", ADDRESSES, **asked, taken="leave")
    begun = pia.get(answer.location).text
    assert "0 of 1 moved" in begun
    assert "The move has begun." in begun
    assert do(pia, f"{ADDRESSES}/run", ADDRESSES, **asked, taken="leave").status_code == 409
    assert do(mo, f"{ADDRESSES}/1/change", action="stop").status_code == 403
    do(pia, f"{ADDRESSES}/1/change", ADDRESSES, action="stop")

    with app.app_context():
        assert not move_on()
    page = do(pia, f"{ADDRESSES}/1/change", ADDRESSES, action="resume")
    assert "Stop it here" in pia.get(page.location).text
    with app.app_context():
        assert move_on()
        assert database.session().scalars(select(Move.state)).all() == [BulkState.DONE]
    assert addresses(app) == [NEW]
    for late in ("stop", "resume"):
        assert do(pia, f"{ADDRESSES}/1/change", ADDRESSES, action=late).status_code == 409
    assert do(pia, f"{ADDRESSES}/1/change", ADDRESSES, action="burn").status_code == 400
    assert do(pia, f"{ADDRESSES}/9/change", ADDRESSES, action="stop").status_code == 404
