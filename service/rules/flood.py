"""Rules against too much at once. Each holds, and none refuses: a flood may be a good debate."""

from .rule import Case, Number, Rule


def _number(case: Case, so_many: int) -> str | None:
    """How many may come within the time, where this one is too many. Nobody counts on."""
    return str(case.numbers["most"]) if so_many >= case.numbers["most"] else None


def flood_address(case: Case) -> str | None:
    return _number(case, case.history.from_address)


def flood_network(case: Case) -> str | None:
    return _number(case, case.history.from_network)


def flood_article(case: Case) -> str | None:
    return _number(case, case.history.under_article)


def _numbers(most: int) -> tuple[Number, ...]:
    return (
        Number("most", most, 1, 200, "Comments that may come within the time"),
        Number("minutes", 10, 1, 1_440, "The time, in minutes"),
    )


ADDRESS = Rule(
    "flood_address",
    flood_address,
    says="More came with this email address in a short time than the %(matched)s that may.",
    does="Holds what comes from one email address after %(most)s comments in %(minutes)s minutes.",
    numbers=_numbers(5),
    is_measure=True,
)
NETWORK = Rule(
    "flood_network",
    flood_network,
    says="More came from this network in a short time than the %(matched)s that may.",
    does="Holds what comes from one network after %(most)s comments in %(minutes)s minutes.",
    numbers=_numbers(10),
    is_measure=True,
)
ARTICLE = Rule(
    "flood_article",
    flood_article,
    says="More came under this article in a short time than the %(matched)s that may.",
    does="Holds what comes under one article after %(most)s comments in %(minutes)s minutes.",
    numbers=_numbers(30),
    weight=5,
    is_measure=True,
)
RULES = (ADDRESS, NETWORK, ARTICLE)
