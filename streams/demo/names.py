"""Invented names for the fictional city: districts, towns, villages, roads, estates.

Each is put together from everyday syllables in the manner of Chinese place names; a likeness to a real place is chance.
No names of persons are made anywhere in the demo.
"""

import random
from itertools import product

RIVER = "青岚河"
LAKE = "镜月湖"
DISTRICTS = ("云岭区", "望潮区", "松屿区", "霞浦湾区", "鹭洲区", "星港区")
ROADS = ("环城路", "云岭大道", "人民路", "青年路", "学府街", "工业大道", "滨河路")
STREETS = ("城关街道", "北塘街道", "南关街道", "东湖街道")
TOWNS = ("青石镇", "柳林镇", "平桥镇", "临河镇", "新安镇", "高岗镇", "白鹭镇", "石鼓镇")
PREMISES = ("第一中学", "实验小学", "人民医院", "农贸市场", "汽车客运站", "体育公园", "物流园", "产业园", "湿地公园")
WITHOUT_RESIDENTS = ("体育公园", "物流园", "产业园", "湿地公园", "汽车客运站", "农贸市场")

_STREET_PARTS = (
    ("云", "枫", "澜", "翠", "金", "兰", "锦", "玉", "银", "紫"),
    ("桥", "台", "苑", "湖", "门", "塘", "湾", "亭"),
)
_TOWN_PARTS = (
    ("青", "白", "石", "松", "梅", "竹", "沙", "龙", "凤", "鹿", "双", "三", "大", "长", "横", "清"),
    ("桥", "溪", "岭", "滩", "坪", "塘", "泉", "湾", "堰", "圩", "渡", "岗"),
)
_COMMUNITY_PARTS = (
    (
        "锦绣",
        "朝晖",
        "新苑",
        "和平",
        "春晓",
        "望江",
        "紫荆",
        "翠竹",
        "兴业",
        "文昌",
        "康乐",
        "桂园",
        "明珠",
        "金桂",
        "东风",
        "杏林",
        "长乐",
    ),
    ("里", "园", "苑", "坊", "湾", "门", "桥", "台", "巷"),
)
_VILLAGE_PARTS = (
    (
        "柳树",
        "石桥",
        "前河",
        "后岗",
        "杏花",
        "大堰",
        "小湾",
        "梨园",
        "上坪",
        "下坪",
        "双塘",
        "三棵树",
        "老磨",
        "新庄",
        "竹林",
        "白沙",
        "黄泥",
    ),
    ("村", "沟村", "湾村", "岭村", "铺村", "坝村", "坡村", "塘村", "口村", "店村"),
)
_ROAD_PARTS = (
    ("青", "柳", "平", "临", "新", "高", "白", "石", "松", "梅", "竹", "沙", "龙", "鹿"),
    ("云", "城", "关", "岭"),
)
_SIDE_PARTS = (("文昌", "建设", "胜利", "民生", "纺织", "东升", "西湖口", "永安"), ("巷", "街", "支路", "横街"))
_ESTATE_PARTS = (
    ("金", "银", "春", "锦", "翠", "丽", "景", "阳光", "东方", "幸福", "御", "兰"),
    ("河湾", "溪谷", "和苑", "江花园", "泽园", "都公寓", "林小区", "海名城", "庭雅居", "华里"),
)


class Names:
    """Hands out each name once: first the familiar ones, then combinations in an order the seed shuffles."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        self._streets = [*STREETS, *_mixed(_STREET_PARTS, "街道", chance)]
        self._towns = [*TOWNS, *_mixed(_TOWN_PARTS, "镇", chance)]
        self._communities = _mixed(_COMMUNITY_PARTS, "社区", chance)
        self._villages = _mixed(_VILLAGE_PARTS, "", chance)

    def street(self) -> str:
        """A sub-district 街道."""
        return self._streets.pop(0)

    def town(self) -> str:
        """A town 镇."""
        return self._towns.pop(0)

    def community(self) -> str:
        """An urban community 社区; numbered when the combinations are used up."""
        return _next(self._communities)

    def village(self) -> str:
        """A village 村; numbered when the combinations are used up."""
        return _next(self._villages)


def roads(count: int) -> list[str]:
    """Names of `count` main roads, the ring first."""
    names = [*ROADS, *(f"{a}{b}路" for b, a in product(_ROAD_PARTS[1], _ROAD_PARTS[0]))]
    return names[:count]


def estate(village_code: str, serial: int) -> str:
    """The name of the `serial`-th housing estate of a village: the same estate whenever it is asked for."""
    first, last = _ESTATE_PARTS
    number = int(village_code) * 7 + serial * 13
    return first[number % len(first)] + last[number // len(first) % len(last)]


def side_street(village_code: str) -> str:
    """The name of a village's main side street."""
    first, last = _SIDE_PARTS
    number = int(village_code)
    return first[number % len(first)] + last[number // len(first) % len(last)]


def _mixed(parts: tuple[tuple[str, ...], tuple[str, ...]], ending: str, chance: random.Random) -> list[str]:
    names = [a + b + ending for a, b in product(*parts) if a[-1] not in b]
    chance.shuffle(names)
    return names


def _next(names: list[str]) -> str:
    """Take the first name and put its numbered sequel at the end, so that the list never runs out."""
    name = names.pop(0)
    stem, ending = (name[:-2], "社区") if name.endswith("社区") else (name[:-1], "村")
    names.append(f"{stem}新{ending}")
    return name
