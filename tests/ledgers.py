"""Made-up projects under way for tests: all of them 示例, nobody's."""

from geo_cluster.policy.ledger import Entry, Point


def sample(week: int = 1) -> dict[str, Entry]:
    """Eight projects as of Monday, 23 November 2026 (week 1) and a week later (2)."""
    later = week == 2
    point = Point(
        kind="power", what="示例 110千伏线路未批", unit="示例市供电公司", raised="2026-10-08", deadline="2026-11-20"
    )
    solved = point.model_copy(update={"closed": "2026-11-27"}) if later else point
    more = Point(
        kind="environment", what="示例 环评未批复", unit="示例市生态环境局", raised="2026-11-25", deadline="2026-12-20"
    )
    dates = {"start": "2026-03", "production": "2027-06"}
    return {
        "a1": Entry(
            name="示例 光纤激光器扩产", firm="示例企业甲", city="420200", site="H01",
            planned={"signed": "2025-12", **dates}, actual={"signed": "2025-12-08", "start": "2026-03-20"},
            investment_100m_yuan=8.0, invested_100m_yuan=3.4 if later else 2.2, registered="2026-05",
            land_mu=60.0, land_given_mu=60.0, power_mva=12.0, energy_tce=2600.0, points=(solved,),
            unit="示例市经信局", owner="示例甲",
        ),
        "a2": Entry(
            name="示例 激光切割设备", firm="示例企业乙", city="420700", site="E01",
            planned=dates, actual={"signed": "2026-01"} | ({"land": "2026-11-26"} if later else {}),
            investment_100m_yuan=5.0, invested_100m_yuan=0.0, land_mu=40.0, land_given_mu=40.0 if later else 0.0,
            power_mva=6.0, points=(more,) if later else (), unit="示例市发改委", owner="示例乙",
        ),
        "a3": Entry(
            name="示例 激光晶体", city="420100", planned={"start": "2026-06", "production": "2027-12"},
            actual={"signed": "2026-02", "start": "2026-07"}, investment_100m_yuan=2.0, invested_100m_yuan=0.2,
            unit="示例市科技局",
        ),
        "a4": Entry(name="示例 洽谈项目", city="421000", stage="talks", investment_100m_yuan=1.0),
        "a5": Entry(
            name="示例 飞秒激光", city="420600", planned={"start": "2026-12"}, actual={"signed": "2026-08"},
            year_plan_100m_yuan=0.5, year_done_100m_yuan=0.46, investment_100m_yuan=3.0, invested_100m_yuan=0.46,
        ),
        "a6": Entry(
            name="示例 已投产项目", city="420200", site="H04",
            actual={"signed": "2023-05", "start": "2024-01", "production": "2025-11"},
            investment_100m_yuan=4.0, invested_100m_yuan=4.0, registered="2024-02",
        ),
        "a7": Entry(
            name="示例 激光清洗", city="420500", planned={"start": "2026-09"},
            actual={"signed": "2026-04"}, unit="示例市发改委",
        ),
    } | ({"a8": Entry(name="示例 新增项目", city="420300", stage="talks")} if later else {})  # fmt: skip
