"""`liandong user`: accounts from the machine itself, for the first administrator and for whoever is locked out.

One rule: a password is asked for, or read from standard input; it is never an argument, which every process on the
machine could read, and never shown.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from node.accounts import actions, views
from node.accounts.entry import plain_login
from node.accounts.passwords import Passwords, check
from node.accounts.roles import Role
from node.config import NodeConfig, load
from node.db import Database
from node.work import utc_now

SITE = click.option(
    "--site",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    show_default="当前目录",
    help="站点目录",
)


@click.group()
def user() -> None:
    """账户：建立第一位管理员，重设密码，解锁。"""


@contextmanager
def _opened(site: Path) -> Iterator[tuple[NodeConfig, Database]]:
    config = load(site)
    with Database(config.database) as db:
        db.upgrade()
        yield config, db


def read_password(login: str) -> str:
    """The password as typed twice, or the first line of standard input; BadForm if it breaks the rules."""
    if sys.stdin.isatty():
        password = str(click.prompt("密码", hide_input=True, confirmation_prompt="再输入一次"))
    else:
        password = sys.stdin.readline().rstrip("\n")
    check(password, login, field="password")
    return password


@user.command("add")
@SITE
@click.option("--login", required=True, help="用户名：小写字母、数字及 . _ -")
@click.option("--name", required=True, help="姓名")
@click.option("--staff-no", required=True, help="工号，印在文书上")
@click.option(
    "--role", "roles", multiple=True, type=click.Choice([str(one) for one in Role]), help="岗位，可多次；默认管理员"
)  # fmt: skip
@click.option("--department", default="", help="部门代码，如 ZR：联办时代表哪个部门答复")
@click.option("--must-change", is_flag=True, help="首次登录须修改密码（替他人建立时）")
def add(
    site: Path, login: str, name: str, staff_no: str, roles: tuple[str, ...], department: str, must_change: bool
) -> None:  # fmt: skip
    """在站点里建立一个用户。密码在提示后输入，或由标准输入给出。"""
    login = plain_login(login)
    stored = Passwords().hash(read_password(login))
    chosen = [Role(one) for one in roles] or [Role.ADMINISTRATOR]
    with _opened(site) as (config, db):
        db.write_now(
            lambda session: actions.create_user(
                session, utc_now(), None, login=login, name=name, staff_no=staff_no, place=config.place,
                roles=chosen, password_hash=stored, must_change=must_change, department=department,
            )
        )  # fmt: skip
    click.echo(f"已在 {config.place} 建立用户 {login}（{'、'.join(one.label for one in chosen)}）")


@user.command("list")
@SITE
def list_users(site: Path) -> None:
    """列出站点的用户。"""
    with _opened(site) as (_, db):
        found = db.read(lambda session: views.users(session, utc_now()))
    for one in found:
        marks = [word for word, on in (("停用", one.disabled), ("锁定", one.locked_until is not None)) if on]
        roles = "、".join(sorted(role.label for role in one.roles))
        words = (one.login, one.name, one.staff_no, roles, one.department, " ".join(marks))
        click.echo("\t".join(words).rstrip())


@user.command("password")
@SITE
@click.argument("login")
def set_password(site: Path, login: str) -> None:
    """重设一个用户的密码；下次登录须修改，已登录的会话结束，锁定解除。"""
    login = plain_login(login)
    stored = Passwords().hash(read_password(login))
    with _opened(site) as (_, db):
        db.write_now(lambda session: actions.reset_password(session, utc_now(), None, login, stored))
    click.echo(f"已重设 {login} 的密码")


@user.command("unlock")
@SITE
@click.argument("login")
def unlock(site: Path, login: str) -> None:
    """解除登录失败次数过多的锁定。"""
    login = plain_login(login)
    with _opened(site) as (_, db):
        db.write_now(lambda session: actions.unlock(session, utc_now(), None, login))
    click.echo(f"已解锁 {login}")
