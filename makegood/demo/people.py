"""Everybody in the demo: customers and staff are made up, their addresses lead nowhere."""

from __future__ import annotations

from dataclasses import dataclass

from makegood.connectors.records import CustomerRecord


@dataclass(frozen=True, slots=True)
class Person:
    """A customer; ``language`` is what they write in."""

    key: str
    name: str
    city: str
    language: str = "zh-hans"
    market: str = "CN"
    phone: str = ""
    wallet: str = ""

    @property
    def email(self) -> str:
        return f"{self.key}@example.com"

    def record(self) -> CustomerRecord:
        methods = [{"id": self.wallet, "kind": "wallet"}] if self.wallet else []
        return CustomerRecord(
            self.key, self.name, self.email, self.phone, {"city": self.city, "country": self.market}, methods
        )


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member of staff who can sign in to the demo with a printed password."""

    key: str
    name: str
    role: str
    language: str

    @property
    def email(self) -> str:
        return f"{self.key}@duskanddawn.example"


_PEOPLE = [
    Person("lin-wan", "林晚", "杭州", phone="13900000001", wallet="wallet-lin-wan"),
    Person("su-mu", "苏木", "成都", phone="13900000002"),
    Person("he-qing", "何晴", "上海", phone="13900000003"),
    Person("bai-lu", "白露", "北京", phone="13900000004"),
    Person("jiang-yifan", "江一帆", "广州", phone="13900000005", wallet="wallet-jiang-yifan"),
    Person("ye-zhiqiu", "叶知秋", "南京", phone="13900000006"),
    Person("gu-an", "顾安", "西安", phone="13900000007"),
    Person("shen-he", "沈禾", "厦门", phone="13900000008"),
    Person("tang-xiao", "唐笑", "武汉", phone="13900000009"),
    Person("anna-falk", "Anna Falk", "Hamburg", language="en", market="DE"),
    Person("tom-ashby", "Tom Ashby", "Shanghai", language="en", phone="13900000010"),
    Person("mia-laurent", "Mia Laurent", "Lyon", language="en", market="FR"),
    Person("haru-mori", "Haru Mori", "Osaka", language="en", market="JP"),
    Person("noor-hadi", "Noor Hadi", "Kuwait City", language="en", market="KW"),
]

PEOPLE: dict[str, Person] = {person.key: person for person in _PEOPLE}

STAFF: tuple[Colleague, ...] = (
    Colleague("agent", "安然", "agent", "zh-hans"),
    Colleague("reviewer", "Ruth Vale", "reviewer", "en"),
    Colleague("manager", "孟琪", "manager", "zh-hans"),
    Colleague("owner", "Olive Dawn", "owner", "en"),
)

# Known to everybody who reads this: good for a shop that is bound to this machine and holds nothing real.
PASSWORD = "dusk-and-dawn"  # noqa: S105 - printed at every start
