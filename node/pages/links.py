"""The addresses of the pages: the routes, the templates and the tests read them from here."""

from urllib.parse import quote, urlencode

HOME = "/"
LOGIN = "/login"
LOGOUT = "/logout"
PASSWORD = "/password"  # noqa: S105 - an address, not a password
FILE = "/file"
CASES = "/cases"
HANDOVERS = "/handovers"
CATALOGUE = "/catalogue"
HOLDERS = "/catalogue/holders"
LINE = "/line"
PARCELS = "/line/parcels"
RELEASE = "/line/release"
BOARD = "/board"
SUMS = "/sums"
EVIDENCE = "/evidence"
USERS = "/users"
AUDIT = "/audit"
AUTHORISATIONS = "/authorisations"
PROPOSALS = "/proposals"
SEALS = "/seals"
PROJECTS = "/projects"
POSTS = "/posts"


def case(no: str) -> str:
    """The page of one case."""
    return f"{CASES}/{quote(no)}"


def act(no: str, key: str) -> str:
    """Where an action on a case is posted."""
    return f"{CASES}/{quote(no)}/{quote(key)}"


def slip(no: str) -> str:
    """The filed page of a case, with its slip."""
    return f"{CASES}/{quote(no)}/slip"


def evidence(no: str) -> str:
    """The evidence page of one case."""
    return f"{CASES}/{quote(no)}/evidence"


def evidence_file(no: str) -> str:
    """The evidence file of one case."""
    return f"{evidence(no)}/file"


def parcels(place: str) -> str:
    """The file to be carried to one place."""
    return f"{PARCELS}/{quote(place)}"


def user(login: str) -> str:
    """The page of one user."""
    return f"{USERS}/{quote(login)}"


def seal(id: str) -> str:  # noqa: A002
    """The page of one seal."""
    return f"{SEALS}/{quote(id)}"


def project(number: str) -> str:
    """The page of one investment project."""
    return f"{PROJECTS}/{quote(number, safe='')}"


def item(key: str) -> str:
    """The page of one item."""
    return f"{CATALOGUE}/{quote(key)}"


def file(key: str) -> str:
    """The wizard with an item already chosen."""
    return f"{FILE}?{urlencode({'item': key})}"


def query(path: str, **pairs: str) -> str:
    """`path` with the non-empty pairs as its query."""
    kept = {name: value for name, value in pairs.items() if value}
    return f"{path}?{urlencode(kept)}" if kept else path
