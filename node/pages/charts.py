"""Charts drawn on the server: SVG with a title, a description and the same numbers as a table.

One rule: no scaling text. Positions across are percentages of the drawing's width and heights are
pixels, so a chart is as readable at 390 pixels as at 1366. Colours come from classes of the stylesheet.
"""
# ruff: noqa: S704 - every value is escaped or a number.

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup, escape

from node.pages.words import percent, thousands

LEFT = 9.0
"""Percent of the width kept for the scale."""


def _nice_top(largest: int) -> int:
    """A round number at or above `largest`, at least 4, that four grid lines divide."""
    step = 1
    while True:
        for factor in (4, 8, 12, 20, 40):
            if factor * step >= largest:
                return factor * step
        step *= 10


def _table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The numbers behind a chart, folded away."""
    cells = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(
        "<tr>"
        f'<th scope="row">{escape(row[0])}</th>'
        + "".join(f'<td class="n">{escape(cell)}</td>' for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<details class="chart-table"><summary>数据表</summary><div class="scroll" tabindex="0" role="region" '
        f'aria-label="{escape(caption)}数据表"><table class="tbl"><thead><tr>{cells}</tr></thead><tbody>{body}'
        f"</tbody></table></div></details>"
    )


def _svg(title: str, said: str, height: int, inner: str) -> str:
    """An SVG of full width that says what it shows."""
    return (
        f'<svg class="chart" width="100%" height="{height}" role="img" aria-label="{escape(title)}：{escape(said)}">'
        f"<title>{escape(title)}</title><desc>{escape(said)}</desc>{inner}</svg>"
    )


def _scale(top: float, bottom: float, labels: Sequence[str]) -> str:
    """Horizontal grid lines from bottom to top with their labels."""
    gap = (bottom - top) / (len(labels) - 1)
    return "".join(
        f'<line class="grid" x1="{LEFT}%" x2="100%" y1="{bottom - gap * i:.1f}" y2="{bottom - gap * i:.1f}"/>'
        f'<text class="scale" x="{LEFT - 1.5}%" y="{bottom - gap * i + 4:.1f}" text-anchor="end">{escape(label)}</text>'
        for i, label in enumerate(labels)
    )


def bars(title: str, rows: Sequence[tuple[str, int]], unit: str = "件") -> Markup:
    """Horizontal bars, one a row; an ordered list that reads well without its drawing."""
    largest = max((value for _, value in rows), default=0) or 1
    lines = "".join(
        f'<li><span class="bl">{escape(name)}</span><svg class="bb" width="100%" height="12" aria-hidden="true">'
        f'<rect class="s2" width="{100 * value / largest:.1f}%" height="12"/></svg>'
        f'<span class="bv">{thousands(value)}<span class="off"> {escape(unit)}</span></span></li>'
        for name, value in rows
    )
    return Markup(f'<ol class="bars" aria-label="{escape(title)}">{lines}</ol>')


def stacked(
    title: str,
    labels: Sequence[str],
    series: Sequence[tuple[str, Sequence[int]]],
    unit: str = "件",
) -> Markup:
    """Stacked columns: `series` lowest first, one value per label."""
    height, top, bottom = 232, 14.0, 204.0
    totals = [sum(values[i] for _, values in series) for i in range(len(labels))]
    peak = _nice_top(max(totals, default=0))
    slot = (100 - LEFT) / max(1, len(labels))
    inner = [_scale(top, bottom, [thousands(peak * i // 4) for i in range(5)])]
    for i, label in enumerate(labels):
        x, y = LEFT + slot * i, bottom
        for rank, (name, values) in enumerate(series):
            tall = (bottom - top) * values[i] / peak
            y -= tall
            inner.append(
                f'<rect class="s{rank}" x="{x + slot * 0.24:.2f}%" width="{slot * 0.52:.2f}%" y="{y:.1f}" '
                f'height="{tall:.1f}"><title>{escape(label)} {escape(name)} {values[i]:,} {escape(unit)}</title></rect>',
            )
        inner.append(
            f'<text class="scale" x="{x + slot / 2:.2f}%" y="{bottom + 20:.0f}" text-anchor="middle">{escape(label)}</text>',
        )
    said = "，".join(f"{label} {total:,} {unit}" for label, total in zip(labels, totals, strict=True))
    legend = "".join(
        f'<span><svg width="10" height="10" aria-hidden="true"><rect class="s{rank}" width="10" height="10"/></svg>{escape(name)}</span>'
        for rank, (name, _) in enumerate(series)
    )
    table = _table(
        title,
        ["", *(name for name, _ in series), "合计"],
        [
            [label, *(thousands(values[i]) for _, values in series), thousands(totals[i])]
            for i, label in enumerate(labels)
        ],
    )
    return Markup(
        f'<figure><div class="legend">{legend}</div>{_svg(title, said, height, "".join(inner))}{table}</figure>'
    )


def rates(title: str, points: Sequence[tuple[str, tuple[int, int]]], target: float | None = None) -> Markup:
    """A line of percentages; a month without cases leaves a gap, never a zero."""
    height, top, bottom = 232, 18.0, 204.0
    values = [100 * part / whole if whole else None for _, (part, whole) in points]
    known = [v for v in [*values, target] if v is not None]
    low = max(0, int(min(known, default=90)) // 5 * 5 - (5 if min(known, default=90) % 5 < 1 else 0))
    slot = (100 - LEFT) / max(1, len(points))

    def y(value: float) -> float:
        return bottom - (bottom - top) * (value - low) / (100 - low or 1)

    steps = [low + (100 - low) * i / 4 for i in range(5)]
    inner = [_scale(top, bottom, [f"{v:g}%" for v in steps])]
    if target is not None:
        inner.append(
            f'<line class="target" x1="{LEFT}%" x2="100%" y1="{y(target):.1f}" y2="{y(target):.1f}"/>'
            f'<text class="target-word" x="100%" y="{y(target) + 15:.1f}" text-anchor="end">目标 {target:g}%</text>',
        )
    spots = [(LEFT + slot * (i + 0.5), v) for i, v in enumerate(values)]
    inner.extend(
        f'<line class="trend" x1="{xa:.2f}%" y1="{y(a):.1f}" x2="{xb:.2f}%" y2="{y(b):.1f}"/>'
        for (xa, a), (xb, b) in pairwise(spots)
        if a is not None and b is not None
    )
    for (x, v), (label, fraction) in zip(spots, points, strict=True):
        inner.append(
            f'<text class="scale" x="{x:.2f}%" y="{bottom + 20:.0f}" text-anchor="middle">{escape(label)}</text>'
        )
        if v is not None:
            inner.append(
                f'<circle class="spot" cx="{x:.2f}%" cy="{y(v):.1f}" r="3.500"><title>{escape(label)} {percent(fraction)}</title></circle>'
            )
    if spots and (final := spots[-1][1]) is not None:
        inner.append(
            f'<text class="last" x="{spots[-1][0]:.2f}%" y="{y(final) - 10:.1f}" text-anchor="middle">{percent(points[-1][1])}</text>'
        )
    said = "，".join(f"{label} {percent(fraction)}" for label, fraction in points)
    table = _table(
        title,
        ["", "按期", "办结", "按期办结率"],
        [[label, thousands(f[0]), thousands(f[1]), percent(f)] for label, f in points],
    )
    return Markup(f"<figure>{_svg(title, said, height, ''.join(inner))}{table}</figure>")


def spark(title: str, values: Sequence[int]) -> Markup:
    """A sparkline of columns, 72 by 20 pixels, with its numbers in the label."""
    if not values:
        return Markup('<span class="mute">—</span>')
    largest, width = max(*values, 1), 72 / len(values)
    inner = "".join(
        f'<rect class="{"s2" if i == len(values) - 1 else "s1"}" x="{i * width:.1f}" y="{20 - 18 * v / largest:.1f}" '
        f'width="{max(1.0, width - 2):.1f}" height="{18 * v / largest:.1f}"/>'
        for i, v in enumerate(values)
    )
    said = "、".join(str(v) for v in values)
    return Markup(
        f'<svg class="spark" width="72" height="20" role="img" aria-label="{escape(title)}：{said}">{inner}</svg>'
    )


def share(fraction: tuple[int, int], low: float = 0.0) -> Markup:
    """A thin bar for a fraction, counted from `low` percent so that differences show; empty without cases."""
    part, whole = fraction
    filled = max(0.0, (100 * part / whole - low) / (100 - low)) if whole else 0.0
    tone = "s2" if not whole or 100 * part >= 97 * whole else "sw"
    return Markup(
        f'<svg class="share" width="84" height="6" aria-hidden="true"><rect class="sbg" width="84" height="6"/>'
        f'<rect class="{tone}" width="{84 * filled:.1f}" height="6"/></svg>',
    )


def heat(fraction: tuple[int, int] | None) -> str:
    """The shade of an on-time rate: h0 (<90) … h5 (>=99), hx when nothing came, hn without cases."""
    if fraction is None:
        return "hx"
    part, whole = fraction
    if whole == 0:
        return "hn"
    return "h" + str(sum(100 * part >= edge * whole for edge in (90, 93, 95, 97, 99)))


def heat_strip(title: str, cells: Sequence[tuple[str, tuple[int, int] | None]]) -> Markup:
    """One row of shaded squares, e.g. a day each, with the values in words."""
    width = 100 / max(1, len(cells))
    inner = "".join(
        f'<rect class="{heat(fraction)}" x="{width * i:.3f}%" width="{width * 0.88:.3f}%" height="18">'
        f"<title>{escape(label)} {'未报' if fraction is None else percent(fraction)}</title></rect>"
        for i, (label, fraction) in enumerate(cells)
    )
    said = "，".join(f"{label} {'未报' if f is None else percent(f)}" for label, f in cells)
    return Markup(_svg(title, said, 18, inner))
