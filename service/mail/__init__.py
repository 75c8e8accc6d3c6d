"""Sends letters: what each says, the mail that it becomes, the mail server, the order of the outbox.

Doors open the transactions (cli/mail.py); here is what is done inside and between them.
"""

from .contents import Contents
from .kinds import Recipient, compose, recipient_of
from .post import Post, lacks

__all__ = ["Contents", "Post", "Recipient", "compose", "lacks", "recipient_of"]
