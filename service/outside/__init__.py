"""Services outside that a site may have asked about new comments: Akismet, and one of its own.

Both are off unless the site says otherwise. They are asked before any transaction; what fails
holds the comment and never publishes or loses one.
"""

from .asking import Question, ask
from .choice import Choice, of
from .question import made_up

__all__ = ["Choice", "Question", "ask", "made_up", "of"]
