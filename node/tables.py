"""All tables of a node, in one place for `node.schema`.

One rule: a table that is not named here does not exist; after a change here, `make migration MSG=…`.
"""

from node import audit
from node.accounts.model import ApiToken, LoginAttempts, LoginSession, User
from node.agency.model import ProjectCaseRow, ProjectRow
from node.audit import AuditEntry
from node.cases.model import CaseRow, DraftRow, FindingRow, PrintRow, RecountRow, SubmissionRow
from node.catalogue.model import DocumentRow
from node.documents.model import DocumentIssueRow
from node.exchange.model import (
    CertificateRow,
    ChannelRow,
    EventRow,
    MetaRow,
    OutboxRow,
    PeerRow,
    QuarantineRow,
    StatementRow,
)
from node.fees.model import BankLineRow, BillRow, FeeSaidRow
from node.figures.model import DailyReportRow, DayPlaceRow, MonthItemRow, MonthTierRow
from node.joint.model import JointRow, PartRow, SaidRow
from node.materials.model import BlobRow, CaseFileRow, NotedCaseRow, SentFileRow, UploadRow, WantedRow
from node.posts.model import LeaveRow, PostRow
from node.powers.model import AuthorisationRow, CustodyRow, SealRow, SealUseRow
from node.proposals import ProposalRow

TABLES = (
    *(User, LoginSession, LoginAttempts, ApiToken, AuditEntry),
    *(MetaRow, EventRow, StatementRow, CertificateRow, PeerRow, OutboxRow, ChannelRow, QuarantineRow),
    *(DocumentRow, CaseRow, SubmissionRow, DraftRow),
    *(UploadRow, WantedRow, BlobRow, CaseFileRow, NotedCaseRow, SentFileRow),
    *(RecountRow, FindingRow, PrintRow, ProposalRow),
    *(AuthorisationRow, SealRow, CustodyRow, SealUseRow),
    DocumentIssueRow,
    *(FeeSaidRow, BillRow, BankLineRow),
    *(ProjectRow, ProjectCaseRow),
    *(PostRow, LeaveRow),
    *(JointRow, PartRow, SaidRow),
    *(DayPlaceRow, MonthItemRow, MonthTierRow, DailyReportRow),
)

STATEMENTS: dict[str, tuple[str, ...]] = audit.APPEND_ONLY
"""What tables alone cannot say, by dialect: run after they are made, and frozen in a migration too."""
