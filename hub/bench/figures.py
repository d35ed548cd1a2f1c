"""What the rounds say: medians, ratios, every value kept beside them."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.bench.meter import Spent, middle, percentile, rounded


@dataclass(slots=True)
class Rounds:
    """Every round's values by name."""

    spent: dict[str, list[Spent]] = field(default_factory=lambda: defaultdict(list))
    server_us: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Processor of the hub's server for each event or message."""
    memory: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    together_s: list[tuple[float, float]] = field(default_factory=list)
    """Backlog to applied, backlog to receipted."""
    latencies_ms: list[float] = field(default_factory=list)

    def per_s(self, name: str) -> list[float]:
        """Rates of each round."""
        return [one.per_s for one in self.spent[name]]

    def cpu_us(self, name: str) -> list[float]:
        """Processor time of each round, for one event or message."""
        return [one.cpu_us for one in self.spent[name]]


def report(
    found: Rounds, about: Mapping[str, Any], *, events: int, samples: Mapping[str, int]
) -> dict[str, Any]:
    """Everything the command prints as JSON."""
    ratios = ratios_of(found)
    return {
        "events": events,
        "rounds": len(found.together_s),
        "end_to_end": _end_to_end(found),
        **{name: middle(values) for name, values in ratios.items()},
        "latency_ms": {"p50": percentile(found.latencies_ms, 50), "p99": percentile(found.latencies_ms, 99)},
        "memory": {side: growth(values) for side, values in found.memory.items()},
        "components": _components(found),
        "samples": dict(samples),
        "machine": dict(about),
        "values": {
            "ratios": {name: [rounded(one) for one in values] for name, values in ratios.items()},
            "per_s": {name: [rounded(one) for one in found.per_s(name)] for name in found.spent},
            "cpu_us": {name: [rounded(one) for one in found.cpu_us(name)] for name in found.spent},
            "together_s": [[rounded(a), rounded(b)] for a, b in found.together_s],
            "memory_mib": {side: [rounded(one) for one in values] for side, values in found.memory.items()},
            "latency_ms": sorted(rounded(one) for one in found.latencies_ms),
        },
    }


def ratios_of(found: Rounds) -> dict[str, list[float]]:
    """The goals' ratios, round by round."""

    def by_round(of: Callable[[str], list[float]], above: str, below: str) -> list[float]:
        return [a / b for a, b in zip(of(above), of(below), strict=True) if b]

    bound = [a + b for a, b in zip(found.cpu_us("decode"), found.cpu_us("apply"), strict=True)]
    return {
        "receive_efficiency": [a / b for a, b in zip(bound, found.cpu_us("receive"), strict=True)],
        "vs_naive": by_round(found.per_s, "receive", "naive"),
        "vs_careful": by_round(found.per_s, "receive", "careful"),
        "vs_raw_fetch": by_round(found.per_s, "receive", "raw_fetch"),
    }


def _end_to_end(found: Rounds) -> dict[str, Any]:
    """Filing, then from the backlog to the last receipt with both nodes at work at once."""
    filed = middle(found.per_s("file"))
    counts = [one.count for one in found.spent["carry_in"]]
    applied = middle([n / a for n, (a, _) in zip(counts, found.together_s, strict=True)])
    receipted = middle([n / b for n, (_, b) in zip(counts, found.together_s, strict=True)])
    return {
        "events_per_s": rounded(1 / (1 / filed + 1 / receipted)) if filed and receipted else 0.0,
        "filed_per_s": filed,
        "applied_per_s": applied,
        "receipted_per_s": receipted,
        "cpu_us": {
            "file": middle(found.cpu_us("file")),
            "sender": middle(found.cpu_us("carry_out")),
            "receiver": middle(found.cpu_us("carry_in")),
            "server": middle(found.server_us["together"]),
        },
    }


def _components(found: Rounds) -> dict[str, Any]:
    return {
        name: {
            "per_s": middle(found.per_s(name)),
            "cpu_us": middle(found.cpu_us(name)),
            "server_us": middle(found.server_us[name]),
        }
        for name in found.spent
        if name not in ("file", "carry_out", "carry_in")
    }


def growth(values: list[float]) -> dict[str, float]:
    """Memory after the second round and after the last: the first two fill what is kept for good."""
    settled = values[min(1, len(values) - 1)]
    grown = (values[-1] / settled - 1) * 100 if settled else 0.0
    return {
        "settled_mib": rounded(settled),
        "last_mib": rounded(values[-1]),
        "growth_percent": round(grown, 1),
    }
