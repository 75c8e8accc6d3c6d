"""A site's words and phrases: kept, counted, and ready to be found in new comments."""

import ipaddress
import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from sqlalchemy import and_, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from ..models import Phrase, Site
from ..rules import Finder, Verdict
from ..rules.folding import fold, seen
from ..rules.phrases import BETWEEN, NotAPhrase, Phrases, read
from ..status import PhraseKind
from ..text import addresses

LONGEST = 200  # characters
MOST = 100_000  # of one site; WordPress's long list has 65,371
BATCH = 1_000  # phrases of one transaction: about 40 ms of work
MOST_KEPT = 200_000  # phrases that a process keeps ready, of all sites
SHORTEST_ACCENTED = 4  # letters of a key that is found anywhere, once its accents are folded
RULE = {kind: f"phrases_{kind}" for kind in PhraseKind}


class TooMany(Exception):
    """The site has as many phrases as it may have."""


@dataclass
class Outcome:
    """What became of phrases that somebody brought."""

    added: int = 0
    known: int = 0  # were there before
    # Those left out, by why: "address", "network", "nothing", "short", "long", "spelling".
    left_out: Counter[str] = field(default_factory=Counter)
    lines: list[tuple[str, str]] = field(default_factory=list)  # the same, each line with its why


def clean(written: str) -> str:
    """A phrase as it is stored: on one line, and without what stands between phrases in a reason.
    Raises NotAPhrase, also for an "address" and what is too "long"."""
    phrase = " ".join(" ".join(written.replace("\0", " ").split()).split(BETWEEN))
    if addresses(phrase):
        raise NotAPhrase("address")
    if len(phrase) > LONGEST:
        raise NotAPhrase("long")
    read(phrase)
    return phrase


def from_wordpress(key: str) -> str:
    """A key of WordPress's lists as a phrase: found anywhere, inside words too. Raises NotAPhrase.

    A "spelling" with look-alikes is left out: they are seen through, and of "ｅr" there would be
    left "er", which is in every text. So is a key of two letters or three that loses accents.
    """
    bare = " ".join(key.split()).strip("*").strip()
    if _is_network(bare):
        raise NotAPhrase("network")
    if len(bare) < 2:
        raise NotAPhrase("short" if bare else "nothing")
    folded = fold(bare)
    has_lost = folded != bare.lower() and len(folded) < SHORTEST_ACCENTED
    if seen(bare) != bare or has_lost:
        raise NotAPhrase("spelling")
    return clean(f"*{bare}*")


def read_lines(text: str, is_wordpress: bool = False) -> tuple[list[str], Outcome]:
    """The phrases of a text, one a line, each once, and what was left out of it."""
    found: dict[str, None] = {}
    outcome = Outcome()
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            found[from_wordpress(line) if is_wordpress else clean(line)] = None
        except NotAPhrase as error:
            outcome.left_out[error.why] += 1
            outcome.lines.append((line.strip(), error.why))
    return list(found), outcome


def batches(phrases: Sequence[str]) -> Iterator[Sequence[str]]:
    """Phrases in the portions that one transaction takes."""
    return (phrases[start : start + BATCH] for start in range(0, len(phrases), BATCH))


def missing(session: Session, site_id: int, kind: PhraseKind, phrases: Sequence[str]) -> int:
    """How many of these the site's list does not have."""
    there = 0
    for batch in batches(phrases):
        mine = (Phrase.site_id == site_id, Phrase.kind == kind, Phrase.phrase.in_(batch))
        there += session.scalar(select(func.count()).where(*mine)) or 0
    return len(phrases) - there


def add(session: Session, site_id: int, kind: PhraseKind, phrases: Sequence[str]) -> list[str]:
    """Adds phrases that were cleaned, and gives those that were new. Raises TooMany."""
    _changed(session, site_id)  # first: whoever adds the same at this moment waits
    mine = (Phrase.site_id == site_id, Phrase.kind == kind)
    there = set(session.scalars(select(Phrase.phrase).where(*mine, Phrase.phrase.in_(phrases))))
    new = [phrase for phrase in dict.fromkeys(phrases) if phrase not in there]
    if new and number(session, site_id) + len(new) > MOST:
        raise TooMany
    if new:
        rows = [{"site_id": site_id, "kind": kind, "phrase": phrase} for phrase in new]
        session.execute(insert(Phrase), rows)
    return new


def remove(session: Session, site_id: int, kind: PhraseKind, phrases: Sequence[str]) -> int:
    """Removes phrases as they are stored, and gives how many there were."""
    mine = (Phrase.site_id == site_id, Phrase.kind == kind, Phrase.phrase.in_(phrases))
    gone = session.scalars(delete(Phrase).where(*mine).returning(Phrase.id)).all()
    if gone:
        _changed(session, site_id)
    return len(gone)


def restore(session: Session, site_id: int, kind: PhraseKind, phrase: str, hits: int) -> None:
    """Puts a phrase back that was removed, with how often it had been found. Raises TooMany."""
    if add(session, site_id, kind, [phrase]):
        mine = (Phrase.site_id == site_id, Phrase.kind == kind, Phrase.phrase == phrase)
        session.execute(update(Phrase).where(*mine).values(hits=hits))


def known(session: Session, site_id: int, kind: PhraseKind) -> Sequence[Phrase]:
    """All of a site's phrases of a kind, newest first."""
    found = select(Phrase).where(Phrase.site_id == site_id, Phrase.kind == kind)
    return session.scalars(found.order_by(Phrase.id.desc())).all()


def page(
    session: Session,
    site_id: int,
    kind: PhraseKind,
    size: int,
    sought: str = "",
    after: tuple[int | None, str] | None = None,
    by_hits: bool = False,
) -> Sequence[Phrase]:
    """Some of a site's phrases of a kind, in the order of the alphabet or those first that were
    found most often. Takes how many, a part of them that is sought, and the hits and the phrase of
    the one to begin behind."""
    found = select(Phrase).where(Phrase.site_id == site_id, Phrase.kind == kind)
    if sought:
        literal = re.sub(r"([\\%_])", r"\\\1", sought)
        found = found.where(Phrase.phrase.ilike(f"%{literal}%", escape="\\"))
    if after is not None:
        hits, phrase = after
        behind = Phrase.phrase > phrase
        fewer = or_(Phrase.hits < hits, and_(Phrase.hits == hits, behind))
        found = found.where(fewer if by_hits else behind)
    order = (Phrase.hits.desc(), Phrase.phrase) if by_hits else (Phrase.phrase,)
    return session.scalars(found.order_by(*order).limit(size)).all()


def number(session: Session, site_id: int, kind: PhraseKind | None = None) -> int:
    """How many phrases a site has, of one kind or of all."""
    counted = select(func.count()).where(Phrase.site_id == site_id)
    return session.scalar(counted.where(Phrase.kind == kind) if kind else counted) or 0


def hit(
    session: Session, site_id: int, verdict: Verdict, told: Set[tuple[str, ...]] = frozenset()
) -> None:
    """Counts the phrases that a verdict names. Takes the reasons that were told before, which are
    not counted again: each as rule, status, what it matched."""
    kinds = {rule: kind for kind, rule in RULE.items()}
    for fired in verdict.reasons:
        is_told = (fired.rule, fired.status.value, fired.matched) in told
        if fired.rule not in kinds or is_told:
            continue
        named = Phrase.phrase.in_(fired.matched.split(BETWEEN))
        mine = (Phrase.site_id == site_id, Phrase.kind == kinds[fired.rule], named)
        session.execute(update(Phrase).where(*mine).values(hits=Phrase.hits + 1))


def finders(session: Session, site: Site) -> Mapping[str, Finder]:
    """What finds a site's phrases, by the rules that they belong to. Compiled once in a process for
    each version of the site's screening."""
    place = session.get_bind().engine.url.render_as_string(), site.id
    return _READY.get(session, place, site.screening_version)


class _Ready:
    """The finders that a process keeps: those of the sites that were last asked about."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.kept: OrderedDict[tuple[str, int], tuple[int, int, Mapping[str, Finder]]]
        self.kept = OrderedDict()

    def get(self, session: Session, place: tuple[str, int], version: int) -> Mapping[str, Finder]:
        with self.lock:
            kept = self.kept.get(place)
            if kept and kept[0] == version:
                self.kept.move_to_end(place)
                return kept[2]
        rows = select(Phrase.kind, Phrase.phrase).where(Phrase.site_id == place[1])
        by_kind: dict[PhraseKind, list[str]] = {}
        for kind, phrase in session.execute(rows.order_by(Phrase.id)):
            by_kind.setdefault(kind, []).append(phrase)
        made = {RULE[kind]: Phrases(phrases) for kind, phrases in by_kind.items()}
        size = 1 + sum(map(len, by_kind.values()))
        with self.lock:
            self.kept[place] = version, size, made
            self.kept.move_to_end(place)
            while len(self.kept) > 1 and sum(kept[1] for kept in self.kept.values()) > MOST_KEPT:
                self.kept.popitem(last=False)
        return made


_READY = _Ready()


def _is_network(key: str) -> bool:
    """Whether a key is an IP address, or the first numbers of one."""
    if key.count(".") > 1 and key.replace(".", "").isdecimal():
        return True
    try:
        ipaddress.ip_network(key, strict=False)
    except ValueError:
        return False
    return not key.isdecimal()


def _changed(session: Session, site_id: int) -> None:
    raised = update(Site).where(Site.id == site_id)
    session.execute(raised.values(screening_version=Site.screening_version + 1))


def explained(left_out: Iterable[tuple[str, int]]) -> str:
    """What was left out, in words, for the command line and the record."""
    return ", ".join(f"{number} {WHY[why]}" for why, number in left_out)


WHY = {
    "address": "with an email address",
    "network": "IP addresses",
    "nothing": "without a letter or sign",
    "short": "too short",
    "star": "with a * in the middle (it can stand at either end)",
    "long": f"longer than {LONGEST} characters",
    "spelling": "that only spell with look-alikes or accents what would then be found everywhere",
}
