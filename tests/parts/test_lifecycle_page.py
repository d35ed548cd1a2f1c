"""The diagram in the documents is the table."""

from pathlib import Path

from protocol.lifecycle import diagram

PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"


def test_the_page_shows_the_table() -> None:
    assert f"```mermaid\n{diagram()}```" in PAGE.read_text(encoding="utf-8")
