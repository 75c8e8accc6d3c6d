"""A site's policy, put together from what it chose."""

from sqlalchemy.orm import Session

from ..models import Site
from ..rules import RULES, Policy, kept
from ..site_settings import SiteSettings
from ..status import Mode
from . import phrases


def policy_of(session: Session, site: Site, least_seconds: float) -> Policy:
    """What a site chose. Takes the installation's FORM_MIN_SECONDS."""
    settings = SiteSettings.read(site.settings)
    return Policy(
        mode=Mode(settings.mode),
        is_site_held=settings.hold_all,
        least_seconds=least_seconds,
        tuned=kept.tuned(site.screening, RULES),
        writing=frozenset(kept.words(site.screening, "writing")),
        languages=frozenset(kept.words(site.screening, "languages")),
        phrases=phrases.finders(session, site),
    )
