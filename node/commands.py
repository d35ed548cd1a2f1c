"""A command line whose commands are imported when they are used.

One rule: to verify a file one need not load a web server. A command is known by its name, a line of help, and where
it lives.
"""

from importlib import import_module
from typing import Any

import click


class Commands(click.Group):
    """A click group; `later` adds a command without importing it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._later: dict[str, tuple[str, str]] = {}

    def later(self, name: str, home: str, about: str) -> None:
        """Add the command at `home` (module:name) under this name; `about` stands in the list of commands."""
        self._later[name] = (home, about)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, sorted."""
        return sorted({*super().list_commands(ctx), *self._later})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now if it was not yet."""
        if cmd_name in self._later and cmd_name not in self.commands:
            module, _, name = self._later[cmd_name][0].partition(":")
            self.add_command(getattr(import_module(module), name), cmd_name)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in the help, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._about(ctx, name)) for name in self.list_commands(ctx)])

    def _about(self, ctx: click.Context, name: str) -> str:
        if name in self._later:
            return self._later[name][1]
        command = self.get_command(ctx, name)
        return command.get_short_help_str() if command else ""
