"""The goals, and the reports as plain tables with met or missed on each line.

One rule: a goal is a ratio, a bound on memory or a latency; never an absolute rate, which is the machine's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import east_asian_width

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """One line that must hold."""

    name: str
    value: Callable[[Report], float]
    limit: float
    at_least: bool = True
    unit: str = ""

    def met(self, report: Report) -> bool:
        """Whether the report keeps it."""
        value = self.value(report)
        return value >= self.limit if self.at_least else value <= self.limit

    def line(self, report: Report) -> tuple[str, str, str, str]:
        """Name, value, goal, verdict."""
        sign = "≥" if self.at_least else "≤"
        verdict = "达到" if self.met(report) else "未达到"
        return (
            self.name,
            f"{self.value(report):g} {self.unit}".strip(),
            f"{sign} {self.limit:g} {self.unit}".strip(),
            verdict,
        )


FEDERATION = (
    Goal("接收效率（只解码入库的 CPU ÷ 接收全程的 CPU）", lambda r: r["receive_efficiency"], 0.70),
    Goal("收件速率 ÷ 逐条 ORM（naive）", lambda r: r["vs_naive"], 30, unit="倍"),
    Goal("收件速率 ÷ 逐条 Core（careful）", lambda r: r["vs_careful"], 8, unit="倍"),
    Goal("收件速率 ÷ 总线空取 1 KiB", lambda r: r["vs_raw_fetch"], 0.45),
    Goal("空闲时提交到对方入库，中位数", lambda r: r["latency_ms"]["p50"], 50, at_least=False, unit="ms"),
    Goal(
        "各轮之间内存增长，接收方",
        lambda r: r["memory"]["receiver"]["growth_percent"],
        10,
        at_least=False,
        unit="%",
    ),
    Goal(
        "各轮之间内存增长，发送方",
        lambda r: r["memory"]["sender"]["growth_percent"],
        10,
        at_least=False,
        unit="%",
    ),
)

FLEET = (
    Goal("每多一个节点的内存", lambda r: r["per_further_node"]["rss_mib"], 1, at_least=False, unit="MiB"),
    Goal(
        "每多一个节点空闲时占一个核",
        lambda r: r["per_further_node"]["idle_core_percent"],
        0.1,
        at_least=False,
        unit="%",
    ),
    Goal(
        "一个村站自己的进程（liandong serve）",
        lambda r: r["village_process_mib"],
        120,
        at_least=False,
        unit="MiB",
    ),
)

NAMES = {
    "sign": "只签名（64 件一签）",
    "verify": "只验签",
    "decode": "只解码",
    "apply": "只入库",
    "raw_publish": "总线空发 1 KiB",
    "raw_fetch": "总线空取 1 KiB",
    "parcel_publish": "总线空发邮包",
    "parcel_fetch": "总线空取邮包",
    "send": "发送全程（发件箱到枢纽）",
    "receive": "接收全程（枢纽到入库、回执）",
    "hear": "收回执",
    "naive": "逐条 ORM",
    "careful": "逐条 Core",
}


def federation_table(report: Report) -> str:
    """The report of `liandong bench federation` for people."""
    whole, late = report["end_to_end"], report["latency_ms"]
    cpu = whole["cpu_us"]
    rows = [("分项", "每秒", "CPU 微秒", "枢纽 CPU 微秒")]
    rows += [
        (NAMES[name], f"{one['per_s']:,.0f}", f"{one['cpu_us']:.4g}", f"{one['server_us']:.3g}")
        for name, one in report["components"].items()
    ]
    lines = [
        f"{report['events']} 个事件，{report['rounds']} 轮，中位数；{_place(report['machine'])}",
        f"全程（登记到回执）每秒 {whole['events_per_s']:,.0f} 件；其中登记办理 {whole['filed_per_s']:,.0f}",
        f"积压到入库每秒 {whole['applied_per_s']:,.0f} 件，到回执 {whole['receipted_per_s']:,.0f} 件",
        f"每件 CPU 微秒：登记 {cpu['file']:g}，发送方 {cpu['sender']:g}，接收方 {cpu['receiver']:g}，枢纽 {cpu['server']:g}",
        f"空闲时延 p50 {late['p50']:g} ms，p99 {late['p99']:g} ms",
        "",
        *table(rows),
        "",
        *table([("目标", "实测", "要求", ""), *(goal.line(report) for goal in FEDERATION)]),
    ]
    samples = report["samples"]
    lines.append(
        f"逐条方式只测样本：ORM {samples['naive']} 件，Core {samples['careful']} 件；空取空发 {samples['raw']} 件。"
    )
    return "\n".join(lines)


def fleet_table(report: Report) -> str:
    """The report of `liandong bench fleet` for people."""
    rows = [
        ("", "节点", "内存 MiB", "空闲占一个核 %", "线程", "打开的文件", "枢纽内存 MiB", "枢纽占一个核 %")
    ]
    for name, count in (("fleet", report["nodes"]), ("one", 1), ("serve", 1)):
        one = report[name]
        rows.append(
            (
                {"fleet": "同一进程", "one": "独自一个", "serve": "liandong serve"}[name],
                f"{count}",
                f"{one['rss_mib']:g}",
                f"{one['idle_core_percent']:g}",
                f"{one['threads']}",
                f"{one['files']}",
                f"{sum(one['servers_mib']):g}",
                f"{one['servers_core_percent']:g}",
            )
        )
    lines = [
        f"{report['nodes']} 个节点、{report['hubs']} 个枢纽在一个进程里；{_place(report['machine'])}",
        f"打开 {report['opened_s']:g} 秒，目录到齐并回执 {report['ready_s']:g} 秒",
        "",
        *table(rows),
        "",
        *table([("目标", "实测", "要求", ""), *(goal.line(report) for goal in FLEET)]),
    ]
    if storm := report["storm"]:
        lines.append(
            f"重连风暴：枢纽全停时 {storm['villages']} 个村登记 {storm['cases']} 件（{storm['deliveries']} 份投递），"
            f"恢复后 {storm['drained_s']:g} 秒全部入库并回执，每秒 {storm['deliveries_per_s']:g} 份；"
            f"市级见到 {storm['cases_at_city']} 件，隔离 {storm['set_aside']} 件"
        )
    return "\n".join(lines)


def _place(about: Report) -> str:
    return f"{about['processor']} × {about['cores']}，{about['at']}，开始时负载 {about['load_before'][0]:g}"


def table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows in columns; the first column to the left, the others to the right."""
    widths = [max(_width(row[at]) for row in rows) for at in range(len(rows[0]))]
    found = []
    for row in rows:
        cells = [
            _padded(cell, width, left=at == 0)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        found.append("  ".join(cells).rstrip())
    return found


def _width(text: str) -> int:
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def _padded(text: str, width: int, *, left: bool) -> str:
    room = " " * (width - _width(text))
    return text + room if left else room + text
