"""What holds for every file that comments leave in: it is whole, or it is plain that it is not."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import database
from ..models import Author
from ..vault import Vault, WrongKey

# No format's reader takes this for a comment, and a person sees it. Some servers (granian among
# them) end an answer that broke off as if it were whole.
BROKEN_OFF = "\n<<< This export broke off here. It is not whole: take it once more. >>>\n"


def at_one_moment() -> Session:
    """A session for reading in which nothing changes until it ends. SQLite's are all so."""
    database.forget()
    session = database.session()
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    return session


def check_keys(session: Session, site_id: int, vault: Vault) -> None:
    """Raises WrongKey if an address of the site is under a key that is not on the ring."""
    used = select(Author.email_key_id).where(Author.site_id == site_id).distinct()
    for key_id in session.scalars(used):
        if not vault.has_key(key_id):
            raise WrongKey(key_id)


def marked(lines: Iterator[str]) -> Iterator[str]:
    """The lines; where a fault ends them, one that says so comes before the fault."""
    try:
        yield from lines
    except GeneratorExit:  # whoever took it has gone
        raise
    except BaseException:
        yield BROKEN_OFF
        raise
