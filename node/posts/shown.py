"""Posts as other pages show them: today's stands at home, the one behind a case, the filter of the queue."""

from dataclasses import dataclass

from node.accounts.views import names
from node.cases.views import Search
from node.desk.frame import Desk
from node.pages import links
from node.pages.views.common import Choice, Tag, Tone
from node.pages.views.stands import StandLine
from node.posts import views
from node.posts.views import Stand
from node.work import civil_date

MINE = "mine"


@dataclass(frozen=True, slots=True)
class Today:
    """The posts of this place today, and the names of people."""

    stands: tuple[Stand, ...]
    known: dict[str, str]
    me: str

    def name(self, person: str) -> str:
        """张蕾（S101-01）."""
        return self.known.get(person, person)

    def line(self, one: Stand) -> StandLine:
        """A post with who stands there and why."""
        tones = {"A角": Tone.GOOD, "B角": Tone.CALM}
        words = {"A角": "A角在岗", "B角": "B角顶岗"}
        until = f"{one.back.month}月{one.back.day}日" if one.back else ""
        away = f"A角 {self.name(one.a)} 离岗至 {until}" if until else ""
        return StandLine(
            name=one.name,
            person=self.name(one.person),
            state=Tag(text=words.get(one.stands, one.stands), tone=tones.get(one.stands, Tone.ALARM)),
            note=away if one.person else f"{away}，B角 {self.name(one.b)} 也不在岗",
            mine=bool(one.person) and one.person == self.me,
            href=links.query(links.CASES, post=str(one.id)),
        )

    def person_for(self, item: str) -> str:
        """Who stands where this item is handled; "" if no post does."""
        found = views.stand_for(self.stands, item)
        return self.name(found.person) if found and found.person else ""

    def words_for(self, item: str) -> str:
        """民政救助窗口：张蕾（S101-01），B角顶岗; "" if no post handles the item."""
        found = views.stand_for(self.stands, item)
        if found is None:
            return ""
        line = self.line(found)
        return f"{line.name}：{line.person or '无人在岗'}" + (f"，{line.note}" if line.note else "")

    def choices(self) -> tuple[Choice, ...]:
        """What the queue can be narrowed to."""
        every = [Choice(value="", label="全部岗位")]
        if any(one.person == self.me for one in self.stands):
            every.append(Choice(value=MINE, label="我在岗的"))
        return (*every, *(Choice(value=str(one.id), label=one.name) for one in self.stands))

    def narrow(self, search: Search, post: str) -> Search:
        """The search for one post's items, or for those of every post where the reader stands."""
        chosen = [
            one
            for one in self.stands
            if str(one.id) == post or (post == MINE and one.person == self.me)
        ]  # fmt: skip
        if not chosen:
            return search
        named = {item for one in chosen for item in one.items}
        if all(one.items for one in chosen):
            return search.among(named)
        return search.without({item for one in self.stands for item in one.items} - named)


def today(desk: Desk) -> Today:
    """The posts of this place today."""
    on = civil_date(desk.now)
    return Today(desk.node.read(views.stands, on), desk.node.read(names), desk.who.staff_no)
