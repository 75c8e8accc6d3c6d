"""The queue: the lists of the desk, a page at a time."""

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_security import current_user

from .. import database, desk
from ..status import Status
from .desk import REPORTED, TABS, bp, status_or_404, vault


@bp.get("/")
def queue() -> ResponseReturnValue:
    status = request.args.get("status", Status.PENDING)
    site = request.args.get("site", "")
    session = database.session()
    sites = desk.sites(session, current_user)
    if site and site not in {known.key for known in sites}:
        abort(404)
    after = request.args.get("after", "")
    if status == REPORTED:
        page = desk.reported(session, vault(), current_user, site, after)
    else:
        page = desk.queue(session, vault(), current_user, status_or_404(status), site, after)
    return render_template(
        "desk/queue.html",
        queue=page,
        status=status,
        site=site,
        sites=sites,
        statuses=TABS,
        counts={
            **desk.counts(session, current_user, site),
            REPORTED: desk.count_reported(session, current_user, site),
        },
        last=desk.last_decisions(session, current_user),
        newest=None if page.cards else desk.newest(session, current_user, site),
    )
