"""The people of the letters to readers: who writes, answers, follows and decides."""

from datetime import timedelta

from cast import ARTICLE, add_moderator, add_site
from sqlalchemy import select, update

from service import accounts, comments, database, moderation, notices
from service.cli import mail as command
from service.models import Article, Comment, Decision, Follow, Letter, Site, now
from service.status import LetterState, Pace, Status

QUEUED = LetterState.QUEUED


class Town:
    """Rita wrote a comment; Fay follows its article; Mo moderates. Times stand still: what is due is
    made due."""

    def __init__(self, app, mailbox=None):
        self.app, self.mailbox = app, mailbox
        add_site(app)
        self.mo = add_moderator(app)
        with app.app_context(), database.writing() as session:
            session.get_one(accounts.Moderator, self.mo).letters = Pace.NONE
            site = session.scalars(select(Site)).one()
            article = Article(site_id=site.id, url=ARTICLE, title="A review", is_title_proved=True)
            session.add(article)
            session.flush()
            self.site, self.article = site.id, article.id

    def person(self, name):
        """Somebody who confirmed their address; their author's id."""
        with self.app.app_context(), database.writing() as session:
            hidden = self.app.extensions["vault"].hide(f"{name}@readers.example", self.site)
            author = comments.author_of(session, self.site, hidden)
            author.confirmed_at = now()
            return author.id

    def says(self, name, said="Hear, hear.", status=Status.PENDING, parent=None, **more):
        """A comment by somebody arrives; its id."""
        author_id = more.pop("author_id", None) or self.person(name.split()[0].lower())
        row = {"name": name, "text": said, "html": f"<p>{said}</p>", "renderer": 1}
        row |= {"is_proved": True, "language": "en"} | more
        with self.app.app_context(), database.writing() as session:
            above = session.get_one(Comment, parent) if parent else None
            root = (above.root_id or above.id) if above else None
            comment = Comment(
                site_id=self.site, article_id=self.article, author_id=author_id, status=status,
                parent_id=parent, root_id=root, **row,
            )  # fmt: skip
            session.add(comment)
            session.flush()
            notices.arrived(session, comment)
            return comment.id

    def follows(self, name, comment=None, is_confirmed=True, **more):
        author_id = self.person(name)
        at = now() - timedelta(days=1) if is_confirmed else None
        thing = {"comment_id": comment} if comment else {"article_id": self.article}
        with self.app.app_context(), database.writing() as session:
            follow = Follow(author_id=author_id, confirmed_at=at, **thing, **more)
            session.add(follow)
            session.flush()
            return follow.id

    def decides(self, comment_id, status=Status.APPROVED, public_note=""):
        with self.app.app_context(), database.writing() as session:
            comment = session.get_one(Comment, comment_id)
            mo = session.get_one(accounts.Moderator, self.mo)
            version = comment.version
            made = moderation.decide(session, comment, status, version, mo, "", public_note)
            return made.id

    def undoes(self, decision_id):
        with self.app.app_context(), database.writing() as session:
            mo = session.get_one(accounts.Moderator, self.mo)
            decision = session.get_one(Decision, decision_id)
            return moderation.undo(session, decision, mo).id

    def withdraws(self, comment_id):
        with self.app.app_context(), database.writing() as session:
            moderation.withdraw(session, session.get_one(Comment, comment_id))

    def do(self, *statements):
        with self.app.app_context(), database.writing() as session:
            for statement in statements:
                session.execute(statement)

    def set_letters(self, **columns):
        self.do(update(Letter).values(**columns))

    def work(self, turns=1):
        """What waits is due, and the worker comes by."""
        for _ in range(turns):
            due = update(Letter).where(Letter.state == QUEUED)
            self.do(due.values(due_at=now() - timedelta(seconds=1)))
            with self.app.app_context():
                command.send_letters()

    @property
    def letters(self):
        with self.app.app_context():
            found = database.session().scalars(select(Letter).order_by(Letter.id)).all()
            database.session().expunge_all()
            return found

    @property
    def told(self):
        """What the letters are and what became of them."""
        return [(letter.kind, letter.state, letter.why) for letter in self.letters]

    @property
    def mails(self):
        return self.mailbox.mails
