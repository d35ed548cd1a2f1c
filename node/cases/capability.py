"""Cases as a capability of every tier."""

from node.capability import Capability
from node.cases import apply, deadlines, duties, submissions
from node.cases.acts import ACTS
from node.cases.course_acts import COURSE_ACTS
from node.cases.routes import router
from node.cases.seconds import SECONDS
from node.work import Work


def after_edition(work: Work) -> None:
    """A newer catalogue may free lanes that waited for it, and may give cases to others."""
    apply.revive(work)
    duties.reconsider(work)
    deadlines.recount(work)


CASES = Capability(
    name="cases",
    handlers=apply.HANDLERS,
    routers=(router,),
    acts=(*ACTS, *COURSE_ACTS),
    on_edition=after_edition,
    loops=(deadlines.run,),
    seconds=SECONDS,
    follows={"case.taken": duties.taken, **dict.fromkeys(submissions.FOLLOWS, submissions.moved)},
)
