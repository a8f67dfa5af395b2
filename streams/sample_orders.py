"""A sample file of fictitious 12345 work orders 工单 for the mapping `config/sources/12345.toml`, to try with.

Nobody in it exists: names are titles, phone numbers begin with digits no carrier gives out.
"""

import csv
import io
from datetime import datetime, timedelta
from random import Random

HEADER = (
    *(
        "工单编号",
        "来源渠道",
        "来电人",
        "联系电话",
        "诉求类型",
        "事项类别",
        "诉求标题",
        "诉求内容",
        "事发地址",
        "经度",
        "纬度",
    ),
    *(
        "紧急程度",
        "受理时间",
        "办理时限",
        "主办单位",
        "协办单位",
        "签收时间",
        "办理结果",
        "办结时间",
        "回访情况",
        "是否满意",
        "是否解决",
    ),
    *("重复工单号", "工单状态", "更新时间"),
)
MATTERS = (
    ("求助", "公共安全/燃气", "楼道有燃气味", "三单元楼道里有燃气味，居民不敢开灯，请尽快派人查看。", "特急", "住建局"),
    ("投诉", "矛盾纠纷/邻里", "楼上深夜敲打", "楼上住户连续三晚敲打到凌晨，沟通无果，希望社区调解。", "一般", "街道办"),
    ("投诉", "矛盾纠纷/物业", "电梯停运三天", "小区电梯停运三天，物业一直说等配件，老人上下楼困难。", "紧急", "住建局"),
    ("举报", "公共安全/消防", "消防通道堆杂物", "一楼消防通道长期堆放纸箱和电动车，存在隐患。", "一般", "消防救援大队"),
    ("咨询", "民生求助/停水", "今天何时来水", "从早上六点停水至今，没有看到通知，想知道何时恢复。", "一般", "水务集团"),
    ("求助", "城市管理/井盖", "路口井盖缺失", "路口非机动车道井盖缺失，已有人绊倒，请放置警示牌。", "紧急", "城管局"),
    ("建议", "城市管理/路灯", "建议增加路灯", "学校后门的小路晚上很黑，建议增加两盏路灯。", "一般", "城管局"),
    ("投诉", "矛盾纠纷/劳资", "工地拖欠工资", "工地完工两个月仍未结清工资，共八名工友。", "一般", "人社局"),
)
STATES = ("待派单", "已派单", "办理中", "已办结")
SPREAD = 0.02
"""Degrees around the middle."""


def orders(lon: float, lat: float, now: datetime, count: int = 40) -> bytes:
    """Return a CSV file (UTF-8 with a mark, as spreadsheets want it) of orders of the last day around a point."""
    chance = Random(12345)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADER)
    for number in range(1, count + 1):
        writer.writerow(_order(number, lon, lat, now, chance))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _order(number: int, lon: float, lat: float, now: datetime, chance: Random) -> tuple[object, ...]:
    kind, matter, title, text, urgency, department = MATTERS[number % len(MATTERS)]
    taken = now - timedelta(minutes=chance.randrange(5, 55))
    state = chance.choice(STATES)
    at = f"{lon + chance.uniform(-SPREAD, SPREAD):.6f}", f"{lat + chance.uniform(-SPREAD, SPREAD):.6f}"
    caller = chance.choice(("市民甲", "市民乙", "市民丙", "市民丁"))
    return (
        *(f"GD{now:%Y%m%d}{number:05d}", "电话", caller, f"1000000{number:04d}", kind, matter, title, text),
        *(
            f"示例路{number}号",
            *at,
            urgency,
            f"{taken:%Y-%m-%d %H:%M:%S}",
            f"{taken + timedelta(days=5):%Y-%m-%d %H:%M}",
        ),
        *(department, "", "", "", "", "", "", "", "", state, f"{taken + timedelta(minutes=3):%Y-%m-%d %H:%M:%S}"),
    )
