"""Rules about the words of a comment."""

from .rule import Case, Number, Rule


def address_in_text(case: Case) -> str | None:
    """Holds, and names no address: reasons never hold one (hard rule 4)."""
    return "" if case.draft.addresses else None


def many_links(case: Case) -> str | None:
    return str(case.draft.links) if case.draft.links > case.numbers["most"] else None


def repeated(case: Case) -> str | None:
    """The same words from elsewhere are stored, but a moderator is told."""
    return f"{case.history.repeats}×" if case.history.repeats else None


RULES = (
    Rule(
        "many_links",
        many_links,
        says="Links in it: %(matched)s.",
        does="Holds a comment with more links than %(most)s.",
        numbers=(Number("most", 2, 0, 100, "Links that a comment may have"),),
        weight=30,
        is_measure=True,
    ),
    Rule(
        "address_in_text",
        address_in_text,
        says="An e-mail address stands in the text or the website; publishing would show it.",
        does="Holds a comment that would publish an e-mail address.",
        is_fixed=True,
        weight=10,
    ),
    Rule(
        "repeated",
        repeated,
        says="The same words were posted before (%(matched)s).",
        does="Holds the same words once more.",
        weight=40,
        is_measure=True,
    ),
)
