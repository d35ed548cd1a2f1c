"""Accounts: what is asked of logins, passwords and roles, and what each act leaves behind."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from node.accounts import actions, entry, passwords, tokens, views
from node.accounts.officer import Officer
from node.accounts.passwords import Passwords
from node.accounts.roles import ALONE, Role, read_roles, write_roles
from node.audit import AuditEntry
from node.db import Database, table_of
from node.errors import BadForm, Conflict, Forbidden, NotFound
from protocol.places import Code

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PLACE = Code("640221101201")
QUICK = Passwords(time_cost=1, memory_kib=8)
HEAD = Officer(99, "head", "管理员", "A1", frozenset({Role.ADMINISTRATOR}), PLACE)


def create(db: Database, login: str = "li.na", **changed) -> int:
    fields = {
        "login": login,
        "name": "李娜",
        "staff_no": "D-07",
        "place": PLACE,
        "roles": [Role.AGENT],
        "password_hash": QUICK.hash("Correct-horse-1"),
        **changed,
    }
    return db.write_now(lambda session: actions.create_user(session, NOW, HEAD, **fields))


def acts(db: Database) -> list[tuple[str, str, str]]:
    rows = table_of(AuditEntry)
    query = select(rows.c.who, rows.c.act, rows.c.what).order_by(rows.c.n)
    return [tuple(row) for row in db.read(lambda session: session.execute(query).all())]


def line(db: Database, login: str = "li.na") -> views.UserLine:
    return db.read(lambda session: views.users(session, NOW, login))[0]


@pytest.fixture
def db(database: Database) -> Database:
    return database


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("Abcdefg-1", "9 个"),
        ("abcdefghijkl", "1 类"),
        ("Abcdefghijkl", "2 类"),
        ("Li.Na-123456", "用户名"),
        ("Aa1-" * 40, "128"),
    ],
)
def test_weak_passwords_are_refused_with_what_is_wrong(password: str, words: str) -> None:
    with pytest.raises(BadForm, match=words) as caught:
        passwords.check(password, "li.na")
    assert list(caught.value.fields()) == ["new"]


def test_first_passwords_keep_the_rules() -> None:
    made = {passwords.first_password() for _ in range(50)}
    assert len(made) == 50
    for one in made:
        passwords.check(one, "li.na")


def test_chinese_and_long_passwords_are_passwords() -> None:
    passwords.check("石嘴山的Tea壶-1918", "li.na")
    stored = QUICK.hash("石嘴山的Tea壶-1918")
    assert QUICK.matches(stored, "石嘴山的Tea壶-1918")
    assert not QUICK.matches(stored, "石嘴山的Tea壶-1919")
    assert not QUICK.matches(None, "anything")
    assert not QUICK.matches("not a hash", "anything")
    assert Passwords(time_cost=2, memory_kib=16).outdated(stored)


@given(st.sets(st.sampled_from(Role)))
def test_roles_are_stored_whole_or_refused(roles: set[Role]) -> None:
    if not roles or (len(roles) > 1 and roles & ALONE):
        with pytest.raises(ValueError, match="角色"):
            write_roles(roles)
    else:
        assert read_roles(write_roles(roles)) == roles


def test_a_user_is_created_and_audited(db: Database) -> None:
    create(db)
    found = line(db)
    assert (found.name, found.staff_no, found.roles) == ("李娜", "D-07", {Role.AGENT})
    assert found.must_change
    assert acts(db) == [("head", "user_created", "user:li.na")]


def test_every_wrong_field_is_named_at_once(db: Database) -> None:
    with pytest.raises(BadForm) as caught:
        create(db, "Li Na", name=" ", staff_no="", place="123", roles=[Role.AUDITOR, Role.CLERK])
    assert set(caught.value.fields()) == {"login", "name", "staff_no", "place", "roles"}
    assert acts(db) == []


def test_a_login_is_never_given_to_another_person(db: Database) -> None:
    create(db)
    db.write_now(lambda session: actions.disable_user(session, NOW, HEAD, "li.na", "调离"))
    with pytest.raises(Conflict) as caught:
        create(db, name="李楠")
    assert caught.value.fields().keys() == {"login"}


def test_disabling_needs_a_reason_and_another_person(db: Database) -> None:
    mine = create(db, "boss", roles=[Role.ADMINISTRATOR])
    boss = Officer(mine, "boss", "管理员", "A2", frozenset({Role.ADMINISTRATOR}), PLACE)
    with pytest.raises(Forbidden):
        db.write_now(lambda session: actions.disable_user(session, NOW, boss, "boss", "试试"))
    with pytest.raises(BadForm):
        db.write_now(lambda session: actions.disable_user(session, NOW, HEAD, "boss", " "))
    db.write_now(lambda session: actions.disable_user(session, NOW, HEAD, "boss", "退休"))
    assert line(db, "boss").disabled
    db.write_now(lambda session: actions.enable_user(session, NOW, HEAD, "boss", "返聘"))
    assert not line(db, "boss").disabled
    with pytest.raises(NotFound):
        db.write_now(lambda session: actions.disable_user(session, NOW, HEAD, "nobody", "x"))


def test_roles_change_with_the_old_ones_in_the_audit(db: Database) -> None:
    create(db)
    db.write_now(
        lambda session: actions.change_roles(session, NOW, HEAD, "li.na", [Role.CLERK, Role.REVIEWER])
    )
    assert line(db).roles == {Role.CLERK, Role.REVIEWER}
    last = db.read(lambda session: views.audit_page(session, limit=1))[0]
    assert last.reason == "agent → clerk,reviewer"
    with pytest.raises(BadForm):
        db.write_now(lambda session: actions.change_roles(session, NOW, HEAD, "li.na", []))


def test_a_token_is_found_by_its_secret_until_it_ends(db: Database) -> None:
    boss = create(db, "boss", roles=[Role.ADMINISTRATOR])
    by = Officer(boss, "boss", "管理员", "A2", frozenset({Role.ADMINISTRATOR}), PLACE)
    secret, until = tokens.new_secret(), NOW + timedelta(hours=1)

    def issue(**changed):
        fields = {"name": "screen", "roles": [Role.CLERK], "expires": until, "secret": secret, **changed}
        db.write_now(lambda session: tokens.issue(session, NOW, by, **fields))

    def found(at: datetime, shown: str = secret) -> Officer | None:
        return db.read(lambda session: tokens.find_machine(session, at, PLACE, shown))

    issue()
    machine = found(NOW)
    assert machine
    assert (machine.login, machine.roles, machine.id < 0) == ("token:screen", {Role.CLERK}, True)
    assert found(until) is None
    assert found(NOW, secret + "x") is None
    with pytest.raises(Conflict):
        issue(secret="other")
    with pytest.raises(BadForm) as caught:
        issue(name="A", roles=[Role.ADMINISTRATOR], expires=NOW)
    assert set(caught.value.fields()) == {"name", "roles", "expires"}
    db.write_now(lambda session: tokens.revoke(session, NOW, by, "screen"))
    assert found(NOW) is None
    with pytest.raises(NotFound):
        db.write_now(lambda session: tokens.revoke(session, NOW, by, "printer"))


def test_a_token_stops_with_the_account_that_issued_it(db: Database) -> None:
    boss = create(db, "boss", roles=[Role.ADMINISTRATOR])
    by = Officer(boss, "boss", "管理员", "A2", frozenset({Role.ADMINISTRATOR}), PLACE)
    db.write_now(
        lambda session: tokens.issue(
            session, NOW, by, name="screen", roles=[Role.CLERK], expires=NOW + timedelta(hours=1), secret="s"
        )
    )
    db.write_now(lambda session: actions.disable_user(session, NOW, HEAD, "boss", "调离"))
    assert db.read(lambda session: tokens.find_machine(session, NOW, PLACE, "s")) is None


def test_no_secret_is_stored(db: Database) -> None:
    create(db)
    stored = db.read(lambda session: actions.find(session, "li.na")).password_hash
    assert stored.startswith("$argon2id$")
    assert entry.hashed("token") != "token"
    assert len(entry.hashed("token")) == 64
