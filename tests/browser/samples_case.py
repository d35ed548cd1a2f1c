"""A case page with every panel filled: clock account, suspensions, shares, joint parts, findings, what waits. Names are invented."""

from dataclasses import replace
from datetime import date

from node.pages import links
from node.pages.views.cases import Action, Document, PersonalField, Step
from node.pages.views.clock import ClockView, FindingLine, JointBrief, JointLine, PauseLine, ShareLine
from node.pages.views.common import Choice, Fact, Field, Light, Limit, StopState, Tag, Tone
from node.pages.views.line import Stage
from node.pages.views.materials import FileView, Material, Papers, Sent
from tests.browser import samples as s

NO = s.no("20250213", 4, "X")
HERE = Tag(text="已到", tone=Tone.GOOD)


def _words(act: str, label: str, **more: object) -> Action:
    """An act with one thing to say."""
    asked = Field(name="opinion", label="意见", kind="textarea", required=True, maxlength=1000)
    return Action(key=act, label=label, action=f"/act/{act}", fields=(asked,), **more)  # type: ignore[arg-type]


ACTIONS = (
    _words("review", "提出审查意见", rank="main", hint="三个环节已答复两个；联办结束后才可审签。"),
    Action(key="joint-visit", label="约定联合踏勘", action="/act/joint-visit", href=f"{links.case(NO)}/joint-visit"),
    Action(key="joint-minutes", label="签署踏勘纪要", action="/act/joint-minutes", href=f"{links.case(NO)}/minutes"),
    Action(
        key="suspend", label="启动特别程序", action="/act/suspend", hint="须打印告知书；期间不计入时限。",
        fields=(
            Field(
                name="kind", label="特别程序", kind="radio", required=True,
                choices=(Choice(value="村级公示", label="村级公示"), Choice(value="测绘", label="测绘（最长 10 日）")),
            ),
        ),
    ),
    _words("extend", "申请延期"),
    _words("bill", "开具缴款通知书"),
    _words("forward", "移交"),
    _words("void", "申请作废", rank="danger", confirm="作废须第二人批准。确定提出吗？"),
)  # fmt: skip

CLOCK = ClockView(
    facts=(
        Fact(label="承诺", value="15 个工作日，2025年3月21日前"),
        Fact(label="法定", value="20 个工作日，2025年3月28日前"),
        Fact(label="延期", value="10 个工作日，2025年3月14日 由 S101-03 批准：第三方测绘单位退场，须重新委托"),
        Fact(label="暂定", value="日历尚未公布到办结日，公布后重新计算并留痕"),
        Fact(label="工作日历", value="石嘴山市 2025 年工作日历 第 3 版"),
    ),
    coming=(
        Fact(label="本级报送", value="2025年3月19日前"),
        Fact(label="容缺后补", value="四邻签字的宅基地界址确认书、村民会议记录，2025年3月24日前"),
        Fact(label="答复转告", value="2025年3月24日前"),
        Fact(label="送达", value="2025年4月4日前"),
    ),
    pauses=(
        PauseLine(
            kind="村级公示", basis="《中华人民共和国土地管理法》第六十二条、宁夏农村宅基地管理办法",
            words="2025年2月20日至2025年2月27日，5 个工作日不计入", open=False,
        ),
        PauseLine(
            kind="测绘", basis="《中华人民共和国行政许可法》第四十五条",
            words="2025年3月10日起，进行中，最长 10 日；期间不计入，办结日顺延", open=True,
        ),
    ),
    shares=(
        ShareLine(owner="本级办理", place="黄渠桥镇", workdays=12, counted=7, hours="84小时05分"),
        ShareLine(owner="上级办理", place="平罗县自然资源局", workdays=3, counted=3, hours="21小时40分"),
        ShareLine(owner="在途", place="黄渠桥镇", workdays=1, counted=1, hours="0小时48分"),
        ShareLine(owner="申请人", place="侯家梁村", workdays=4, counted=0, hours="28小时00分"),
    ),
    elapsed="134小时33分",
)  # fmt: skip

JOINTS = (
    JointBrief(
        name="农村宅基地和建房联审", words="已答复 2 / 4 个环节，期限2025年3月20日", href=f"/joint/{NO}/1",
        lines=(
            JointLine(name="用地和规划审查", department="平罗县　自然资源局", limit=Limit.closed("已答复"), state=Tag(text="同意", tone=Tone.GOOD)),
            JointLine(name="建房设计图审查", department="平罗县　住房和城乡建设局", limit=Limit.running(0, due=date(2025, 3, 17)), state=Tag(text="已承诺", tone=Tone.CALM)),
            JointLine(name="河道和渠道管理范围核查", department="平罗县　水务局", limit=Limit(light=Light.OVER, words="未答复"), state=Tag(text="超时默许", tone=Tone.ALARM)),
            JointLine(name="林地占用核查", department="平罗县　自然资源局（林业和草原局）", limit=Limit.running(3, due=date(2025, 3, 20)), state=Tag(text="待答复")),
        ),
    ),
    JointBrief(
        name="集中踏勘", words="已答复 1 / 1 个环节，2025年3月3日结束", href=f"/joint/{NO}/2",
        lines=(JointLine(name="界址踏勘", department="黄渠桥镇　农业农村局", limit=Limit.closed("逾期答复"), state=Tag(text="同意", tone=Tone.GOOD)),),
    ),
)  # fmt: skip

FINDINGS = (
    FindingLine(
        rule="AB02", what="环节超时",
        words="平罗县，2025年3月13日，期限：2025-03-12，部门：水务局，程序：河道和渠道管理范围核查",
    ),
    FindingLine(rule="AB13", what="滥用特别程序", words="黄渠桥镇 S101-02，2025年3月10日，程序：测绘，情况：第二次启动"),
)  # fmt: skip

PAPERS = Papers(
    materials=(
        Material(
            name="农村宅基地和建房（规划许可）申请表", need="必要", form="原件", state=Tag(text="已收", tone=Tone.GOOD), note="1 份",
            files=(FileView(id="a1", title="申请表", kind="pdf", words="PDF 3 页", href="#", thumb="", state=HERE),),
        ),
        Material(
            name="居民身份证", need="必要", form="原件核验", state=Tag(text="已核验", tone=Tone.GOOD),
            files=(FileView(id="a2", title="居民身份证（1）", kind="identity", words="", href="/act/file", thumb="", state=HERE),),
        ),
        Material(
            name="四邻签字的宅基地界址确认书", need="容缺后补", form="原件核验", state=Tag(text="容缺", tone=Tone.WARN), note="3月24日前补",
            files=(
                FileView(id="a3", title="界址确认书（1）", kind="photo", words="", href="", thumb="", state=Tag(text="传送中 40%"), parts=10, have=4, coming=True),
                FileView(id="a4", title="界址确认书（2）", kind="photo", words="", href="", thumb="", state=Tag(text="已按期限删除")),
            ),
        ),
        Material(name="村民会议记录", need="必要", form="复印件", state=Tag(text="缺", tone=Tone.ALARM)),
    ),
    arrived=2, total=3,
    sent=(
        Sent(place="平罗县", words="材料已到 2 / 3 份", lacking=True),
        Sent(place="石嘴山市自然资源局", words="材料已到 3 / 3 份", lacking=False),
    ),
)  # fmt: skip

STEPS = (
    replace(s.STEPS[0], at=s.ago(days=32)),
    replace(s.STEPS[1], at=s.ago(days=32), reach=()),
    Step(
        n=3, word="镇", place="黄渠桥镇", what="受理", at=s.ago(days=28), who="张蕾 S101-01", proof=s.PROOF,
        clock="计时开始，承诺办结日 2025年3月7日", document="受理通知书 平黄受字〔2025〕00009号",
    ),
    Step(
        n=4, word="镇", place="黄渠桥镇", what="启动特别程序", at=s.ago(days=25), who="李敏 S101-02", proof=s.PROOF,
        text="村级公示，公示栏照片已附。", clock="计时中止", document="特别程序告知书 平黄特字〔2025〕00002号",
    ),
    Step(n=5, word="镇", place="黄渠桥镇", what="发起联办", at=s.ago(days=12), who="李敏 S101-02", proof=s.PROOF),
    Step(
        n=0, word="县", place="平罗县", what="协办意见：用地和规划审查", at=s.ago(days=6), who="自然资源局 C0042",
        sealed=True, proof=s.PROOF, reach=(s.reach("黄渠桥镇", Stage.APPLIED, at=s.ago(days=6)),),
    ),
    Step(
        n=6, word="镇", place="黄渠桥镇", what="延期", at=s.ago(days=3), who="罗建平 S101-03", proof=s.PROOF,
        text="第三方测绘单位退场，须重新委托。", clock="承诺办结日改为 2025年3月21日",
        reach=(
            s.reach("侯家梁村", Stage.APPLIED, at=s.ago(days=3), files="材料已到 3 / 3 份"),
            s.reach("平罗县", Stage.SENT, at=s.ago(days=3), late=True, reason="等回执 3 天"),
        ),
    ),
)  # fmt: skip

CASE_FULL = replace(
    s.CASE,
    no=NO,
    item="农村村民宅基地(建房)审批",
    item_href=links.item("SZS-052"),
    item_version="第 3 版",
    kind="承诺件 · 联办",
    state=Tag(text="特别程序", tone=Tone.WARN),
    limit=replace(
        Limit.stopped("特别程序", basis="承诺 15 个工作日，延期 10 个工作日，特别程序期间不计入"),
        due=date(2025, 3, 21), statutory_due=date(2025, 3, 28), provisional=True,
    ),
    stops=(
        replace(s.RAIL[0], when=s.ago(days=32)),
        replace(s.RAIL[1], what="审查中", when=s.ago(days=3), who="李敏", note="联办期限 3月20日", mark="签名已验"),
        replace(s.RAIL[2], name="平罗县", what="", note="跟踪进度，不见个人信息", state=StopState.AHEAD),
        s.RAIL[3],
    ),
    personal=(
        PersonalField(label="姓名", masked="赵**"),
        PersonalField(label="身份证号码", masked="640221********0036"),
        PersonalField(label="联系电话", masked="138****0000"),
        PersonalField(label="住址", masked="平罗县黄渠桥镇侯家梁村三组"),
    ),
    facts=(
        Fact(label="受理起点", value="侯家梁村"),
        Fact(label="登记日期", value="2025年2月13日"),
        Fact(label="承办单位", value="黄渠桥镇"),
        Fact(label="岗位", value="农业农村窗口：李敏（S101-02），B角顶岗，A角 马国平 请假至 2025年3月21日"),
        Fact(label="主管部门", value="农业农村局"),
        Fact(label="收费", value="不动产登记费 80.00 元，已缴 0.00 元，缴款通知书 平黄缴〔2025〕00003号 待缴"),
        Fact(label="受理日期", value="2025年2月17日"),
        Fact(label="代办委托", value="杨志强（D0203），交件、领件、代收文书，至 2025-12-31"),
        Fact(label="服务方式", value="上门服务；全程代办（专人 D0203，侯家梁村三组）"),
        Fact(label="全程代办", value="赵家新建住房", href=links.project("XM-2025-0004")),
        Fact(label="备注", value="老宅已拆除，原宅基地由村集体收回；申请人暂住平罗县城。"),
    ),
    papers=PAPERS,
    steps=STEPS,
    actions=ACTIONS,
    documents=(
        *s.CASE.documents,
        Document(name="受理通知书", number="平黄受字〔2025〕00009号", at=s.ago(days=28), href="#", printed=2),
        Document(name="特别程序告知书", number="尚未取号", at=s.ago(days=7), href="#"),
    ),
    evidence_href=links.evidence(NO),
    slip_href=links.slip(NO),
    nothing_to_do="其他岗位可办：审签决定、结束联办。",
    clock=CLOCK,
    joints=JOINTS,
    waiting=(
        "延期：李敏 于 2025年3月17日提出，等另一人批准。理由：测绘报告预计 3月25日 才能提交",
        "作废：张蕾 于 2025年3月17日提出，等另一人批准",
    ),
    advice=(
        Tag(text="审查意见：不同意（李敏）：四至与邻宅有争议，公示期间有异议未处理", tone=Tone.WARN),
        Tag(text="本事项须联合办理：请先发起联办，抄告各协办单位，再审查。", tone=Tone.CALM),
    ),
    failure="另一位同事刚刚办过这一步，请看办理经过后再办。",
    findings=FINDINGS,
)  # fmt: skip
"""What a township officer sees of a homestead in the middle of its joint handling."""
