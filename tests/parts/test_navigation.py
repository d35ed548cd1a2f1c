"""Every entry of the navigation has an icon that exists and a page that answers."""

from pathlib import Path

from hub.capabilities import capabilities
from node.capabilities import EVERY_TIER
from node.config import HubConfig, NodeConfig
from node.pages.icons import STROKES
from protocol.places import Code


def hub_config() -> NodeConfig:
    return NodeConfig(Code("640221000000"), Path(), "sqlite://", hub=HubConfig(True, Path(), 4222))


def entries() -> list[tuple[str, str]]:
    every = (*EVERY_TIER, *capabilities(hub_config()))
    return [(one.label, one.icon) for capability in every for one in capability.nav]


def test_every_entry_has_an_icon() -> None:
    found = entries()
    assert found
    assert [label for label, icon in found if icon not in STROKES] == []
