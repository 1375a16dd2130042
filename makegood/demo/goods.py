"""What the demo shop sells: things for the home, with names in both languages."""

from __future__ import annotations

from dataclasses import dataclass, field

from makegood.connectors.records import CatalogRecord

CURRENCY = "CNY"


@dataclass(frozen=True, slots=True)
class Item:
    """A thing on the shelf. ``price`` is in fen; ``abroad`` holds prices in other currencies, in minor units."""

    sku: str
    product: str
    zh: str
    en: str
    price: int
    category: str = "homeware"
    abroad: dict[str, int] = field(default_factory=dict)
    available: bool = True

    @property
    def title(self) -> str:
        return f"{self.zh} · {self.en}"

    def price_in(self, currency: str) -> int:
        """Minor units of one unit. Raises KeyError where it is not sold in this currency."""
        return self.price if currency == CURRENCY else self.abroad[currency]


_ITEMS = [
    Item("LAMP-SAND", "LAMP", "暮光陶瓷台灯（沙色）", "Dusk ceramic lamp, sand", 329_00, abroad={"EUR": 49_00}),
    Item("LAMP-MOSS", "LAMP", "暮光陶瓷台灯（苔绿）", "Dusk ceramic lamp, moss", 329_00, abroad={"EUR": 49_00}),
    Item("LAMP-MINI", "LAMP", "暮光陶瓷台灯（小号）", "Dusk ceramic lamp, small", 259_00),
    Item("LAMP-BRASS", "LAMP", "暮光黄铜台灯", "Dusk brass lamp", 699_00, available=False),
    Item("MUG-PAIR", "MUG", "晨昏对杯", "Dawn mugs, pair", 128_00, abroad={"EUR": 19_50, "JPY": 2_980}),
    Item("TEAPOT", "TEAPOT", "手拉坯茶壶", "Hand-thrown teapot", 268_00, abroad={"JPY": 6_200, "KWD": 11_500}),
    Item("THROW-GREY", "THROW", "羊毛盖毯（雾灰）", "Wool throw, mist", 399_00, abroad={"EUR": 62_00}),
    Item("THROW-OCHRE", "THROW", "羊毛盖毯（赭石）", "Wool throw, ochre", 399_00, abroad={"EUR": 62_00}),
    Item("CUSHION", "CUSHION", "亚麻靠垫", "Linen cushion", 99_00, abroad={"KWD": 4_250}),
    Item("VASE-TALL", "VASE", "高颈花瓶", "Tall-neck vase", 219_00, abroad={"KWD": 9_755}),
    Item("VASE-SMALL", "VASE", "小口花瓶", "Small-mouth vase", 139_00),
    Item("CANDLE-FIG", "CANDLE", "无花果香薰蜡烛", "Fig candle", 89_00, abroad={"EUR": 14_00}),
    Item("BOWL-SET", "BOWLS", "粗陶碗四件套", "Stoneware bowls, set of four", 236_00, abroad={"JPY": 5_400}),
    Item("TEA-TIN", "TEA", "茉莉花茶 100 克", "Jasmine tea, 100 g", 118_00, category="food"),
    Item("CHAIR-OAK", "CHAIR", "橡木单椅", "Oak chair", 1_299_00, category="furniture"),
    Item("SHELF", "SHELF", "三层置物架", "Three-tier shelf", 459_00, category="furniture"),
    Item("CLOTH", "CLOTH", "棉麻桌布", "Cotton-linen tablecloth", 169_00),
    Item("NAME-SIGN", "SIGN", "定制门牌", "Name sign made to order", 149_00, category="custom_made"),
]

SHELVES: dict[str, Item] = {item.sku: item for item in _ITEMS}


def catalogue() -> list[CatalogRecord]:
    """Everything that could be sent in exchange, at its price at home."""
    return [CatalogRecord(i.sku, i.product, i.title, i.price, CURRENCY, i.available) for i in _ITEMS]
