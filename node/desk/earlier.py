"""两头受理: open cases of the same applicant and item, shown before anything is collected a second time."""

from node.cases import prints, views
from node.desk import show
from node.desk.frame import Desk
from node.materials import index
from node.pages import links
from node.pages.views.filing import Earlier

MOST = 5


def open_cases(desk: Desk, item: str, id_type: str, id_no: str) -> tuple[Earlier, ...]:
    """Open cases of this applicant and item, as far as this node can read them."""
    if not id_no.strip():
        return ()
    node = desk.node
    numbers = node.read(prints.marked, item, index.mark(node.know, id_type, id_no))
    rows = [node.read(views.one, no) for no in numbers[:MOST]]
    return tuple(
        Earlier(
            no=row.no,
            state=show.state_tag(row),
            filed_on=row.filed_on,
            holder=show.place_name(node, row.holder),
            href=links.case(row.no),
        )
        for row in rows
    )
