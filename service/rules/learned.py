"""The rule about what the filter that learns makes of a comment."""

from ..status import Status
from .rule import Case, Number, Rule


def learned(case: Case) -> str | None:
    chance = case.history.chance
    if chance is None or 100 * chance < case.numbers["percent"]:
        return None
    return f"{int(100 * chance)} %"


RULES = (
    Rule(
        "learned",
        learned,
        says="The filter that learns from moderators takes it for spam (%(matched)s).",
        does="Marks as spam what the filter that learns is at least %(percent)s percent sure of.",
        numbers=(Number("percent", 95, 50, 100, "Percent from which on it is marked as spam"),),
        to=Status.SPAM,
        is_on=False,  # the filter orders and explains; it decides only where a site says so
        weight=0,  # its word counts in the risk by itself
        is_measure=True,
    ),
)
