"""Who wants letters about new comments, who is asked whether an address is theirs, and how it ends.

Nothing but that one question is ever sent to an address that has not confirmed (hard rule 6).
"""

from .asking import ASKED, AT_MOST_OF_NETWORK, AT_MOST_OF_SITE, may_be_asked
from .confirming import Confirmed, confirm, find
from .ending import allow, end, end_all, is_unwanted, refuse
from .standing import Followed, author_of, of_author, set_pace, start
from .wishes import PACES, Wish, add

__all__ = [
    "ASKED",
    "AT_MOST_OF_NETWORK",
    "AT_MOST_OF_SITE",
    "PACES",
    "Confirmed",
    "Followed",
    "Wish",
    "add",
    "allow",
    "author_of",
    "confirm",
    "end",
    "end_all",
    "find",
    "is_unwanted",
    "may_be_asked",
    "of_author",
    "refuse",
    "set_pace",
    "start",
]
