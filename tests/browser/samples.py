"""Sample view models of every page in every state it has. Names and numbers are invented; places are real."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from node.pages import links
from node.pages.page import Certificate, Covering, Desk, Line, NavLink, Notice, Page
from node.pages.render import Pages
from node.pages.views import (
    Act,
    Action,
    AuditRow,
    AuditView,
    Board,
    CasePeek,
    CaseRow,
    CaseView,
    CatalogueView,
    Checked,
    ChildRow,
    Choice,
    CityBoard,
    Cursor,
    Declared,
    DeclaredRow,
    Document,
    Earlier,
    ErrorView,
    EvidenceView,
    Fact,
    Field,
    FilingView,
    Filters,
    FormView,
    HandoverRow,
    HandoverView,
    HolderRow,
    HoldersView,
    HomeCount,
    HomeView,
    ItemCard,
    ItemSum,
    ItemView,
    Kpi,
    Light,
    Limit,
    LineState,
    LineView,
    LoginView,
    Material,
    MaterialNeed,
    Month,
    OpenMatter,
    Papers,
    PasswordView,
    PersonalField,
    Progress,
    Proof,
    Quarantined,
    QueueView,
    Reach,
    ReceiptView,
    Stage,
    Step,
    Stop,
    StopState,
    Tab,
    Tag,
    TierSum,
    Tone,
    UserRow,
    UsersView,
    WizardStep,
)
from node.pages.words import case_tail
from protocol.places import Code, Place, Tier

NOW = datetime(2025, 3, 17, 5, 42, tzinfo=UTC)
"""Monday 17 March 2025, 13:42 in Shizuishan."""

CITY = Place(Code("640200000000"), "石嘴山市", Tier.CITY, None)
COUNTY = Place(Code("640221000000"), "平罗县", Tier.COUNTY, CITY.code)
TOWN = Place(Code("640221101000"), "黄渠桥镇", Tier.TOWNSHIP, COUNTY.code)
VILLAGE = Place(Code("640221101203"), "侯家梁村", Tier.VILLAGE, TOWN.code)

CERT = "3f9a12b07c55d2e1884bb1a0f6d3290c5f1e77aa0b64c9d85e2f10b3a7d6c417"


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def village(pages: Pages, path: str = "/", **changes: object) -> Page:
    page = Page(
        pages=pages,
        place=VILLAGE,
        centre="侯家梁村便民服务站",
        now=NOW,
        desk=Desk(name="杨志强", role="代办员", staff_no="D0203"),
        nav=(
            NavLink(label="待办", href=links.HOME, icon="home"),
            NavLink(label="帮办申报", href=links.FILE, icon="new"),
            NavLink(label="办件", href=links.CASES, icon="list", count=7),
            NavLink(label="事项目录", href=links.CATALOGUE, icon="book"),
            NavLink(label="节点与线路", href=links.LINE, icon="line", count=1),
            NavLink(label="证据核验", href=links.EVIDENCE, icon="proof"),
        ),
        path=path,
        line=Line(peer="平罗县", connected=True),
        edition="第 12 版",
        certificate=Certificate(sha256=CERT, until=date(2026, 11, 20)),
        csrf="sample-token",
    )
    return replace(page, **changes)


def township(pages: Pages, path: str = links.CASES, **changes: object) -> Page:
    page = village(pages, path)
    page = replace(
        page,
        place=TOWN,
        centre="黄渠桥镇便民服务中心",
        desk=Desk(name="张蕾", role="窗口人员 · 首席代表", staff_no="T0103", window="窗口 3 号"),
        nav=(
            NavLink(label="办件队列", href=links.CASES, icon="list", count=3),
            NavLink(label="移交接收", href=links.HANDOVERS, icon="hand", count=2),
            NavLink(label="事项目录", href=links.CATALOGUE, icon="book"),
            NavLink(label="节点与线路", href=links.LINE, icon="line"),
            NavLink(label="证据核验", href=links.EVIDENCE, icon="proof"),
            NavLink(label="用户", href=links.USERS, icon="users"),
            NavLink(label="审计", href=links.AUDIT, icon="audit"),
        ),
    )
    return replace(page, **changes)


def county(pages: Pages, path: str = links.BOARD, **changes: object) -> Page:
    page = village(pages, path)
    page = replace(
        page,
        place=COUNTY,
        centre="平罗县政务服务中心",
        desk=Desk(name="罗建平", role="县级统筹", staff_no="C0007"),
        nav=(
            NavLink(label="运行", href=links.BOARD, icon="board"),
            NavLink(label="办件队列", href=links.CASES, icon="list", count=12),
            NavLink(label="移交接收", href=links.HANDOVERS, icon="hand"),
            NavLink(label="事项目录", href=links.CATALOGUE, icon="book"),
            NavLink(label="目录到位", href=links.HOLDERS, icon="node"),
            NavLink(label="节点与线路", href=links.LINE, icon="line"),
            NavLink(label="审计", href=links.AUDIT, icon="audit"),
        ),
        line=Line(peer="石嘴山市", words="12 / 13 乡镇在线", connected=True),
    )
    return replace(page, **changes)


def city(pages: Pages, path: str = links.SUMS, **changes: object) -> Page:
    page = replace(
        county(pages, path),
        place=CITY,
        centre="石嘴山市审批服务管理局",
        desk=Desk(name="许文静", role="市级汇总", staff_no="S0002"),
        nav=(
            NavLink(label="全市汇总", href=links.SUMS, icon="board"),
            NavLink(label="办件", href=links.CASES, icon="list"),
            NavLink(label="事项目录", href=links.CATALOGUE, icon="book"),
            NavLink(label="目录到位", href=links.HOLDERS, icon="node"),
            NavLink(label="节点与线路", href=links.LINE, icon="line"),
        ),
        line=Line(peer="", words="361 / 366 节点在线", connected=True),
    )
    return replace(page, **changes)


def no(day: str, serial: int, check: str = "7", node: str = "640221101203") -> str:
    return f"{node}{day}{serial:04d}{check}"


def stops(at: str, state: StopState = StopState.NOW, tiers: str = "村镇县") -> tuple[Stop, ...]:
    """The rail of a small list: everything before `at` is done."""
    names = {"村": "侯家梁村", "镇": "黄渠桥镇", "县": "平罗县民政局", "市": "石嘴山市"}
    here = tiers.index(at)
    return tuple(
        Stop(
            word=word,
            name=names[word],
            state=StopState.DONE if i < here else state if i == here else StopState.AHEAD,
        )
        for i, word in enumerate(tiers)
    )


ROWS = (
    CaseRow(
        no=no("20250213", 4, "X"),
        item="农村村民宅基地(建房)审批",
        applicant="赵**",
        origin="侯家梁村",
        state=Tag(text="审查中"),
        limit=Limit.running(-1, due=date(2025, 3, 14)),
        stops=stops("镇", tiers="村镇"),
        officer="李敏",
        verb="审核",
    ),
    CaseRow(
        no=no("20250303", 1, "7", "640221101211"),
        item="困难残疾人生活补贴和重度残疾人护理补贴资格认定",
        applicant="周*",
        origin="五星村",
        state=Tag(text="待初审"),
        limit=Limit.running(0, due=date(2025, 3, 17)),
        stops=stops("镇"),
        officer="王芳",
        verb="初审",
    ),
    CaseRow(
        no=no("20250317", 2, "5"),
        item="高龄津贴申领(80周岁以上)",
        applicant="王**",
        origin="侯家梁村",
        state=Tag(text="待受理", tone=Tone.CALM),
        limit=Limit.running(1, due=date(2025, 3, 18)),
        stops=stops("镇"),
        verb="受理",
    ),
    CaseRow(
        no=no("20250310", 3, "1", "640221101204"),
        item="特困人员认定",
        applicant="陈**",
        origin="四渠村",
        state=Tag(text="上级办理中"),
        limit=Limit.running(4, due=date(2025, 3, 21)),
        stops=stops("县", StopState.MOVING),
        mark="在途",
        holder="平罗县民政局",
    ),
    CaseRow(
        no=no("20250307", 1, "9", "640221101206"),
        item="最低生活保障对象审核确认",
        applicant="刘**",
        origin="渠中村",
        state=Tag(text="待补正", tone=Tone.WARN),
        limit=Limit.stopped("待补正"),
        stops=stops("村", StopState.BACK),
    ),
    CaseRow(
        no=no("20250312", 1, "3", "640221101208"),
        item="设施农业用地备案",
        applicant="马**·***",
        origin="永丰村",
        state=Tag(text="审查中"),
        limit=Limit.running(5, due=date(2025, 3, 24)),
        stops=stops("镇", tiers="村镇"),
        officer="李敏",
    ),
    CaseRow(
        no=no("20250312", 2, "8", "640221101208"),
        item="城乡居民养老保险待遇申领",
        applicant="欧阳*",
        origin="永丰村",
        state=Tag(text="上级办理中"),
        limit=Limit.running(6, due=date(2025, 3, 25)),
        stops=stops("县"),
        holder="平罗县人社局",
    ),
    CaseRow(
        no=no("20250317", 5, "0", "640221101213"),
        item="取水许可",
        applicant="平罗县联丰**合作社",
        origin="联丰村",
        state=Tag(text="已受理"),
        limit=Limit.running(20, due=date(2026, 2, 26), provisional=True),
        stops=stops("县", tiers="村镇县市"),
    ),
    CaseRow(
        no=no("20250311", 1, "2"),
        item="城乡居民基本医疗保险参保登记",
        applicant="孙**",
        origin="侯家梁村",
        state=Tag(text="已办结", tone=Tone.GOOD),
        limit=Limit.closed(),
        stops=stops("镇", StopState.DONE, "村镇"),
    ),
)

RAIL = (
    Stop(
        word="村",
        name="侯家梁村",
        state=StopState.DONE,
        what="已申报",
        when=ago(hours=4),
        who="杨志强",
        mark="签名已验",
    ),
    Stop(
        word="镇",
        name="黄渠桥镇",
        state=StopState.NOW,
        what="待受理",
        note="须于 3月18日 前受理或一次性告知补正",
    ),
    Stop(
        word="县",
        name="平罗县民政局",
        state=StopState.AHEAD,
        what="审核确认",
        note="镇初审后 3 个工作日内上报",
    ),
    Stop(
        word="市",
        name="石嘴山市",
        state=StopState.AHEAD,
        what="汇总监督",
        note="只见进度与时限，不见个人信息",
    ),
)


def reach(place: str, stage: Stage, **more: object) -> Reach:
    return Reach(place=place, stage=stage, **more)


PROOF = Proof(
    state="verified",
    words="签名已验",
    event="9c1f4be0" * 8,
    signer="侯家梁村 · 第 1 代证书",
)

STEPS = (
    Step(
        n=1,
        word="村",
        place="侯家梁村",
        what="登记并报送",
        at=ago(hours=4, minutes=11),
        who="杨志强 D0203",
        text="老人行动不便，代办员上门办理；户口簿原件当面核对后交还本人。",
        proof=PROOF,
        clock="收件日，5 个工作日内受理或告知",
        document="收件凭证",
    ),
    Step(
        n=2,
        word="镇",
        place="黄渠桥镇",
        what="接收",
        at=ago(hours=4, minutes=10),
        who="自动接收",
        proof=Proof(
            state="verified", words="签名已验", event="a0b1c2d3" * 8, signer="黄渠桥镇 · 第 2 代证书"
        ),
        reach=(
            reach("侯家梁村", Stage.APPLIED, at=ago(hours=4, minutes=10)),
            reach("平罗县", Stage.APPLIED, at=ago(hours=4, minutes=9)),
            reach("石嘴山市", Stage.RECEIVED, at=ago(hours=4, minutes=9)),
        ),
    ),
)

ACTIONS = (
    Action(
        key="accept",
        label="受理",
        action="/act/accept",
        rank="main",
        shortcut="a",
        hint="生成受理通知书，承诺办结日 2025年3月31日，并告知侯家梁村。",
        who="首席代表 张蕾 · 授权至 2025年12月31日",
        fields=(
            Field(
                name="opinion",
                label="受理意见",
                kind="textarea",
                value="材料齐全，符合法定形式。",
                rows=2,
                maxlength=1000,
            ),
        ),
    ),
    Action(
        key="correct",
        label="一次性告知补正",
        action="/act/correct",
        shortcut="c",
        hint="只能告知一次，请列全。送达后计时中止。",
        fields=(
            Field(
                name="missing",
                label="缺或不合格的材料",
                kind="checks",
                value="",
                required=True,
                choices=(
                    Choice(value="1", label="居民户口簿", hint="首页与本人页"),
                    Choice(value="2", label="社会保障卡或银行账户信息"),
                ),
            ),
            Field(
                name="need", label="要求", kind="textarea", required=True, hint="写清要什么、什么样才算合格"
            ),
            Field(name="until", label="补正期限", kind="date", required=True, value="2025-04-16", half=True),
        ),
    ),
    Action(
        key="not-accept",
        label="不予受理",
        action="/act/not-accept",
        rank="danger",
        confirm="不予受理将结束这件办件，并出具不予受理通知书。确定吗？",
        fields=(
            Field(
                name="reason",
                label="理由",
                kind="radio",
                required=True,
                choices=(
                    Choice(value="none", label="依法不需要办理"),
                    Choice(value="other", label="不属于本机关职权", hint="须写明应向哪个机关申请"),
                ),
            ),
            Field(name="where", label="应向哪个机关申请", required=True),
        ),
    ),
    Action(
        key="forward",
        label="转办",
        action="/act/forward",
        fields=(
            Field(
                name="to",
                label="转给",
                kind="select",
                required=True,
                choices=(
                    Choice(value="", label="请选择"),
                    Choice(value="640221000000", label="平罗县政务服务中心"),
                ),
            ),
            Field(name="reason", label="理由", required=True),
        ),
    ),
    Action(
        key="decide",
        label="审签决定",
        action="/act/decide",
        refused="一审一核：初审人不能再作决定。请由首席代表马国平审签。",
    ),
)

CASE = CaseView(
    no=no("20250317", 2, "5"),
    item="高龄津贴申领(80周岁以上)",
    item_href=links.item("SZS-004"),
    item_version="第 2 版",
    kind="承诺件 · 上报",
    state=Tag(text="待受理", tone=Tone.CALM),
    limit=Limit.running(
        1,
        due=date(2025, 3, 31),
        statutory_due=date(2025, 4, 15),
        basis="承诺 10 个工作日，自受理次日起算；受理期限到 3月18日",
    ),
    holder="黄渠桥镇",
    ours=True,
    stops=RAIL,
    personal=(
        PersonalField(label="姓名", masked="王**"),
        PersonalField(label="身份证号码", masked="640221********0043"),
        PersonalField(label="联系电话", masked="139****2718"),
        PersonalField(label="住址", masked="平罗县黄渠桥镇侯家梁村"),
    ),
    reveal_action="/act/reveal",
    facts=(
        Fact(label="来源", value="侯家梁村便民服务站 · 代办员上门"),
        Fact(label="委托书", value="侯代委〔2025〕0017号 · 交件、领件"),
        Fact(label="事项", value="第 2 版 · 目录第 12 版", href=links.item("SZS-004")),
        Fact(label="决定机关", value="平罗县民政局（法定下级受理）"),
        Fact(label="收费", value="不收费"),
    ),
    papers=Papers(
        materials=(
            Material(
                name="高龄津贴申领表",
                need="必要",
                form="原件",
                state=Tag(text="已收", tone=Tone.GOOD),
                note="1 份",
            ),
            Material(
                name="居民身份证", need="必要", form="原件核验", state=Tag(text="已核验", tone=Tone.GOOD)
            ),
            Material(
                name="居民户口簿",
                need="容缺后补",
                form="原件核验",
                state=Tag(text="容缺", tone=Tone.WARN),
                note="3月24日前补",
            ),
            Material(
                name="社会保障卡或银行账户信息",
                need="必要",
                form="复印件",
                state=Tag(text="缺", tone=Tone.ALARM),
            ),
        )
    ),
    steps=STEPS,
    actions=ACTIONS,
    documents=(
        Document(name="收件凭证", number="侯收〔2025〕00031号", at=ago(hours=4), href="#", printed=1),
    ),
    evidence_href=links.evidence(no("20250317", 2, "5")),
    slip_href=links.slip(no("20250317", 2, "5")),
)

CASE_REMOTE = replace(
    CASE,
    state=Tag(text="已上报待回"),
    limit=Limit.running(
        -2, due=date(2025, 3, 13), statutory_due=date(2025, 4, 15), basis="县级部分 5 个工作日"
    ),
    holder="平罗县民政局",
    ours=False,
    stops=(
        replace(RAIL[0]),
        replace(
            RAIL[1],
            state=StopState.DONE,
            what="已上报",
            when=ago(days=3),
            who="张蕾",
            note="",
            mark="签名已验",
        ),
        replace(
            RAIL[2], state=StopState.MOVING, what="待接收", note="移交已发出 3 天，未见回执", mark="待回执"
        ),
        RAIL[3],
    ),
    actions=(),
    nothing_to_do="移交还在路上，由平罗县民政局接收后办理。本站此时不能再动这一件。",
    newer=True,
    personal=(
        PersonalField(label="姓名", masked="王**", shown="王桂兰"),
        PersonalField(label="身份证号码", masked="640221********0043", shown="640221194503120043"),
        PersonalField(label="联系电话", masked="139****2718", shown="13900002718"),
    ),
    steps=(
        *STEPS,
        Step(
            n=3,
            word="镇",
            place="黄渠桥镇",
            what="初审通过并上报",
            at=ago(days=3),
            who="张蕾 T0103",
            sealed=True,
            proof=Proof(state="local", words="本站签署", event="77aa11bb" * 8, signer="黄渠桥镇"),
            reach=(
                reach("平罗县民政局", Stage.SENT, at=ago(days=3), late=True, reason="等回执 3 天"),
                reach("侯家梁村", Stage.QUARANTINED, at=ago(days=3), reason="证书代次不符"),
            ),
            clock="镇级部分用 4 个工作日；县级部分起算",
        ),
        Step(
            n=4,
            word="县",
            place="平罗县",
            what="接收",
            at=ago(hours=1),
            proof=Proof(
                state="failed", words="验签失败：证书已于 3月15日 撤销", signer="平罗县 · 第 1 代证书"
            ),
        ),
    ),
)

CASE_ERROR = replace(
    CASE,
    actions=(
        ACTIONS[0],
        replace(
            ACTIONS[1],
            open=True,
            error="没有办成：还有两处要填。",
            fields=(
                replace(ACTIONS[1].fields[0], error="至少选一项材料"),
                replace(ACTIONS[1].fields[1], error="请写清要求", value=""),
                ACTIONS[1].fields[2],
            ),
        ),
        *ACTIONS[2:4],
    ),
    reveal_error="请写明查看事由",
)


def queue(live_href: str = "") -> QueueView:
    return QueueView(
        title="办件队列",
        summary="在办 41 件，今日到期 2 件，超期 1 件",
        tabs=(
            Tab(label="全部在办", href="/cases", count=41, current=True),
            Tab(label="待受理", href="/cases?tab=received", count=3),
            Tab(label="待补正", href="/cases?tab=correcting", count=2),
            Tab(label="审查中", href="/cases?tab=reviewing", count=18),
            Tab(label="上级办理中", href="/cases?tab=forwarded", count=15),
            Tab(label="待送达", href="/cases?tab=pickup", count=3),
            Tab(label="超期", href="/cases?tab=over", count=1, tone=Tone.ALARM),
            Tab(label="已办结", href="/cases?tab=closed"),
        ),
        filters=Filters(
            action="/cases",
            fields=(
                Field(name="q", label="查找", kind="search", hint="办件编号、姓名加末四位、手机"),
                Field(
                    name="item",
                    label="事项",
                    kind="select",
                    choices=(
                        Choice(value="", label="全部事项"),
                        Choice(value="SZS-004", label="高龄津贴申领(80周岁以上)"),
                    ),
                ),
                Field(
                    name="from",
                    label="来自",
                    kind="select",
                    choices=(
                        Choice(value="", label="全部村居"),
                        Choice(value="640221101203", label="侯家梁村"),
                    ),
                ),
            ),
        ),
        rows=ROWS,
        cursor=Cursor(older="/cases?after=x", words="按承诺办结日排序，第 1–9 件"),
        live_href=live_href,
    )


PEEK = CasePeek(
    no=CASE.no,
    item=CASE.item,
    limit=CASE.limit,
    facts=(
        Fact(label="申请人", value="王**（女，80 岁）"),
        Fact(label="证件", value="640221********0043", number=True),
        Fact(label="代办", value="侯家梁村 杨志强 · 上门"),
        Fact(label="材料", value="收 3 份，容缺 1 份"),
    ),
    stops=RAIL,
)

QUEUE_EMPTY = replace(queue(), rows=(), cursor=Cursor(), summary="没有在办的办件")


HOME = HomeView(
    greeting="下午好，杨志强",
    counts=(
        HomeCount(label="待收件", count=2, href="/cases?tab=draft", icon="inbox", detail="草稿 2 份"),
        HomeCount(
            label="待补正",
            count=1,
            href="/cases?tab=correcting",
            icon="back",
            detail="4月16日前",
            tone=Tone.WARN,
        ),
        HomeCount(label="待报送", count=3, href="/line", icon="send", detail="等线路接通"),
        HomeCount(
            label="上级办理中",
            count=12,
            href="/cases?tab=forwarded",
            icon="up",
            detail="其中 1 件超期",
            tone=Tone.ALARM,
        ),
        HomeCount(label="待送达", count=4, href="/cases?tab=pickup", icon="hand", detail="10 个工作日内"),
        HomeCount(label="待回访", count=0, href="/cases?tab=visit", icon="phone"),
    ),
    rows=tuple(row for row in ROWS if row.origin == "侯家梁村"),
    themes=tuple(
        Choice(value=f"/file?theme={word}", label=word)
        for word in ["生育", "上学", "就业", "社保", "养老", "医疗", "住房", "务农", "证件", "救助", "法律"]
    ),
    usual=(
        Choice(value="/file?item=SZS-004", label="高龄津贴申领", hint="10 个工作日"),
        Choice(value="/file?item=SZS-026", label="城乡居民医保参保登记", hint="即办"),
        Choice(value="/file?item=SZS-001", label="最低生活保障审核确认", hint="20 个工作日"),
        Choice(value="/file?item=SZS-052", label="宅基地(建房)审批", hint="15 个工作日"),
    ),
)
HOME_OFFLINE = replace(
    HOME,
    waiting=3,
    waiting_since=ago(hours=2, minutes=14),
    last_sync=ago(hours=2, minutes=20),
    rows=(
        replace(ROWS[2], mark="待发送", stops=stops("镇", StopState.MOVING)),
        *HOME.rows[:1],
    ),
)
HOME_EMPTY = replace(
    HOME, rows=(), counts=tuple(replace(c, count=0, detail="", tone=Tone.PLAIN) for c in HOME.counts)
)

CARDS = (
    ItemCard(
        key="SZS-004",
        name="高龄津贴申领(80周岁以上)",
        department="民政局",
        route="村代办 · 镇受理初审 · 县决定",
        promise="10 个工作日",
        statutory="无法定时限",
        kind="承诺件",
        type_name="行政给付",
        mode="代办",
        href=links.item("SZS-004"),
        tags=(Tag(text="上报"),),
    ),
    ItemCard(
        key="SZS-026",
        name="城乡居民基本医疗保险参保登记",
        department="医疗保障局",
        route="村代办 · 镇决定",
        promise="即办",
        statutory="无法定时限",
        kind="即办件",
        type_name="公共服务",
        mode="代办",
        href=links.item("SZS-026"),
        tags=(Tag(text="下放", tone=Tone.CALM),),
    ),
    ItemCard(
        key="SZS-052",
        name="农村村民宅基地(建房)审批",
        department="农业农村局",
        route="村协办 · 镇决定 · 三部门联办",
        promise="15 个工作日",
        statutory="20 个工作日",
        kind="承诺件",
        type_name="行政许可",
        mode="协办",
        href=links.item("SZS-052"),
        tags=(Tag(text="联办", tone=Tone.CALM),),
    ),
    ItemCard(
        key="SZS-005",
        name="困难残疾人生活补贴和重度残疾人护理补贴资格认定",
        department="民政局",
        route="村代办 · 镇受理初审 · 县决定",
        promise="15 个工作日",
        statutory="无法定时限",
        kind="承诺件",
        type_name="行政给付",
        mode="代办",
        href=links.item("SZS-005"),
    ),
    ItemCard(
        key="SZS-013",
        name="结婚登记",
        department="民政局",
        route="县决定",
        promise="即办",
        statutory="无法定时限",
        kind="即办件",
        type_name="行政确认",
        mode="告知",
        href=links.item("SZS-013"),
        refused="须双方本人到县婚姻登记处办理，不能代办",
        tags=(Tag(text="不可代办", tone=Tone.WARN),),
    ),
)

ITEM = ItemView(
    key="SZS-004",
    name="高龄津贴申领(80周岁以上)",
    codes=(
        Fact(label="基本编码", value="640501004000", number=True),
        Fact(label="实施编码", value="11640221000001011P4640501004000", number=True),
        Fact(label="事项类型", value="行政给付"),
        Fact(label="办件类型", value="承诺件"),
        Fact(label="服务对象", value="自然人"),
        Fact(label="到现场次数", value="0 次"),
    ),
    card=CARDS[0],
    open=(
        OpenMatter(title="项目名称", lines=("高龄津贴申领(80周岁以上)",)),
        OpenMatter(title="法律依据", lines=("《宁夏回族自治区老年人权益保障条例》第二十六条",)),
        OpenMatter(title="许可条件", lines=("年满 80 周岁", "本市户籍", "未重复享受同类津贴")),
        OpenMatter(
            title="申报材料",
            lines=(
                "高龄津贴申领表（窗口提供空白表）",
                "居民身份证（原件核验）",
                "居民户口簿（原件核验）",
                "社会保障卡或银行账户信息",
            ),
        ),
        OpenMatter(
            title="办事程序", lines=("村代办收件，3 个工作日内报镇；镇受理初审；县民政局决定；按月发放",)
        ),
        OpenMatter(title="承诺时限", lines=("承诺 10 个工作日；无法定时限",)),
        OpenMatter(title="收费标准及依据", lines=("不收费",)),
        OpenMatter(title="申请书格式文本", lines=("高龄津贴申领表（可在本页打印）",)),
    ),
    materials=(
        MaterialNeed(name="高龄津贴申领表", need="必要", form="原件", source="窗口提供空白表"),
        MaterialNeed(name="居民身份证", need="必要", form="原件核验", source="政府部门核发", free=True),
        MaterialNeed(name="居民户口簿", need="必要", form="原件核验", source="政府部门核发", free=True),
        MaterialNeed(name="社会保障卡或银行账户信息", need="必要", form="复印件", source="申请人自备"),
    ),
    stops=(
        Stop(word="村", name="侯家梁村", state=StopState.NOW, what="代办收件"),
        Stop(word="镇", name="黄渠桥镇", state=StopState.AHEAD, what="受理、初审"),
        Stop(word="县", name="平罗县民政局", state=StopState.AHEAD, what="决定"),
    ),
    version="第 2 版 · 2025年1月1日起",
    deed="法定下级受理：县级决定，镇级受理初审",
    changes=((date(2025, 1, 1), "调整：承诺时限由 15 个工作日减为 10 个工作日（市审改办〔2024〕31号）"),),
    file_href=links.file("SZS-004"),
)

APPLICANT = (
    Field(name="name", label="申请人姓名", required=True, maxlength=30, half=True),
    Field(
        name="phone",
        label="联系电话",
        kind="tel",
        inputmode="tel",
        required=True,
        half=True,
        hint="本人没有手机时，填家属或代办员电话",
    ),
    Field(
        name="id_no",
        label="身份证号码",
        required=True,
        maxlength=18,
        number=True,
        hint="十八位，末位可以是 X",
    ),
    Field(name="address", label="居住地址", kind="textarea", rows=2, required=True),
    Field(
        name="relation",
        label="谁来办",
        kind="radio",
        required=True,
        value="agent",
        choices=(
            Choice(value="self", label="本人到场"),
            Choice(value="family", label="家属代办"),
            Choice(value="agent", label="代办员代办", hint="需要委托书"),
        ),
    ),
    Field(
        name="entrust_scope",
        label="委托书：委托办什么",
        kind="checks",
        value="hand_in,collect",
        required=True,
        choices=(
            Choice(value="hand_in", label="交件"),
            Choice(value="collect", label="领件"),
            Choice(value="pay", label="缴费"),
            Choice(value="sign", label="签收"),
        ),
    ),
    Field(
        name="entrust_until", label="委托有效期至", kind="date", value="2025-06-30", required=True, half=True
    ),
    Field(name="entrust_no", label="委托书编号", half=True, hint="不填则自动编号"),
)

FILE_1 = FilingView(
    step=WizardStep.ITEM,
    action=links.FILE,
    themes=tuple(
        Choice(value=word, label=word)
        for word in [
            "常用",
            "生育",
            "上学",
            "就业",
            "社保",
            "养老",
            "医疗",
            "住房",
            "务农",
            "证件",
            "救助",
            "法律",
        ]
    ),
    theme="养老",
    items=CARDS,
)
FILE_1_CHOSEN = replace(FILE_1, chosen=ITEM)
FILE_1_NONE = replace(FILE_1, items=(), search="xyz", theme="")
FILE_2 = FilingView(
    step=WizardStep.APPLICANT,
    action=links.FILE,
    chosen=ITEM,
    fields=APPLICANT,
    carried=(("item", "SZS-004"),),
    saved_at=ago(minutes=1),
)
FILE_2_ERRORS = replace(
    FILE_2,
    fields=(
        replace(APPLICANT[0], value="王桂兰"),
        replace(APPLICANT[1], value="139 0000 27"),
        replace(APPLICANT[2], value="640221194503120045", error="末位校验码不对，请对照证件再看一遍"),
        replace(APPLICANT[3], value="侯家梁村三组 27 号"),
        APPLICANT[4],
        replace(APPLICANT[5], value="", error="代办须有委托书：请选择委托办什么"),
        *APPLICANT[6:],
    ),
    errors=(
        ("id_no", "身份证号码：末位校验码不对"),
        ("entrust_scope", "委托书：请选择委托办什么"),
    ),
)
FILE_3 = FilingView(
    step=WizardStep.MATERIALS,
    action=links.FILE,
    chosen=ITEM,
    materials=tuple(
        replace(one, note="", state=state)
        for one, state in zip(
            CASE.papers.materials,
            (*[Tag(text="已勾", tone=Tone.GOOD)] * 2, Tag(text="可无"), Tag(text="缺")),
            strict=True,
        )
    ),
    ticked=frozenset({"高龄津贴申领表", "居民身份证"}),
    missing=("社会保障卡或银行账户信息",),
    carried=(("item", "SZS-004"), ("name", "王桂兰")),
    saved_at=ago(minutes=1),
)
FILE_4 = FilingView(
    step=WizardStep.CHECK,
    action=links.FILE,
    chosen=ITEM,
    facts=(
        Fact(label="事项", value="高龄津贴申领(80周岁以上)"),
        Fact(label="申请人", value="王桂兰"),
        Fact(label="身份证号码", value="640221194503120043", number=True),
        Fact(label="联系电话", value="13900002718", number=True),
        Fact(label="委托", value="代办员代办：交件、领件，至 2025年6月30日"),
        Fact(label="材料", value="收 2 份，缺 1 份"),
        Fact(label="承诺", value="自镇受理次日起 10 个工作日"),
    ),
    missing=("社会保障卡或银行账户信息",),
    stops=ITEM.stops,
    earlier=(
        Earlier(
            no="640221100201202503030009X",
            state=Tag(text="审查中", tone=Tone.CALM),
            filed_on=ago(days=14).date(),
            holder="城关镇",
            href="#",
        ),
    ),
    fields=(
        Field(
            name="told",
            label="已向申请人念过告知书，申请人同意提交，并对材料真实负责",
            kind="checkbox",
            required=True,
        ),
    ),
    carried=(("item", "SZS-004"), ("name", "王桂兰"), ("id_no", "640221194503120043")),
    saved_at=ago(minutes=1),
)

RECEIPT = ReceiptView(
    no=CASE.no,
    item=CASE.item,
    applicant="王**",
    station="侯家梁村便民服务站",
    officer="杨志强（D0203）",
    received_at=ago(minutes=2),
    materials=(("高龄津贴申领表", "1 份"), ("居民身份证", "原件核验")),
    missing=("社会保障卡或银行账户信息",),
    promise="自受理次日起 10 个工作日",
    due=None,
    lookup_code="730 418",
    lookup_href="http://10.64.2.21/track?no=" + CASE.no,
    phone="0952-000 0203",
    complain="0952-000 0096",
    reaches=(
        reach("黄渠桥镇", Stage.APPLIED, at=ago(minutes=2)),
        reach("平罗县", Stage.RECEIVED, at=ago(minutes=2)),
        reach("石嘴山市", Stage.SENT, at=ago(minutes=2)),
    ),
    stops=ITEM.stops,
)
RECEIPT_OFFLINE = replace(
    RECEIPT,
    copies=2,
    reaches=(
        reach("黄渠桥镇", Stage.STORED, reason="等线路接通", at=ago(minutes=2)),
        reach("平罗县", Stage.STORED, reason="等线路接通", at=ago(minutes=2)),
    ),
)

LOGIN_FIELDS = (
    Field(name="login", label="用户名", required=True, autocomplete="username"),
    Field(name="password", label="密码", kind="password", required=True, autocomplete="current-password"),
)
LOGIN = LoginView(form=FormView(action=links.LOGIN, fields=LOGIN_FIELDS, submit="登录"))
LOGIN_FAILED = LoginView(
    form=FormView(
        action=links.LOGIN,
        fields=(replace(LOGIN_FIELDS[0], value="yangzq"), LOGIN_FIELDS[1]),
        submit="登录",
        error="用户名或密码不对",
    ),
    wait="已连续 3 次失败，请 30 秒后再试。第 5 次失败将锁定 30 分钟。",
)
PASSWORD = PasswordView(
    form=FormView(
        action=links.PASSWORD,
        fields=(
            Field(
                name="old", label="临时密码", kind="password", required=True, autocomplete="current-password"
            ),
            Field(
                name="new",
                label="新密码",
                kind="password",
                required=True,
                autocomplete="new-password",
                error="太短：至少 10 个字符",
            ),
            Field(
                name="again", label="再输一遍", kind="password", required=True, autocomplete="new-password"
            ),
        ),
        submit="保存并开始",
    ),
    first=True,
    rules=("至少 10 个字符", "大写、小写、数字、符号中至少三种", "不含姓名、用户名和手机号"),
)

ERRORS = {
    404: ErrorView(
        status=404,
        title="没有这个页面",
        text="地址写错了，或这件办件不归本站办理。",
        todo=("核对办件编号，共 25 位", "在办件列表里按姓名加末四位查找"),
        back_href=links.CASES,
        back_label="去办件列表",
    ),
    403: ErrorView(
        status=403,
        title="不能这样做",
        text="您的岗位没有这项权限。",
        rule="一审一核：初审人 张蕾 不能再作决定（办件 20250317-0002-5）",
        todo=("请首席代表审签", "需要调整岗位的，找本站管理员"),
    ),
    422: ErrorView(
        status=422,
        title="没有办成",
        text="提交的内容有缺失，什么都没有改动。",
        todo=("返回上一页，已填的内容都在",),
    ),
    500: ErrorView(
        status=500,
        title="系统出错了",
        text="是程序的问题，不是您的操作。已存的办件和待发的消息都在。",
        reference="E-20250317-134207-7f3k",
        todo=("稍等一分钟再试",),
    ),
    503: ErrorView(
        status=503,
        title="正在维护",
        text="本站正在升级，预计 5 分钟。已受理的时限照常计算。",
        todo=("纸质材料照常收，稍后补录",),
    ),
}

HANDOVERS = HandoverView(
    tabs=(
        Tab(label="待接收", href="/handovers", count=2, current=True),
        Tab(label="已移出", href="/handovers?tab=out", count=4),
        Tab(label="被拒收", href="/handovers?tab=refused", count=1, tone=Tone.ALARM),
    ),
    rows=(
        HandoverRow(
            no=ROWS[3].no,
            item="特困人员认定",
            origin="四渠村便民服务站",
            to="黄渠桥镇",
            reason="村代办报送；目录第 12 版",
            sent_at=ago(hours=3),
            limit=Limit.running(1, due=date(2025, 3, 18)),
            state=Tag(text="待接收", tone=Tone.CALM),
            materials="材料 4 份，齐",
            actions=(
                Action(key="take", label="接收", action="/act/take", rank="main"),
                Action(
                    key="refuse",
                    label="拒收",
                    action="/act/refuse",
                    rank="danger",
                    fields=(
                        Field(
                            name="reason",
                            label="理由",
                            required=True,
                            hint="将签名退回四渠村，申请人不用再跑",
                        ),
                    ),
                ),
            ),
        ),
        HandoverRow(
            no=ROWS[6].no,
            item="城乡居民养老保险待遇申领",
            origin="平罗县政务服务中心",
            to="黄渠桥镇",
            reason="转办：3月1日起下放黄渠桥镇办理（平政放〔2025〕3号，目录第 12 版）",
            sent_at=ago(days=1, hours=2),
            limit=Limit.running(-1, due=date(2025, 3, 14)),
            state=Tag(text="待接收", tone=Tone.CALM),
            materials="材料 4 份，容缺 1 份",
            actions=(
                Action(key="take2", label="接收", action="/act/take", rank="main"),
                Action(
                    key="refuse2",
                    label="拒收",
                    action="/act/refuse",
                    rank="danger",
                    fields=(Field(name="reason2", label="理由", required=True),),
                ),
            ),
        ),
    ),
    cursor=Cursor(),
)
HANDOVERS_EMPTY = replace(HANDOVERS, rows=())

CATALOGUE = CatalogueView(
    edition="第 12 版",
    published=date(2025, 3, 1),
    digest=CERT,
    search="",
    selects=(
        (
            "department",
            "部门",
            "",
            (
                Choice(value="", label="全部部门"),
                Choice(value="MZ", label="民政局"),
                Choice(value="NY", label="农业农村局"),
            ),
        ),
        (
            "tier",
            "决定层级",
            "",
            (
                Choice(value="", label="全部层级"),
                Choice(value="4", label="县级"),
                Choice(value="5", label="镇级"),
            ),
        ),
        ("mode", "村级方式", "", (Choice(value="", label="全部方式"), Choice(value="代办", label="代办"))),
    ),
    items=CARDS,
    total=109,
    cursor=Cursor(older="/catalogue?after=x", words="共 109 项，第 1–5 项"),
    behind="上级已发布第 13 版，本站还没有收到。已受理的办件仍按受理时的版本办理。",
)

HOLDERS = HoldersView(
    edition="第 12 版",
    current=361,
    total=366,
    rows=(
        HolderRow(
            place="陶乐镇",
            word="镇",
            indent=1,
            edition="第 10 版",
            light=Light.OVER,
            words="落后 2 版",
            reported=ago(days=3),
            line="断联 3 天",
        ),
        HolderRow(
            place="庙庙湖村",
            word="村",
            indent=2,
            edition="第 11 版",
            light=Light.DUE,
            words="落后 1 版",
            reported=ago(hours=30),
            line="断联 1 天 6 小时",
        ),
        HolderRow(
            place="马太沟村",
            word="村",
            indent=2,
            edition="未报",
            light=Light.NONE,
            words="从未上报",
            reported=None,
            line="未入网",
        ),
        HolderRow(
            place="黄渠桥镇",
            word="镇",
            indent=1,
            edition="第 12 版",
            light=Light.OK,
            words="已是最新",
            reported=ago(minutes=4),
            line="在线",
        ),
        HolderRow(
            place="侯家梁村",
            word="村",
            indent=2,
            edition="第 12 版",
            light=Light.OK,
            words="已是最新",
            reported=ago(minutes=12),
            line="在线",
        ),
    ),
    cursor=Cursor(older="/catalogue/holders?after=x", words="落后的在前"),
)

LINE = LineView(
    lines=(
        LineState(
            peer="平罗县枢纽",
            role="上级枢纽",
            connected=False,
            since=ago(minutes=12),
            waiting=3,
            last_receipt=ago(minutes=14),
            note="第 7 次重连，下次 13:42:30",
        ),
    ),
    counts=(
        Tag(text="已存 2", tone=Tone.WARN),
        Tag(text="已发 1", tone=Tone.WARN),
        Tag(text="已收 0"),
        Tag(text="已办理 128", tone=Tone.GOOD),
        Tag(text="隔离 1", tone=Tone.ALARM),
    ),
    tabs=(
        Tab(label="未到达", href="/line", count=3, current=True),
        Tab(label="全部动作", href="/line?tab=all"),
        Tab(label="隔离区", href="/line?tab=quarantine", count=2, tone=Tone.ALARM),
    ),
    acts=(
        Act(
            what="登记并报送",
            about=f"高龄津贴申领 {case_tail(CASE.no)}",
            href=links.case(CASE.no),
            at=ago(minutes=2),
            seq="#131",
            by="杨志强",
            reaches=(
                reach("黄渠桥镇", Stage.STORED, reason="等线路接通"),
                reach("平罗县", Stage.STORED, reason="等线路接通"),
                reach("石嘴山市", Stage.STORED, reason="等线路接通"),
            ),
        ),
        Act(
            what="提交补正",
            about=f"城乡居民医保参保登记 {case_tail(ROWS[8].no)}",
            href=links.case(ROWS[8].no),
            at=ago(minutes=15),
            seq="#130",
            by="杨志强",
            reaches=(
                reach(
                    "黄渠桥镇",
                    Stage.APPLIED,
                    at=ago(minutes=15),
                    files="材料已到 2 / 5 份",
                    lacking=True,
                ),
                reach("平罗县", Stage.SENT, at=ago(minutes=15), reason="等回执"),
            ),
        ),
        Act(
            what="补正后重报",
            about=f"最低生活保障审核确认 {case_tail(ROWS[4].no)}",
            href=links.case(ROWS[4].no),
            at=ago(days=1),
            seq="#129",
            by="杨志强",
            reaches=(
                reach("黄渠桥镇", Stage.QUARANTINED, at=ago(hours=23), reason="P-17 前一步的指纹对不上"),
                reach("平罗县", Stage.RECEIVED, at=ago(hours=23), late=True, reason="等前一步"),
            ),
        ),
    ),
    quarantine=(
        Quarantined(
            at=ago(hours=5),
            origin="黄渠桥镇",
            what="受理 · 办件第 3 步",
            rule="P-17",
            reason="前一步的指纹对不上：应为 9c1f 4be0 … 4be0，实为 0000 0000 … 0000",
            todo="请黄渠桥镇从发件箱重发第 2、3 步；收到后自动放行",
            case_href=links.case(CASE.no),
            told=True,
        ),
        Quarantined(
            at=ago(days=2),
            origin="自称陶乐镇",
            what="办结",
            rule="P-09",
            reason="证书已于 2025年3月15日 撤销，此后的签名一律不收",
            todo="已报平罗县枢纽。不要据此告知申请人",
        ),
    ),
    cursor=Cursor(older="/line?after=x", words="新的在前"),
    facts=(
        Fact(label="节点地址", value="640221 101 203", number=True),
        Fact(label="数据库代次", value="e7c1 09af", number=True),
        Fact(label="时钟偏差", value="慢 2 秒"),
        Fact(label="证书", value="第 1 代，有效至 2026年11月20日"),
        Fact(label="摆渡", value="断联超过 1 天时，可导出到 U 盘带到镇上"),
    ),
)
LINE_QUARANTINE = replace(
    LINE,
    show="quarantine",
    tabs=(replace(LINE.tabs[0], current=False), LINE.tabs[1], replace(LINE.tabs[2], current=True)),
)
LINE_CLEAN = replace(
    LINE,
    lines=(
        LineState(
            peer="平罗县枢纽",
            role="上级枢纽",
            connected=True,
            since=ago(days=3),
            last_receipt=ago(seconds=20),
        ),
    ),
    counts=(Tag(text="已办理 131", tone=Tone.GOOD),),
    acts=(),
    quarantine=(),
    cursor=Cursor(),
)


def child(
    name: str, word: str, figures: tuple[int, int, int], on_time: tuple[int, int], **more: object
) -> ChildRow:
    values: dict[str, object] = {
        "href": "/cases?from=" + name,
        "connected": True,
        "line_since": ago(days=6),
        "waiting": 0,
        "edition": "第 12 版",
        "trend": (6, 4, 9, 7, 3, 8, 11, 5, 7, 9),
    }
    values.update(more)
    return ChildRow(
        name=name, word=word, open=figures[0], due=figures[1], overdue=figures[2], on_time=on_time, **values
    )


TOWNS = (
    child("姚伏镇", "镇", (33, 5, 2), (176, 186), below="22 个村，全部在线"),
    child("黄渠桥镇", "镇", (41, 3, 1), (224, 228), below="14 个村，13 个在线"),
    child(
        "陶乐镇",
        "镇",
        (29, 2, 1),
        (130, 135),
        connected=False,
        line_since=ago(days=3),
        waiting=19,
        edition="第 10 版",
        edition_behind=2,
        below="6 个村，未知",
        trend=(4, 3, 5, 0, 0, 0),
    ),
    child("宝丰镇", "镇", (27, 2, 0), (140, 143)),
    child("头闸镇", "镇", (22, 1, 0), (98, 99)),
    child(
        "崇岗镇", "镇", (9, 1, 0), (65, 67), connected=False, line_since=ago(hours=2, minutes=14), waiting=7
    ),
    child("高庄乡", "乡", (18, 0, 0), (171, 172)),
    child("渠口乡", "乡", (0, 0, 0), (0, 0), trend=()),
)

BOARD = Board(
    title="平罗县办件运行",
    kpis=(
        Kpi(label="今日收件", value="86", unit="件", detail="上周一 77 件"),
        Kpi(label="在办", value="191", unit="件", detail="其中跨级 27 件", href="/cases"),
        Kpi(
            label="临期",
            value="14",
            unit="件",
            detail="一个工作日内到期",
            tone=Tone.WARN,
            href="/cases?tab=due",
        ),
        Kpi(
            label="超期", value="4", unit="件", detail="按承诺办结日", tone=Tone.ALARM, href="/cases?tab=over"
        ),
        Kpi(label="本月按期办结率", value="97.30", unit="%", detail="M03 按期办结 ÷ 有时限的办结"),
    ),
    children=TOWNS,
    urgent=(
        replace(ROWS[0], applicant="—", origin="黄渠桥镇", stops=stops("镇", tiers="村镇")),
        replace(ROWS[3], applicant="—", origin="姚伏镇"),
    ),
    cut=(("陶乐镇", ago(days=3), 19), ("崇岗镇", ago(hours=2, minutes=14), 7)),
    tabs=(
        Tab(label="今日", href="/board", current=True),
        Tab(label="本周", href="/board?p=week"),
        Tab(label="本月", href="/board?p=month"),
    ),
)

CITY_VIEW = CityBoard(
    title="全市办件汇总",
    period="2025年3月1日至3月17日",
    declared_until="截至昨日（2025年3月16日）",
    tabs=(
        Tab(label="本月", href="/sums", current=True),
        Tab(label="上月", href="/sums?p=last"),
        Tab(label="今年", href="/sums?p=year"),
    ),
    kpis=(
        Kpi(label="受理", value="18,642", unit="件", detail="M01 计在首次受理的节点"),
        Kpi(label="办结", value="17,905", unit="件", detail="村镇两级办结 81.40%"),
        Kpi(label="按期办结率", value="97.63", unit="%", detail="M03 按期办结 ÷ 有时限的办结"),
        Kpi(label="平均办结用时", value="3.80", unit="个工作日", detail="M09，计时中止不算"),
        Kpi(label="超期未结", value="37", unit="件", detail="按承诺办结日", tone=Tone.ALARM),
    ),
    counties=(
        child("大武口区", "区", (412, 31, 9), (6_020, 6_140), below="11 个街道镇"),
        child("惠农区", "区", (388, 22, 6), (5_390, 5_480), below="12 个街道镇"),
        child("平罗县", "县", (191, 14, 4), (6_070, 6_285), below="13 个乡镇，1 个断联", waiting=26),
    ),
    items=(
        ItemSum(name="城乡居民基本养老保险参保登记", received=4120, closed=4107, overdue=0),
        ItemSum(name="高龄津贴申领(80周岁以上)", received=3266, closed=3101, overdue=4),
        ItemSum(name="城乡居民基本医疗保险参保登记", received=2971, closed=2971, overdue=0),
        ItemSum(
            name="困难残疾人生活补贴和重度残疾人护理补贴资格认定", received=1480, closed=1322, overdue=11
        ),
        ItemSum(name="农村村民宅基地(建房)审批", received=862, closed=701, overdue=15),
    ),
    tier_words=("村", "镇", "县", "市"),
    tiers=(
        TierSum(word="村", closed=3010),
        TierSum(word="镇", closed=11_565),
        TierSum(word="县", closed=2_990),
        TierSum(word="市", closed=340),
    ),
    months=tuple(
        Month(label=label, closed=closed, on_time=on_time)
        for label, closed, on_time in (
            ("10月", (3100, 9700, 3300, 420), (15_700, 16_520)),
            ("11月", (3300, 9900, 3400, 430), (16_300, 17_030)),
            ("12月", (3500, 10_500, 3500, 440), (17_290, 17_940)),
            ("1月", (3600, 10_900, 3600, 430), (18_000, 18_530)),
            ("2月", (0, 0, 0, 0), (0, 0)),
            ("3月", (3010, 11_565, 2990, 340), (17_480, 17_905)),
        )
    ),
    declared=(
        DeclaredRow(
            name="大武口区",
            received=Declared(declared=6204, recomputed=6204),
            closed=Declared(declared=6140, recomputed=6140),
        ),
        DeclaredRow(
            name="惠农区",
            received=Declared(declared=5611, recomputed=5608),
            closed=Declared(declared=5480, recomputed=5480),
            note="3 件的步骤未到，等惠农区重发",
            href="/cases?x",
        ),
        DeclaredRow(
            name="平罗县",
            received=Declared(declared=None, recomputed=6830),
            closed=Declared(declared=None, recomputed=6285),
            note="3月16日 日报未到",
        ),
    ),
    townships=(
        (
            "大武口区",
            tuple(
                (name, rate, False)
                for name, rate in (
                    ("长胜街道", (926, 1000)),
                    ("朝阳街道", (991, 1000)),
                    ("人民路街道", (988, 1000)),
                    ("长城街道", (972, 1000)),
                    ("青山街道", (926, 1000)),
                    ("石炭井街道", (0, 0)),
                    ("白芨沟街道", (991, 1000)),
                    ("沟口街道", (950, 1000)),
                    ("星海镇", (964, 1000)),
                )
            ),
        ),
        (
            "平罗县",
            tuple(
                (name, rate, name == "崇岗镇")
                for name, rate in (
                    ("城关镇", (988, 1000)),
                    ("黄渠桥镇", (982, 1000)),
                    ("宝丰镇", (978, 1000)),
                    ("头闸镇", (990, 1000)),
                    ("姚伏镇", (887, 1000)),
                    ("崇岗镇", (964, 1000)),
                    ("陶乐镇", None),
                )
            ),
        ),
    ),
    quality=(
        Fact(label="节点按时上报", value="361 / 366"),
        Fact(label="消息验签失败", value="0"),
        Fact(label="序号缺口待补", value="2 处 · 19 条"),
        Fact(label="重复或重放已拒", value="41"),
        Fact(label="证书 30 日内到期", value="3 个"),
    ),
    coverage="覆盖 361 / 366 个节点",
    missing=("陶乐镇 3 天未报", "庙庙湖村 1 天 6 小时未报"),
)

EVIDENCE_PLAIN = EvidenceView(check_action="/evidence")
EVIDENCE_CASE = EvidenceView(
    check_action="/evidence",
    no=CASE.no,
    item=CASE.item,
    export_href="/cases/x/evidence.ldj",
    facts=(
        Fact(label="步骤", value="7 步，4 级"),
        Fact(label="证书", value="5 张，到市级根"),
        Fact(label="大小", value="约 18 KB"),
    ),
    gaps=("第 6 步（平罗县民政局 决定）还没有到本站",),
)
EVIDENCE_MAKING = replace(
    EVIDENCE_CASE, gaps=(), progress=Progress(words="正在收集第 3 步，共 7 步", done=3, total=7)
)
EVIDENCE_GOOD = replace(
    EVIDENCE_PLAIN,
    result=Checked(
        ok=True,
        words="全部 2 步验签通过，链条完整",
        no=CASE.no,
        steps=STEPS,
        facts=(
            Fact(label="市级根", value="3F9A 12B0 … C417", number=True),
            Fact(label="文件指纹", value="77AA 11BB … 0C1D", number=True),
        ),
    ),
)
EVIDENCE_BAD = replace(
    EVIDENCE_PLAIN,
    result=Checked(
        ok=False,
        words="第 4 步被改动过：内容与签名不符",
        no=CASE.no,
        steps=CASE_REMOTE.steps,
        facts=(Fact(label="文件指纹", value="9900 11BB … 0C1D", number=True),),
    ),
)
EVIDENCE_UNREADABLE = replace(EVIDENCE_PLAIN, error="这不是证据文件：第 1 行不是 JSON")

USERS = UsersView(
    rows=(
        UserRow(
            name="张蕾",
            login="zhanglei",
            staff_no="T0103",
            roles=(Tag(text="窗口人员"), Tag(text="首席代表", tone=Tone.CALM)),
            state=Tag(text="在用", tone=Tone.GOOD),
            last_seen=ago(minutes=5),
            department="自然资源局",
            href="/users/zhanglei",
        ),
        UserRow(
            name="李敏",
            login="limin",
            staff_no="T0104",
            roles=(Tag(text="审核人员"),),
            state=Tag(text="锁定至 14:05", tone=Tone.ALARM),
            last_seen=ago(days=2),
            department="住房和城乡建设局",
            href="/users/limin",
        ),
        UserRow(
            name="马国平",
            login="magp",
            staff_no="T0101",
            roles=(Tag(text="中心主任"), Tag(text="管理员", tone=Tone.WARN)),
            state=Tag(text="待首次登录", tone=Tone.WARN),
            last_seen=None,
            href="/users/magp",
        ),
        UserRow(
            name="王芳",
            login="wangfang",
            staff_no="T0099",
            roles=(Tag(text="窗口人员"),),
            state=Tag(text="停用"),
            last_seen=ago(days=80),
            href="/users/wangfang",
        ),
    ),
    form=FormView(
        action=links.USERS,
        submit="新增用户",
        fields=(
            Field(name="name", label="姓名", required=True, half=True),
            Field(name="login", label="用户名", required=True, half=True, error="已有人使用 limin"),
            Field(name="staff_no", label="工号", required=True, half=True),
            Field(name="window", label="窗口", half=True),
            Field(
                name="roles",
                label="岗位",
                kind="checks",
                value="clerk",
                required=True,
                choices=(
                    Choice(value="agent", label="代办员"),
                    Choice(value="clerk", label="窗口人员"),
                    Choice(value="reviewer", label="审核人员"),
                    Choice(value="chief", label="首席代表"),
                    Choice(value="head", label="中心主任"),
                    Choice(value="admin", label="管理员", hint="不能同时是审计员"),
                    Choice(value="auditor", label="审计员"),
                ),
            ),
        ),
    ),
    password_once="Kq7-手写-82mT",
)

AUDIT = AuditView(
    rows=(
        AuditRow(
            n=48_213,
            at=ago(minutes=3),
            who="张蕾 T0103",
            what="查看个人信息",
            about=f"办件 {case_tail(CASE.no)}",
            reason="核对身份证号",
            source="10.64.2.31",
            tone=Tag(text="个人信息", tone=Tone.WARN),
            href=links.case(CASE.no),
        ),
        AuditRow(
            n=48_212,
            at=ago(minutes=9),
            who="张蕾 T0103",
            what="受理",
            about=f"办件 {case_tail(ROWS[1].no)}",
            source="10.64.2.31",
            href=links.case(ROWS[1].no),
        ),
        AuditRow(
            n=48_211,
            at=ago(minutes=40),
            who="limin",
            what="登录失败",
            about="第 5 次，锁定 30 分钟",
            source="10.64.2.77",
            tone=Tag(text="异常", tone=Tone.ALARM),
        ),
        AuditRow(
            n=48_210,
            at=ago(hours=2),
            who="马国平 T0101",
            what="新增用户",
            about="wangfang",
            source="10.64.2.30",
        ),
    ),
    filters=(
        Field(name="q", label="查找", kind="search", hint="人员、办件编号"),
        Field(
            name="what",
            label="动作",
            kind="select",
            choices=(Choice(value="", label="全部动作"), Choice(value="view", label="查看个人信息")),
        ),
    ),
    action=links.AUDIT,
    cursor=Cursor(older="/audit?after=x", words="新的在前"),
    chain_ok=True,
    chain_words="链条完整，共 48,213 条，13:40 校验",
    chain_head=CERT,
)
AUDIT_BROKEN = replace(
    AUDIT,
    chain_ok=False,
    chain_words="第 31,002 条与前一条对不上：日志可能被改动过，请立即报告上级并保全数据库",
)

COVERING = Covering(as_of=NOW, words="覆盖 13 个乡镇中的 12 个；陶乐镇 3 天未报，其数字停在 3月14日")
COVERING_CITY = Covering(as_of=NOW, words="覆盖 361 / 366 个节点；陶乐镇 3 天未报，庙庙湖村 1 天 6 小时未报")
CUT = Line(peer="平罗县", connected=False, since=ago(minutes=12), waiting=3)
DONE = Notice(
    text="已受理。受理通知书 平黄受字〔2025〕00012号 已生成，侯家梁村将收到告知。",
    href="#",
    label="打印通知书",
)
