"""What a mail server's refusal is about: the address, or us and the mail. Pure: no connection.

Only what says that an address takes no mail, ours or anybody's, is held against it. What may be
about our sender, the text or a policy says nothing of the kind, nor does a mailbox that is full.
"""

import re

# Enhanced status codes (RFC 3463, 3.2 to 3.5; the IANA registry that RFC 5248 set up).
OF_ADDRESS = {
    "1.1": "there is no such mailbox",
    "1.2": "there is no such domain",
    "1.3": "no address is written so",
    "1.4": "it fits more than one mailbox",
    "1.6": "the mailbox moved, and nobody knows where to",
    "1.10": "its domain takes no mail at all (RFC 7505)",
    "2.1": "the mailbox is switched off",
    "4.4": "no server is known for its domain",
}
# These say that something is wrong, and not what: what is told beside them counts.
VAGUE = ("0.0", "1.0", "2.0")
# Replies to RCPT without such a code: no such user, not here, no such name, a domain that takes no
# mail (RFC 5321, 3.3, 3.4 and 4.2.3; RFC 7504).
REPLIES = (550, 551, 553, 556)
# The same replies are given for reasons of policy (RFC 5321, 4.2.3), and then speak of it.
POLICY = re.compile(
    r"block|black\s?list|deny|denied|spam|spf|dkim|dmarc|polic|reputation|relay|rcpthosts|"
    r"rejected due|sender|authenticat|banned|\brate|too many|list(ed|ing)\b|rbl|content|virus|helo|"
    r"ehlo|reverse|ptr\b|not accepted from|from your|full|quota",
    re.IGNORECASE,
)
ENHANCED = re.compile(r"(?<![\d.])5\.(\d{1,3}\.\d{1,3})(?![\d.]*\d)")
REPLY = re.compile(r"(?<![\d.])(5\d\d)(?=[ -])")


def is_of_address(code: int, words: str) -> bool:
    """Whether a server that refused an address for good says that it takes no mail. Takes its
    reply to RCPT: the code, and the words, which may begin with an enhanced code."""
    if not 500 <= code < 600:
        return False
    if found := re.match(r"\s*([245])\.(\d{1,3}\.\d{1,3})\b", words):
        return found[1] == "5" and found[2] in OF_ADDRESS
    return code in REPLIES and not POLICY.search(words)


def tells_of_address(status: str, diagnostic: str) -> bool:
    """The same of a delivery report (RFC 3464, 2.3.4 and 2.3.6). Takes its Status, like "5.1.1",
    and the server's words that it quotes; these count where the status is vague or missing."""
    given = re.match(r"\s*([245])\.(\d{1,3}\.\d{1,3})\b", status)
    if given and given[1] != "5":
        return False
    if given and given[2] not in VAGUE:
        return given[2] in OF_ADDRESS
    if enhanced := ENHANCED.search(diagnostic):
        return enhanced[1] in OF_ADDRESS
    reply = REPLY.search(diagnostic)
    return bool(reply and is_of_address(int(reply[1]), diagnostic[reply.end() :]))
