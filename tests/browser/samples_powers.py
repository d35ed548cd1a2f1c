"""Sample view models of the pages of powers, posts, projects, money, joint handling and the ledger. Names are invented."""

from dataclasses import replace
from datetime import date

from node.agency.ledger import COLUMNS, Ledger
from node.agency.pages import LedgerView
from node.documents.kinds import Content
from node.documents.pages import DocumentView
from node.fees.actions import Report
from node.fees.bank import Fault
from node.fees.pages import BillLine, FeesView
from node.pages import links
from node.pages.views.cases import Action, Filters
from node.pages.views.common import Choice, Fact, Field, FormView, Limit, Tab, Tag, Tone
from node.pages.views.joint import (
    BatchLine,
    JointDeskView,
    JointPartView,
    LedLine,
    PartLine,
    Remark,
    TallyLine,
)
from node.pages.views.posts import LeaveLine, PostLine, PostsView
from node.pages.views.powers import (
    AuthorisationLine,
    AuthorisationsView,
    CustodyLine,
    GrantView,
    ProposalLine,
    ProposalsView,
    SealLine,
    SealsView,
    SealView,
    StampingView,
    UseLine,
)
from node.pages.views.projects import ProjectLine, ProjectsView, ProjectView
from node.pages.views.stands import StandLine
from tests.browser import samples as s

LUO, ZHANG, LI = "罗建平（S101-03）", "张蕾（S101-01）", "李敏（S101-02）"
FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
PEOPLE = (
    Choice(value="S101-01", label="张蕾　经办人"),
    Choice(value="S101-02", label="李敏　审核人"),
    Choice(value="S101-03", label="罗建平　首席代表、中心主任"),
)
ITEMS = (
    Field(
        name="items", label="民政局", kind="checks", required=True,
        choices=(Choice(value="SZS-001", label="最低生活保障对象审核确认"), Choice(value="SZS-004", label="高龄津贴申领(80周岁以上)")),
    ),
    Field(
        name="items", label="自然资源局", kind="checks", required=True,
        choices=(Choice(value="SZS-052", label="农村村民宅基地(建房)审批"),),
    ),
)  # fmt: skip


def day(name: str, label: str, value: str) -> Field:
    return Field(name=name, label=label, kind="date", value=value, required=True, half=True)


def person(name: str, label: str, **more: object) -> Field:
    return Field(name=name, label=label, required=True, suggest=PEOPLE, **more)  # type: ignore[arg-type]


def substitution(name: str, **more: object) -> Action:
    return Action(
        key=f"substitute-{name}", label="临时代理", action="/act/substitute",
        fields=(person("person", "由谁代理（工号）"), day("since", "自", "2025-03-17"), day("until", "至", "")),
        hint="代理人在期间内享有同样的授权，期间须在 2025-01-01 至 2025-12-31 之内；须另一人批准。", **more,
    )  # type: ignore[arg-type]  # fmt: skip


def revocation(name: str) -> Action:
    return Action(
        key=f"revoke-{name}", label="撤销", action="/act/revoke", rank="danger",
        fields=(Field(name="why", label="撤销的理由", required=True),),
        hint="撤销不能恢复；今天已据此作出决定的，自明日起失效，已作的决定不变。",
    )  # fmt: skip


GRANT = GrantView(
    form=FormView(
        action=links.AUTHORISATIONS,
        fields=(
            Field(name="place", label="单位", kind="select", value=s.TOWN.code, required=True, half=True,
                  choices=(Choice(value=s.TOWN.code, label="黄渠桥镇"), Choice(value=s.VILLAGE.code, label="侯家梁村"))),
            person("person", "被授权人工号", half=True, value="S101-09", error="本单位没有工号 S101-09，请填写在岗人员的工号"),
            Field(name="powers", label="可以作出", kind="checks", value="决定,延期", required=True,
                  choices=tuple(Choice(value=one, label=one) for one in ("决定", "延期", "作废", "减免"))),
            Field(name="rank", label="审批权限", kind="radio", value="窗口", required=True,
                  choices=tuple(Choice(value=one, label=one) for one in ("窗口", "分管领导", "集体讨论"))),
            day("since", "自", "2025-03-17"),
            day("until", "至", "2025-12-31"),
            Field(name="why", label="事由", hint="如首席代表授权书的文号"),
        ),
        submit="提交，待另一人批准",
    ),
    scope=Field(name="scope", label="事项范围", kind="radio", value="some", required=True,
                choices=(Choice(value="all", label="全部事项"), Choice(value="some", label="下面勾选的事项"))),
    groups=ITEMS,
    ticked=frozenset(("SZS-004",)),
)  # fmt: skip

AUTHORISATIONS = AuthorisationsView(
    tabs=(
        Tab(label="本单位现行", href="?tab=now", count=4, current=True),
        Tab(label="其他单位现行", href="?tab=below", count=13),
        Tab(label="已失效", href="?tab=over", count=2),
    ),
    filters=Filters(action=links.AUTHORISATIONS, fields=(Field(name="q", label="姓名、工号、单位或授权编号", kind="search"),)),
    rows=(
        AuthorisationLine(
            id="SQ640221101000-20250102-001", person=LUO, place="黄渠桥镇", state=Tag(text="生效中", tone=Tone.GOOD),
            items=("全部事项",), powers="决定、延期、作废、减免 · 分管领导", since=FIRST, until=LAST,
            approvers=f"{ZHANG}、苏建国（S101-05）", note="平黄政发〔2025〕3号", actions=(substitution("1"), revocation("1")),
        ),
        AuthorisationLine(
            id="SQ640221101000-20250102-002", person=ZHANG, place="黄渠桥镇", state=Tag(text="14 天后到期", tone=Tone.WARN),
            items=("最低生活保障对象审核确认", "特困人员认定", "临时救助对象认定与给付", "高龄津贴申领(80周岁以上)"),
            powers="决定 · 窗口", since=FIRST, until=date(2025, 3, 31), approvers=f"{LI}、{LUO}",
            actions=(substitution("2", open=True), revocation("2")),
        ),
        AuthorisationLine(
            id="SQ640221101000-20250314-007", person=LI, place="黄渠桥镇", state=Tag(text="临时代理", tone=Tone.CALM),
            items=("最低生活保障对象审核确认",), powers="决定 · 窗口", since=date(2025, 3, 14), until=date(2025, 3, 21),
            approvers=f"{ZHANG}、{LUO}", note=f"代 {LUO}", actions=(revocation("3"),),
        ),
        AuthorisationLine(
            id="SQ640221101000-20250102-004", person="马晓东（S101-04）", place="黄渠桥镇",
            state=Tag(text="自 3月18日 起撤销", tone=Tone.WARN), items=("农村村民宅基地(建房)审批",), powers="决定 · 集体讨论",
            since=FIRST, until=LAST, approvers=f"{ZHANG}、{LUO}", note="撤销：调离",
        ),
    ),
    grant=GRANT,
)  # fmt: skip
AUTHORISATIONS_OPEN = replace(AUTHORISATIONS, open=True)
AUTHORISATIONS_NONE = replace(AUTHORISATIONS, rows=(), grant=None)

APPROVE = Action(
    key="approve-1", label="批准", action="/act/a", rank="main", confirm="以第二人身份批准，确定吗？"
)
REFUSE = Action(
    key="refuse-1",
    label="不批准",
    action="/act/r",
    fields=(Field(name="why", label="不批准的理由", required=True),),
)
PROPOSALS = ProposalsView(
    tabs=(
        Tab(label="待批", href="?tab=todo", count=3, current=True),
        Tab(label="我提出的", href="?tab=mine", count=1),
        Tab(label="已答复", href="?tab=over"),
    ),
    rows=(
        ProposalLine(
            id="1", name="延期", by=ZHANG, at=s.ago(hours=2), state=Tag(text="待批", tone=Tone.WARN), case=s.no("20250303", 1),
            facts=(Fact(label="延期", value="5 个工作日"), Fact(label="理由", value="邻宗地权属须到县档案馆核对")),
            actions=(APPROVE, replace(REFUSE, open=True)),
        ),
        ProposalLine(
            id="2", name="授权", by=LUO, at=s.ago(days=1), state=Tag(text="待批", tone=Tone.WARN),
            facts=(Fact(label="被授权人", value=LI), Fact(label="事项", value="全部事项"), Fact(label="权限", value="决定（窗口）"),
                   Fact(label="期间", value="2025年3月17日 至 2025年12月31日")),
            refusal="您本人提出的，须由另一人批准", actions=(replace(REFUSE, key="refuse-2", label="撤回"),),
        ),
        ProposalLine(
            id="3", name="印章交接", by=ZHANG, at=s.ago(days=1), state=Tag(text="未批准", tone=Tone.ALARM),
            facts=(Fact(label="印章", value="平罗县黄渠桥镇受理专用章"), Fact(label="接管人", value=LI)),
            closed=LI, closed_at=s.ago(hours=3), why="下周起到村里蹲点，不能接管",
        ),
    ),
    empty="没有等待您或他人批准的申请",
)  # fmt: skip
PROPOSALS_NONE = replace(PROPOSALS, rows=())

SEAL = SealLine(
    id="YZ640221101000-002", kind="受理专用章", name="平罗县黄渠桥镇受理专用章", version=2, keeper=ZHANG, since=date(2025, 3, 3),
    state=Tag(text="在用", tone=Tone.GOOD), href="/seals/YZ640221101000-002", uses=41, last_used=s.ago(minutes=20),
)  # fmt: skip
OLD_SEAL = replace(
    SEAL,
    id="YZ640221101000-001",
    version=1,
    state=Tag(text="2025-03-03 停用"),
    uses=0,
    last_used=None,
    keeper=LUO,
)
SEALS = SealsView(
    rows=(SEAL, OLD_SEAL),
    form=FormView(
        action=links.SEALS, submit="登记印章",
        fields=(
            Field(name="kind", label="种类", kind="select", required=True, half=True, choices=(Choice(value="受理专用章", label="受理专用章"),)),
            person("keeper", "保管人工号", half=True),
            Field(name="name", label="印章名称", required=True, hint="照印模填写；与在用印章同名的，登记为新一版，旧版停用"),
        ),
    ),
    open=True,
)  # fmt: skip
SEALS_NONE = SealsView(rows=())
USES = (
    UseLine(
        at=s.ago(minutes=20),
        no=s.no("20250303", 1),
        document="受理通知书 平黄受字〔2025〕00012号",
        copies=2,
        person=ZHANG,
    ),
    UseLine(
        at=s.ago(days=1), no=s.no("20250303", 2, "3"), document="准予行政许可决定书", copies=1, person=ZHANG,
        refused="尚未作出决定，不能使用审批专用章",
    ),
)  # fmt: skip
USE = Action(
    key="use-2", label="登记用章", action="/act/use", rank="main", hint="印章由保管人本人加盖；不合规定的用章也会登记并报监督。",
    fields=(
        Field(name="no", label="办件编号", required=True, number=True),
        Field(name="document", label="文书名称（文号）", required=True),
        Field(name="copies", label="份数", value="1", required=True, inputmode="numeric"),
    ),
)  # fmt: skip
HAND = Action(
    key="hand-over-2",
    label="交接保管",
    action="/act/hand",
    fields=(person("taker", "接管人工号"), Field(name="why", label="事由")),
)
SEAL_PAGE = SealView(
    seal=SEAL,
    uses=USES,
    custody=(
        CustodyLine(at=s.ago(days=14), giver=LUO, taker=ZHANG, witness=LI, why="轮岗"),
        CustodyLine(at=s.ago(days=70), giver="", taker=LUO, witness="苏建国（S101-05）", why="启用"),
    ),
    actions=(USE, HAND),
    waiting=f"交给 {LI}，待其本人在“待批”中确认",
)
SEAL_UNUSED = replace(
    SEAL_PAGE, uses=(), actions=(), waiting="", nothing="用章由保管人登记，交接由保管人或中心主任提出。"
)

DOCUMENT = DocumentView(
    id="D02", name="受理通知书", number="平黄受字〔2025〕00012号", no=s.no("20250303", 1),
    organ="黄渠桥镇便民服务中心", ours=True,
    content=Content(
        to="杨文斌", paragraphs=("你申请的“农村村民宅基地(建房)审批”，材料齐全、符合法定形式，依据行政许可法第三十二条，决定予以受理。",),
        facts=(("受理日期", "2025年3月4日"), ("承诺办结日", "2025年3月25日")), signature="申请人（代办人）签名",
    ),
    made_on=date(2025, 3, 4), officer="S101-01", lookup="523299", prints=2, fresh=False,
    print_href="/act/print", pdf=True,
    stamping=StampingView(
        uses=USES[:1], actions=(replace(USE, label="登记用章：平罗县黄渠桥镇受理专用章", fields=USE.fields[2:]),)
    ),
)  # fmt: skip

DOCUMENT_FRESH = replace(DOCUMENT, prints=1, fresh=True, officer="张蕾（S101-01）")

PROJECT = ProjectLine(
    number="2025-640221-13-01-583201", name="平罗县黄渠桥羊肉预制菜加工厂建设项目", investor="宁夏黄渠桥食品有限公司", person=ZHANG,
    green=True, since=date(2025, 2, 10), state=Tag(text="在办", tone=Tone.CALM), words="办结 1 / 3 件", href="/projects/1",
)  # fmt: skip
PROJECTS = ProjectsView(
    tabs=(
        Tab(label="在办", href="?tab=open", count=2, current=True),
        Tab(label="已办结", href="?tab=over", count=5),
    ),
    rows=(
        PROJECT,
        replace(PROJECT, name="渠口村日光温室续建", green=False, words="还没有办件", href="/projects/2"),
    ),
    form=FormView(
        action=links.PROJECTS, submit="登记项目",
        fields=(
            Field(name="name", label="项目名称", required=True, error="请填写项目名称"),
            Field(name="number", label="项目编号", required=True, half=True, number=True, hint="项目代码，登记后不能改"),
            Field(name="investor", label="投资者", required=True, half=True),
            person("person", "代办专人工号", half=True),
            Field(name="green", label="走绿色通道", kind="checkbox", value="yes"),
        ),
    ),
    open=True,
)  # fmt: skip
PROJECTS_NONE = replace(PROJECTS, rows=(), form=None)
PROJECT_PAGE = ProjectView(
    project=PROJECT,
    rows=tuple(replace(row, marks=("绿色通道", "上门"), officer=ZHANG) for row in s.ROWS[:3]),
    actions=(
        Action(
            key="case",
            label="归入办件",
            action="/act/case",
            rank="main",
            fields=(Field(name="no", label="办件编号", required=True, number=True),),
        ),
        Action(
            key="person",
            label="换专人",
            action="/act/person",
            fields=(person("person", "新的代办专人工号"),),
        ),
        Action(
            key="close",
            label="办结项目",
            action="/act/close",
            confirm="项目的全程代办到此结束，确定吗？",
            error="项目还有 2 件办件未办结",
            open=True,
        ),
    ),
)
PROJECT_EMPTY = replace(PROJECT_PAGE, rows=(), actions=(), closed_on=date(2025, 3, 14))

STANDS = (
    StandLine(name="民政救助窗口", person=ZHANG, state=Tag(text="A角在岗", tone=Tone.GOOD), mine=True, href="/cases?post=1"),
    StandLine(
        name="社会保障窗口", person=ZHANG, state=Tag(text="B角顶岗", tone=Tone.CALM), mine=True, href="/cases?post=2",
        note=f"A角 {LI} 离岗至 3月20日",
    ),
    StandLine(
        name="综合窗口", person="", state=Tag(text="无人在岗", tone=Tone.ALARM), href="/cases?post=3",
        note=f"A角 {LUO} 离岗至 3月18日，B角 马晓东（S101-04） 也不在岗",
    ),
)  # fmt: skip
CHANGE = (
    Action(
        key="change-1", label="调整", action="/act/change", open=True,
        fields=(person("a", "A角工号", value="S101-01", half=True), person("b", "B角工号", value="S101-01", half=True, error="A角和B角须是两个人"),
                day("until", "至", "2025-12-31")),
    ),
    Action(key="end-1", label="撤销岗位", action="/act/end", rank="danger", confirm="撤销“民政救助窗口”，确定吗？"),
)  # fmt: skip
POSTS = PostsView(
    posts=(
        PostLine(stand=STANDS[0], a=ZHANG, b=LI, since=FIRST, until=LAST, actions=CHANGE,
                 items=("最低生活保障对象审核确认", "特困人员认定", "临时救助对象认定与给付", "高龄津贴申领(80周岁以上)")),
        PostLine(stand=STANDS[1], a=LI, b=ZHANG, since=FIRST, until=LAST, items=("城乡居民基本养老保险参保登记",)),
        PostLine(stand=STANDS[2], a=LUO, b="马晓东（S101-04）", since=FIRST, until=LAST, items=("其余全部事项",)),
    ),
    leaves=(
        LeaveLine(person=LI, since=date(2025, 3, 17), until=date(2025, 3, 20), why="县里培训", now=True, back_action="/act/back"),
        LeaveLine(person="马晓东（S101-04）", since=date(2025, 3, 24), until=date(2025, 3, 28), why="", now=False),
    ),
    leave_form=FormView(
        action="/act/leave", submit="登记离岗",
        fields=(person("person", "离岗人员工号", value="S101-01"), day("since", "自", "2025-03-17"), day("until", "至", "2025-03-17"),
                Field(name="why", label="事由", hint="如请假、培训、下村")),
    ),
    form=FormView(
        action=links.POSTS, submit="设置岗位",
        fields=(Field(name="name", label="岗位名称", required=True), person("a", "A角工号", half=True), person("b", "B角工号", half=True),
                day("since", "自", "2025-03-17"), day("until", "至", "2025-12-31")),
    ),
    groups=ITEMS, ticked=frozenset(("SZS-052",)), wrong_items="“农村村民宅基地(建房)审批”在同一时间已由“综合窗口”负责", open="post",
)  # fmt: skip
POSTS_NONE = replace(POSTS, posts=(), leaves=(), form=None, open="")
HOME_POSTS = replace(s.HOME, posts=STANDS)

REFUND = Action(
    key="refund-12", label="申请作废", action="/act/refund", fields=(Field(name="why", label="理由", required=True),), hint="须另一人在“待批”中批准。",
)  # fmt: skip
BILL = BillLine(
    bill="JK640221101000-2025-00012", no=s.no("20250303", 1), name="不动产登记费", amount="550.00 元", reduced="",
    billed_on=date(2025, 3, 10), issuer=ZHANG, state=Tag(text="待缴", tone=Tone.WARN), actions=(REFUND,),
)  # fmt: skip
SETTLE = Action(key="settle-11", label="核销", action="/act/settle", rank="main")
FEES = FeesView(
    bills=(
        BILL,
        replace(
            BILL, bill="JK640221101000-2025-00011", name="农村不动产权证书工本费", amount="5.00 元", reduced="10.00 元", issuer=LI,
            state=Tag(text="已到账", tone=Tone.GOOD), actions=(SETTLE, replace(REFUND, key="refund-11", label="申请退费", open=True)),
        ),
        replace(BILL, bill="JK640221101000-2025-00009", amount="80.00 元", state=Tag(text="已退", tone=Tone.GOOD), actions=()),
    ),
    filters=Filters(
        action="/fees",
        fields=(
            Field(name="q", label="通知书或办件编号", kind="search"),
            Field(name="state", label="状态", kind="select", choices=(Choice(value="", label="全部状态"), Choice(value="待缴", label="待缴"))),
        ),
    ),
    import_action="/act/statement",
    columns="流水号、通知书编号、金额、到账日期、付款人",
    report=Report(taken=3, known=1, faults=(Fault(4, "金额 500.00 元与通知书应缴 550.00 元不符"),)),
)  # fmt: skip
FEES_NONE = replace(FEES, bills=(), report=None, error="对账单的编码既不是 UTF-8，也不是 GB 18030")

PART = PartLine(
    no=s.no("20250303", 1), item="农村村民宅基地(建房)审批", name="用地和规划审查", department="平罗县　自然资源局", lead="黄渠桥镇",
    limit=Limit.running(2, due=date(2025, 3, 19)), state=Tag(text="待答复"), href="/joint/1", person="",
)  # fmt: skip
JOINT = JointDeskView(
    department="自然资源局",
    tabs=(Tab(label="待答复", href="?box=todo", current=True), Tab(label="已答复", href="?box=done")),
    rows=(
        PART,
        replace(
            PART,
            name="河道管理范围核查",
            state=Tag(text="超时默许", tone=Tone.ALARM),
            limit=Limit.closed("逾期"),
        ),
    ),
    led=(
        LedLine(
            no=s.no("20250303", 1),
            item="农村村民宅基地(建房)审批",
            name="农村宅基地和建房联审",
            words="已答复 2 / 3 个环节",
            limit=Limit.running(6, due=date(2025, 3, 25)),
            href="/joint/2",
        ),
    ),
    tallies=(
        TallyLine(department="平罗县　自然资源局", due=20, on_time="95.00%", silent=1, absent=0),
        TallyLine(department="平罗县　水务局", due=0, on_time="无数据", silent=0, absent=0),
    ),
    batches=(BatchLine(name="2025 年度", bundle="集中联合年检", words="已结束 3 / 12 件"),),
    batch_form=FormView(
        action="/act/batch",
        submit="开启",
        fields=(Field(name="numbers", label="办件编号", kind="textarea", required=True, hint="一行一件"),),
    ),
    results=((s.no("20250303", 1), "已开启"),),
)
JOINT_NONE = JointDeskView(department="", tabs=JOINT.tabs, rows=())
JOINT_PART = JointPartView(
    no=s.no("20250303", 1), item="农村村民宅基地(建房)审批", title="用地和规划审查", line=PART,
    facts=(Fact(label="牵头", value="黄渠桥镇"), Fact(label="抄告", value="2025年3月12日")), personal=s.CASE.personal, papers=s.CASE.papers,
    parts=JOINT.rows, remarks=(Remark(place="黄渠桥镇", who="S101-03", what="约定联合踏勘", text="3月18日上午九时，村委会集合"),),
    actions=(
        Action(
            key="answer", label="答复", action="/act/answer", rank="main", open=True,
            fields=(
                Field(name="opinion", label="意见", kind="radio", required=True,
                      choices=tuple(Choice(value=one, label=one) for one in ("同意", "不同意", "同意但需转报"))),
                Field(name="reasons", label="理由", kind="textarea", hint="不同意的必填"),
            ),
        ),
    ),
)  # fmt: skip

LEDGER = LedgerView(
    ledger=Ledger(
        "侯家梁村便民服务站", date(2025, 3, 1), date(2025, 3, 17),
        [("1", s.no("20250303", 1), "2025-03-03", "杨**", "138****0000", "农村村民宅基地(建房)审批", "代办（上门）", "2025-12-31", "6", "不收费",
          "2025-03-03 报黄渠桥镇，2025-03-04 签收", "2025-03-04", "2025-03-25", "", "在办", "", "", "杨志强 D0203", "")],
        s.NOW, "杨志强",
    ),
    columns=COLUMNS,
    filters=Filters(action="/ledger", fields=(day("first", "自", "2025-03-01"), day("last", "至", "2025-03-17"))),
    export_href="/ledger.xlsx",
)  # fmt: skip
LEDGER_NONE = replace(LEDGER, ledger=replace(LEDGER.ledger, rows=[]))

DRAWN = {
    "authorisations": ("authorisations.html", AUTHORISATIONS),
    "authorisations-new": ("authorisations.html", AUTHORISATIONS_OPEN),
    "authorisations-none": ("authorisations.html", AUTHORISATIONS_NONE),
    "proposals": ("proposals.html", PROPOSALS),
    "proposals-none": ("proposals.html", PROPOSALS_NONE),
    "seals": ("seals.html", SEALS),
    "seals-none": ("seals.html", SEALS_NONE),
    "seal": ("seal.html", SEAL_PAGE),
    "seal-unused": ("seal.html", SEAL_UNUSED),
    "document": ("document.html", DOCUMENT),
    "document-fresh": ("document.html", DOCUMENT_FRESH),
    "projects": ("projects.html", PROJECTS),
    "projects-none": ("projects.html", PROJECTS_NONE),
    "project": ("project.html", PROJECT_PAGE),
    "project-empty": ("project.html", PROJECT_EMPTY),
    "posts": ("posts.html", POSTS),
    "posts-none": ("posts.html", POSTS_NONE),
    "home-posts": ("home.html", HOME_POSTS),
    "fees": ("fees.html", FEES),
    "fees-none": ("fees.html", FEES_NONE),
    "joint": ("joint.html", JOINT),
    "joint-none": ("joint.html", JOINT_NONE),
    "joint-part": ("joint_part.html", JOINT_PART),
    "ledger": ("ledger.html", LEDGER),
    "ledger-none": ("ledger.html", LEDGER_NONE),
}
"""Pages that a capability draws itself: name -> (template, view)."""
