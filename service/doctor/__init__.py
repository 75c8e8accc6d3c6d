"""What is right about the comments on a publisher's page, and what is to be mended, in plain words.

`visit` fetches the page, from the site's own origins only; `examine` says what it means. Of the page
nothing is shown, and nothing is kept.
"""

from .examining import examine
from .findings import Finding, State
from .visiting import Lost, Visit, visit

__all__ = ["Finding", "Lost", "State", "Visit", "examine", "visit"]
