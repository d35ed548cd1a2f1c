"""Passwords: what one must be, and argon2id with parameters passed in.

One rule: hashing takes tens of milliseconds by design, so nobody calls it on the event loop or inside a
transaction; and no more than two at once, because each takes its memory.
"""

import secrets
import string
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from node.errors import BadForm

SHORTEST = 10
LONGEST = 128
CLASSES = 3

RULES = (
    f"至少 {SHORTEST} 个字符",
    "大写字母、小写字母、数字、符号中至少三类",
    "不含用户名，也不与原密码相同",
)
"""What a password must be, for the page (GB/T 22239-2019 level 3)."""

PLAIN = "abcdefghjkmnpqrstuvwxyz"
"""Letters that nobody confuses when reading a first password aloud."""


class Passwords:
    """Hashes passwords and compares them; `time_cost`, `memory_kib` and `lanes` are argon2id's."""

    def __init__(self, *, time_cost: int = 2, memory_kib: int = 19_456, lanes: int = 1) -> None:
        self._argon2 = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=lanes)
        self._at_once = threading.Semaphore(2)
        self._decoy = ""

    def hash(self, password: str) -> str:
        """The salted hash to store."""
        with self._at_once:
            return self._argon2.hash(password)

    def matches(self, stored: str | None, password: str) -> bool:
        """Whether `password` gives `stored`; None, for an unknown login, takes as long and is False."""
        if stored is None:
            self._decoy = self._decoy or self.hash(secrets.token_hex())
        with self._at_once:
            try:
                return self._argon2.verify(stored or self._decoy, password) and stored is not None
            except (VerificationError, InvalidHashError):
                return False

    def outdated(self, stored: str) -> bool:
        """Whether `stored` was made with other parameters than today's."""
        return self._argon2.check_needs_rehash(stored)


def check(password: str, login: str, *, field: str = "new") -> None:
    """BadForm at `field` with everything that is wrong with `password`, if anything is."""
    wrong = []
    if len(password) < SHORTEST:
        wrong.append(f"至少 {SHORTEST} 个字符，现在是 {len(password)} 个")
    if len(password) > LONGEST:
        wrong.append(f"不超过 {LONGEST} 个字符")
    kinds = (str.isupper, str.islower, str.isdigit, lambda c: not c.isalnum())
    found = sum(any(kind(c) for c in password) for kind in kinds)
    if found < CLASSES:
        wrong.append(f"大写字母、小写字母、数字、符号中至少 {CLASSES} 类，现在有 {found} 类")
    if login and login.casefold() in password.casefold():
        wrong.append("不得包含用户名")
    if wrong:
        raise BadForm({field: "；".join(wrong)})


def first_password() -> str:
    """A random password that keeps the rules, to be handed over in person and changed at once."""
    letters = [secrets.choice(PLAIN) for _ in range(8)]
    upper = [secrets.choice(PLAIN.upper()) for _ in range(2)]
    digits = [secrets.choice(string.digits[2:]) for _ in range(4)]
    return f"{''.join(upper + letters[:4])}-{''.join(letters[4:])}-{''.join(digits)}"
