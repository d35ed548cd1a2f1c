"""The diagram in the documents is the table."""

from pathlib import Path

from protocol.lifecycle import diagram

PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"


def test_the_page_shows_the_table() -> None:
    assert f"```mermaid\n{diagram()}```" in PAGE.read_text(encoding="utf-8")


def test_only_what_was_accepted_before_is_taken_as_accepted() -> None:
    arrows = diagram().splitlines()
    taken = {arrow.split()[0] for arrow in arrows if arrow.endswith("--> accepted: 签收")}
    assert taken == {"forwarded", "bounced"}
