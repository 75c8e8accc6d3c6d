"""The reader's door: threads and the form. Never touches the session: no cookie is set.

A thread page depends on nothing but the article's and the site's versions, whether the article is
closed, the half minute of the last like, the release, the form token's hour and the URL; these are
its ETag.
"""

import time
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    send_from_directory,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_limiter import RateLimitExceeded

from .. import comments, database, follows, sites, text, threads, urls, vault
from ..models import Article, Site, now
from ..rules import Draft
from ..screening import waves
from ..site_settings import SiteSettings
from ..status import Status
from ..tokens import WORK_BITS, AuthorTokens, FormTokens, Touched, bucket, has_worked
from . import headers, languages, opinions, recent, samples
from .errors import wants_json
from .forms import ReplyForm
from .here import served_at
from .judging import ask_for_another, policy_here, score_here
from .limits import POSTING, PREVIEWING, limiter, or_plainly, wait

bp = Blueprint("reader", __name__)
bp.before_request(languages.choose)  # for what is refused before its site is known

FRAGMENT = "reader/fragment.html"
LIKES_SECONDS = 30  # likes reach the page so often at most


@dataclass(frozen=True)
class Place:
    """Where a request is about: a site, and an article there that may be unknown yet."""

    site: Site
    settings: SiteSettings
    url: str
    given_id: str
    article: Article | None

    @property
    def is_sample(self) -> bool:
        """Whether this is the thread of the desk's sample page, where nothing is ever stored."""
        return samples.is_sample(self.url, self.site.key)

    @property
    def is_ours(self) -> bool:
        return urls.is_within(self.url, self.site.origins) or self.is_sample

    @property
    def canonical(self) -> str:
        """Where the article is now; the request may have come by a former address."""
        is_there = self.article and urls.is_within(self.article.url, self.site.origins)
        return self.article.url if self.article and is_there else self.url

    @property
    def is_closed(self) -> bool:
        if self.site.closed_at is not None:
            return True
        return self.article is not None and comments.is_closed(self.article, self.settings, now())

    @property
    def tokens(self) -> FormTokens:
        return FormTokens(current_app.extensions["signer"], self.site.key, self.url)

    def form(self, **values: Any) -> ReplyForm:
        return ReplyForm(self.tokens, self.settings, **values)


def site_or_refuse(key: str) -> tuple[Site, SiteSettings]:
    """The site that a request names, in whose language it is answered from now on; or the end of
    this request with the reason."""
    site = sites.find(database.session(), key)
    if site is None:
        abort(404, _("There is no site with this name here. Check the site key on the page."))
    settings = SiteSettings.read(site.settings)
    languages.choose(settings.language)
    headers.allow_frames(site.origins)
    return site, settings


def place_or_refuse(key: str) -> Place:
    """The place that a request names, or the end of this request with the reason."""
    site, settings = site_or_refuse(key)
    try:
        url = urls.canonical(request.values.get("url", ""))
    except urls.NotAnAddress:
        abort(400, _("The address of the article is missing or is none. It begins with https://."))
    given_id = request.values.get("article", "").strip()
    article = comments.find_article(database.session(), site.id, url, given_id)
    # An article that moved has its page at the new address, and as long as the site has it, at the old
    # one too; one imported from elsewhere is where it was.
    stands_at = article.url if article and not urls.is_within(url, site.origins) else url
    place = Place(site, settings, stands_at, given_id, article)
    if article is None and not place.is_ours:
        abort(403, _("This article is not on a website that belongs to %(site)s.", site=site.name))
    return place


def ours_or_refuse(key: str) -> Place:
    """The place where something may be written, or the end of this request with the reason."""
    place = place_or_refuse(key)
    if not place.is_ours:
        abort(
            403,
            _("This article is not on a website that belongs to %(site)s.", site=place.site.name),
        )
    return place


@bp.get("/embed.js")
def loader() -> ResponseReturnValue:
    """The script that publishers put on their pages."""
    response = send_from_directory(str(current_app.static_folder), "embed.js", max_age=600)
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@bp.get("/embed/<key>")
def thread(key: str) -> ResponseReturnValue:
    """The thread; without an article's address the articles that were talked about last."""
    database.read_a_copy()
    if not any(request.args.get(name, "").strip() for name in ("url", "article")):
        return recent.page(*site_or_refuse(key))
    return _cached(place_or_refuse(key), "reader/thread.html", "text/html")


@bp.get("/embed/<key>/colours.css")
def colours(key: str) -> ResponseReturnValue:
    """The colours that a site chose, over those of thread.css. Under an address with the site's
    version it never changes."""
    database.read_a_copy()
    site, settings = site_or_refuse(key)
    response = Response(settings.look.stylesheet(), mimetype="text/css")
    is_named = request.args.get("v", "") == str(site.version)
    response.headers["Cache-Control"] = (
        "public, max-age=31536000, immutable" if is_named else "public, max-age=600"
    )
    return response


@bp.get("/embed/<key>/fragment")
def fragment(key: str) -> ResponseReturnValue:
    """The same to be included by a publisher's server or build."""
    database.read_a_copy()
    return _cached(place_or_refuse(key), FRAGMENT, "text/html")


@bp.get("/embed/<key>/token")
def token(key: str) -> ResponseReturnValue:
    """A fresh token for the form, asked for by script when somebody begins to write; while a wave
    is on with the work that the page is to do for it."""
    place = place_or_refuse(key)
    article_id = place.article.id if place.article else None
    is_wave = waves.current(database.session(), place.site.id, article_id) is not None
    asked = {"work": WORK_BITS} if is_wave else {}
    return {"token": place.tokens.for_script(**asked), **asked}, {"Cache-Control": "no-store"}


@bp.get("/embed/<key>/counts")
def counts(key: str) -> ResponseReturnValue:
    """How many comments readers see under each of the addresses asked about."""
    database.read_a_copy()
    site = sites.find(database.session(), key) or abort(404)
    asked = request.args.getlist("url")[:100]
    addresses = {url: _or_none(url) for url in asked}
    found = threads.counts(database.session(), site.id, addresses.values())
    counted = {url: found.get(address, 0) for url, address in addresses.items()}
    return counted, {"Cache-Control": headers.SHARED, "Access-Control-Allow-Origin": "*"}


@bp.post("/embed/<key>/comments")
@limiter.limit(POSTING)
def submit(key: str) -> ResponseReturnValue:
    place = ours_or_refuse(key)
    is_origin_withheld = check_origin(place)
    form = place.form()
    if not form.validate():
        return _again(place, form)
    if place.is_sample:
        return _again(place, form, _("This is a sample: your reply was not posted."), 403)
    sent = _submission(place, form, is_origin_withheld)
    sent = replace(sent, draft=opinions.ask(place.site, sent))
    policy = policy_here(place.site)
    try:
        with database.writing() as session:
            comment = comments.submit(
                session, current_app.extensions["vault"], place.site, sent, policy
            )
            if form.wish:
                mailbox = current_app.extensions["vault"].mailbox_index(sent.email)
                follows.add(session, comment, form.wish, mailbox)
            public_id = comment.public_id
    except comments.NoNewComments:
        said = _(
            "This article takes no new replies any more. Your text is kept here for you to copy."
        )
        return _again(place_or_refuse(key), form, said, 403)
    except comments.AnotherWording as asked:
        return _again(place, ask_for_another(place.site, form, asked))
    except comments.NoSuchParent:
        form.parent.data = ""
        return _again(
            place,
            form,
            _(
                "The comment you answer is no longer shown. Your reply is kept: "
                "press “Post reply” once more to post it by itself."
            ),
        )
    except database.Busy:
        said = _(
            "Many people are writing at this moment. Your reply is kept; try again in 5 seconds."
        )
        return _again(place, form, said, 503, 5)
    receipt = url_for(
        "receipts.receipt", token=_signer().sign("receipt", public_id), _external=True
    )
    if wants_json():
        told = {"follow": follow_said(place.site)} if form.wish else {}
        return {"receipt": receipt, "id": public_id} | told, 201
    back = way_back(place.site, form.return_to.data or "")
    carried = {"return_to": back, "follow": "1" if form.wish else ""}
    if shown := urls.query(**{name: value for name, value in carried.items() if value}):
        receipt = f"{receipt}?{shown}"
    return redirect(receipt, 303)


@bp.post("/embed/<key>/preview")
@limiter.limit(PREVIEWING)
def preview(key: str) -> ResponseReturnValue:
    """The form with its comment as it will look. Nothing is stored, and links lead nowhere yet."""
    place = ours_or_refuse(key)
    check_origin(place)
    form = place.form()
    if not form.may_be_shown():
        said = _(
            "This page was open for a long time. Your text is kept: press “Preview” once more."
        )
        return _again(place, form, said if form.token.errors else "")
    typed = form.comment.data or ""
    shown = text.unlink(text.render(typed)) if text.is_visible(typed) else ""
    page = _page(place, "reader/thread.html", form, preview=shown)
    return page, {"Cache-Control": "no-store"}


@bp.errorhandler(RateLimitExceeded)
@or_plainly
def too_often(error: RateLimitExceeded) -> ResponseReturnValue:
    """The form comes back with what was typed and says when to try again."""
    place = place_or_refuse((request.view_args or {})["key"])
    seconds = wait(error)
    when = languages.in_time(seconds)
    said = _(
        "You have posted several replies in a short time. Your text is kept; try again %(when)s.",
        when=when,
    )
    if request.endpoint == "reader.preview":
        said = _(
            "You have asked for many previews in a short time. Your text is kept; "
            "try again %(when)s.",
            when=when,
        )
    return _again(place, place.form(), said, 429, seconds)


@bp.get("/comments/<public_id>")
def permalink(public_id: str) -> ResponseReturnValue:
    """To the comment under its article; what is not public is not there."""
    found = comments.by_public_id(database.session(), public_id)
    if found is None or found.status != Status.APPROVED:
        abort(404)
    target = f"{found.article.url}#comment-{found.public_id}"
    if urls.is_within(found.article.url, found.article.site.origins):
        return redirect(target, 302)
    # Imported from elsewhere: a page with a link, so that nobody is sent off unasked.
    languages.choose(SiteSettings.read(found.article.site.settings).language)
    return render_template("reader/elsewhere.html", target=target, article=found.article)


def _cached(place: Place, template: str, mimetype: str) -> ResponseReturnValue:
    """A page of the thread, or 304 if the asker has it."""
    tag = headers.etag(
        place.article.version if place.article else 0,
        place.is_closed,
        _likes(place.article.liked_at if place.article else None, time.time()),
        place.site.version,
        current_app.config["RELEASE"],
        bucket(),
        request.url,
    )
    response = Response(mimetype=mimetype)
    response.set_etag(tag)
    response.headers["Cache-Control"] = headers.SHARED
    if not request.if_none_match.contains_weak(tag):
        response.set_data(_page(place, template, _blank_form(place)))
    return response.make_conditional(request)


def _likes(liked_at: datetime | None, now: float) -> int:
    """Names the likes that a page shows: a new name at most twice a minute, and always one in the
    end."""
    if liked_at is None:
        return 0
    began, current = int(liked_at.timestamp() // LIKES_SECONDS), int(now // LIKES_SECONDS)
    return began if current <= began else began + 1


def _shape(settings: SiteSettings) -> threads.Shape:
    """How the thread is laid out: as the reader chose, else as the site did."""
    offered = [sort for sort in threads.ORDERS if sort != "liked" or settings.likes]
    wanted = [request.values.get("sort", ""), settings.sort, offered[0]]
    return threads.Shape(
        sort=next(sort for sort in wanted if sort in offered),
        size=settings.page_size,
        replies=settings.replies_shown,
        depth=settings.reply_depth,
    )


def _blank_form(place: Place) -> ReplyForm:
    values = {"url": place.url, "article": place.given_id, "lang": request.args.get("lang", "")}
    return place.form(formdata=None, data={**values, "parent": request.args.get("parent", "")})


def _page(
    place: Place, template: str, form: ReplyForm, message: str = "", preview: str | None = None
) -> str:
    """The thread with the form. Takes a message that is about the whole form, and the comment as
    it will look if that was asked for."""
    shown, shape = threads.EMPTY, _shape(place.settings)
    is_fragment = template == FRAGMENT
    if place.is_sample:
        shown = samples.thread(shape.sort)
    elif place.article:
        shown = threads.page(
            database.session(),
            place.article,
            shape,
            after=request.values.get("after", ""),
            at=request.values.get("at", "") or (form.parent.data or ""),
            under=request.values.get("under", ""),
        )
    return render_template(
        template,
        site=place.site,
        settings=place.settings,
        article=place.article,
        url=place.url,
        canonical=place.canonical,
        # Several fragments may stand on one page, so their ids differ; they lead back to that page.
        mark=f"-{headers.etag(place.site.key, place.url)[:8]}" if is_fragment else "",
        return_to=place.url if is_fragment else None,
        thread=shown,
        sort=shape.sort,
        asked=request.values.get("at", ""),
        is_indexed=place.settings.is_indexed and not place.is_sample,
        is_sample=place.is_sample,
        form=form,
        message=message,
        preview=preview,
        answered=threads.find(shown.comments, form.parent.data or ""),
        comment_length=place.settings.comment_length,
        is_ours=place.is_ours,
        is_open=place.is_ours and not place.is_closed,
        has_form=place.is_ours and (not place.is_closed or bool(message) or preview is not None),
        trusted=text.trusted,
        base=served_at(),
        here=_here,
    )


def _again(
    place: Place, form: ReplyForm, message: str = "", status: int = 422, retry: int = 0
) -> ResponseReturnValue:
    """The form once more, with all that was typed, each error beside its field."""
    added = {"Cache-Control": "no-store"} | ({"Retry-After": str(retry)} if retry else {})
    message = message or " ".join(map(str, form.token.errors))
    if wants_json():
        said = {name: errors for name, errors in form.errors.items() if name != "token"}
        return {"errors": said, "error": message, "token": place.tokens.for_page()}, status, added
    return _page(place, "reader/thread.html", form, message), status, added


def _submission(place: Place, form: ReplyForm, is_origin_withheld: bool) -> comments.Submission:
    """Renders what was typed, and asks the filter: before any transaction begins."""
    touched = place.tokens.read(form.token.data or "")
    typed = form.comment.data or ""
    html = text.render(typed)
    name, website = form.name.data or text.ANONYMOUS, form.website_typed
    return comments.Submission(
        url=place.url,
        given_id=place.given_id,
        title=form.title.data or "",
        parent=form.parent.data or "",
        name=name,
        website=website,
        email=form.email.data or "",
        text=typed,
        html=html,
        language=str(form.lang.data or "")[:20],
        network=comments.network_of(request.remote_addr or ""),
        nonce=form.nonce.data or "",
        draft=Draft(
            name=form.name.data or "",
            text=typed,
            addresses=tuple(text.addresses(f"{typed} {unquote(website)}")),
            website=website,
            links=text.count_links(html),
            language=str(form.lang.data or "")[:20],
            mail_domain=vault.domain(form.email.data or ""),
            is_origin_withheld=is_origin_withheld,
            seconds=touched.seconds if touched else None,
            is_trapped=bool((form.subject.data or "").strip()),
            has_worked=_has_worked(form, touched),
        ),
        client=request.remote_addr or "",
        proof=AuthorTokens(_signer(), place.site.key).read(form.author.data or ""),
        token=touched.digest if touched else None,
        score=score_here(place.site, name, website, typed),
        has_consented=bool(place.settings.consent),
    )


def _has_worked(form: ReplyForm, touched: Touched | None) -> bool | None:
    """Whether the page did the work that its token asks for; None if it asks for none."""
    if touched is None or not touched.work:
        return None
    return has_worked(form.token.data or "", form.work.data or "", touched.work)


def check_origin(place: Place) -> bool:
    """Whether the browser withheld where the form stood; ends the request for a foreign page."""
    sent = request.headers.get("Origin", "")
    known = {"", "null", request.host_url.rstrip("/"), _base(), *place.site.origins}
    if sent not in known:
        site = place.site.name
        abort(403, _("This form stands on a page that does not belong to %(site)s.", site=site))
    return sent == "null"


def way_back(site: Site, return_to: str) -> str:
    """The page to link back to, if it is the publisher's."""
    return return_to if urls.is_within(return_to, site.origins) else ""


def follow_said(site: Site) -> str:
    """What is said to whoever wished for letters: the same whatever is known of the address, and
    whether or not it is written to (hard rule 6)."""
    return str(
        _(
            "You asked for letters of %(site)s. If it may write to this address and does not know "
            "yet that it is yours, a letter is on its way: confirm it there. Until then nothing is sent.",
            site=site.name,
        )
    )


def _here(**changes: str) -> str:
    """This thread's address with something changed."""
    kept = ("url", "article", "title", "sort", "lang", "after", "at", "under")
    given = {name: request.values[name] for name in kept if request.values.get(name)}
    values = {name: value for name, value in (given | changes).items() if value}
    path = url_for("reader.thread", key=(request.view_args or {})["key"])
    return f"{path}?{urls.query(**values)}"


def _or_none(url: str) -> str:
    try:
        return urls.canonical(url)
    except urls.NotAnAddress:
        return ""


def _signer() -> Any:
    return current_app.extensions["signer"]


def _base() -> str:
    return str(current_app.config["BASE_URL"])
