"""To a moderator: far more comments than usual come in. Nobody needs it once the wave is over."""

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from .. import text, urls
from ..models import Article, Letter, Site, Wave
from ..rules.holding import WAVE_MINUTES
from ..screening import waves
from ..status import Why
from .contents import Contents
from .post import Post


def compose(session: Session, post: Post, letter: Letter) -> Contents | Why:
    wave = session.get(Wave, letter.about["wave"])
    if wave is None or wave.ended_at is not None:
        return Why.SETTLED
    site = session.get_one(Site, wave.site_id)
    article = session.get_one(Article, wave.article_id) if wave.article_id else None
    number = f"{waves.MOST:,}+" if wave.peak > waves.MOST else f"{wave.peak:,}"
    told = {"number": number, "site": site.name}
    return Contents(
        str(_("%(number)s comments in a short time on %(site)s", **told)),
        "wave",
        {
            "site": site,
            "where": _where(article),
            "article_url": article.url if article else "",
            "how_many": number,
            "usual": round(wave.usual),
            "minutes": WAVE_MINUTES,
            "wave_url": post.url(f"/desk/waves/{wave.id}"),
            "me_url": post.url("/desk/me/#letters"),
        },
    )


def _where(article: Article | None) -> str:
    """An article by its title, if a moderator approved something there (hard rule 10)."""
    if article is None:
        return ""
    is_known = article.title and article.is_title_proved
    return text.mask_addresses(article.title if is_known else urls.readable(article.url))
