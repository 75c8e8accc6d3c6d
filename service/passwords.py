"""What a password may be: long enough, and not among the first that anybody would try.

NIST SP 800-63B-4, 3.1.1.2: a length, a list of the commonest, nothing about kinds of characters.
"""

import unicodedata
from collections.abc import Iterable

LEAST = 8  # characters
MOST = 512  # of which a hash can be made in no time
# The commonest of eight characters and more, in lists of what was stolen (NordPass, SecLists),
# without digits at their end, which `_bare` takes away.
_COMMON = """
    password passw0rd password! p@ssword p@ssw0rd pa$$word qwertyui qwertyuiop qwerty qwertz qwertzuiop
    azerty azertyuiop asdfghjk asdfghjkl zxcvbnm yxcvbnm letmein welcome welcome! iloveyou iloveyou!
    sunshine princess football baseball basketball superman batman starwars trustno master monkey dragon
    michael michelle jennifer jordan charlie computer internet corvette mustang whatever samantha
    danielle elizabeth alexander victoria jonathan nicholas benjamin stephanie chocolate butterfly
    liverpool arsenal chelsea barcelona pokemon minecraft fuckyou changeme administrator admin
    administrador moderator publisher rejoinder comment comments secret default temporary testtest test
    passwort hallo hallowelt schalke willkommen motdepasse bonjour doudou soleil contraseña
    contrasena senha mudar parola wachtwoord geheim qazwsx qazwsxedc zaq!xsw abcd abcdefg
    abcdefgh abcdefghi google facebook linkedin adobe photoshop microsoft samsung blink naruto
    freedom matthew pakistan india bismillah lovely babygirl family forever friends hannah purple
    summer winter spring autumn monday friday january february september october november december
"""
COMMONEST = frozenset(_COMMON.split())
ROWS = (
    "01234567890",
    "09876543210",
    "qwertyuiop",
    "asdfghjkl",
    "1q2w3e4r5t6y7u8i",
    "abcdefghijklm",
)


def normal(typed: str) -> str:
    """The one spelling that is hashed: keyboards make accents in more ways than one."""
    return unicodedata.normalize("NFKD", typed)


def fault(typed: str, about: Iterable[str] = ()) -> str:
    """What is wrong with a new password, as the key of a sentence; "" if nothing is.

    Takes words about its owner, such as the address and the name, which anybody would try.
    """
    if len(typed) < LEAST:
        return "short"
    if len(typed) > MOST:
        return "long"
    folded = typed.casefold()
    if len(set(folded)) < 3 or _bare(folded) in COMMONEST | {""} or _is_in_a_row(folded):
        return "common"
    words = {part for said in about for part in _parts(said.casefold())}
    return "yours" if _bare(folded) in words or folded in words else ""


def _bare(folded: str) -> str:
    return folded.strip("0123456789!?.-_*#$ ")


def _is_in_a_row(folded: str) -> bool:
    return any(folded in row * 2 for row in ROWS)


def _parts(said: str) -> set[str]:
    """An address or name whole, and what it consists of."""
    local, _, domain = said.partition("@")
    pieces = {said, said.replace(" ", ""), local, domain, domain.partition(".")[0], *said.split()}
    return {piece for piece in pieces if len(piece) > 2}
