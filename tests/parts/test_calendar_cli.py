"""`liandong calendar` answers with the day, whether it is provisional, and from which calendar."""

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from node.calendar_cli import calendar


def run(*words: str) -> dict[str, object]:
    result = CliRunner().invoke(calendar, [*words, "--region", "640200", "--json"])
    assert result.exit_code == 0, result.output
    answer = orjson.loads(result.output)
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize(
    ("words", "due", "provisional"),
    [
        (("2025-01-20", "20"), "2025-02-21", False),
        (("2025-03-03", "20", "--extend", "10"), "2025-04-15", False),
        (
            ("2025-03-03", "20", "--pause", "2025-03-10..2025-03-17", "--pause", "2025-03-13..2025-03-20"),
            "2025-04-11",
            False,
        ),
        (("2020-05-20", "5"), "2020-05-29", False),
        (("2025-01-31", "1", "--unit", "month"), "2025-02-28", False),
        (("2026-12-20", "20", "--unit", "day"), "2027-01-11", True),
    ],
)
def test_due(words: tuple[str, ...], due: str, provisional: bool) -> None:
    answer = run("due", *words)
    assert (answer["due"], answer["provisional"]) == (due, provisional)
    assert answer["region"] == "640200000000"
    assert str(answer["calendar"]).startswith("2026-")


def test_elapsed() -> None:
    assert run("elapsed", "2013-09-27", "2013-10-14")["working_days"] == 8
    assert run("elapsed", "2026-12-27", "2027-01-05")["provisional"] is True


def test_in_words() -> None:
    result = CliRunner().invoke(calendar, ["due", "2026-12-20", "20", "--region", "64"])
    assert "暂定" in result.output
    assert "2026-12-31" in result.output


@pytest.mark.parametrize(
    "words",
    [
        ("due", "2025-13-01", "5", "--region", "640200"),
        ("due", "2025-01-01", "5", "--region", "6402x0"),
        ("due", "2025-01-01", "-5", "--region", "640200"),
        ("due", "2025-01-01", "5", "--region", "640200", "--pause", "2025-01-05"),
        ("due", "2025-01-01", "5", "--region", "640200", "--pause", "2025-01-05..2025-01-01"),
        ("due", "9999-12-30", "20", "--region", "640200"),
        ("due", "2025-01-01", "5"),
    ],
)
def test_refused(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(calendar, list(words))
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output


def test_a_wrong_regional_file(tmp_path: Path) -> None:
    file = tmp_path / "regional.csv"
    file.write_text("region,date,name\n6400,2025-01-01,节\n", encoding="utf-8")
    result = CliRunner().invoke(
        calendar, ["due", "2025-01-01", "5", "--region", "640200", "--holidays", str(file)]
    )
    assert (result.exit_code, "第 2 行" in result.output) == (1, True)
