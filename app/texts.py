"""Every word of the screen, in Chinese and English. A text missing in one language fails the tests."""

from __future__ import annotations

from geo_cluster.domain import Language

TEXTS: dict[str, tuple[str, str]] = {
    "app": ("湖北激光产业布局", "Hubei laser siting"),
    "explore": ("总览", "Explore"),
    "study": ("测算", "Study"),
    "data": ("数据", "Data"),
    "language": ("语言", "Language"),
    "explore.title": ("激光产业链与候选园区", "The laser value chain and candidate sites"),
    "explore.lead": (
        "研发在武汉，制造在市州：谁在哪里、哪里接得住。点开任一点看来源与可信度。",
        "R&D in Wuhan, manufacturing in the prefectures: who is where, and where there is room. Click a point for its source.",
    ),
    "explore.firms": ("产业链主体", "Chain entities"),
    "explore.sites": ("候选园区", "Candidate sites"),
    "explore.stations": ("220千伏以上站", "Stations ≥ 220 kV"),
    "explore.unknown": ("待核关键数", "Numbers to verify"),
    "explore.unknown_help": (
        "各园区可供用地、各站可开放容量、各市能耗指标均无公布数，现用区间代替；由市州上报后替换。",
        "Free land, spare capacity and energy quotas are published nowhere; intervals stand in until the prefectures report.",
    ),
    "study.title": ("项目—园区测算", "Projects to sites"),
    "study.lead": (
        "选情景，运行；看每个项目去哪、有多大把握、占了谁的地和电。",
        "Pick a scenario and run it: where each project goes, how sure that is, and whose land and power it takes.",
    ),
    "study.scenario": ("情景", "Scenario"),
    "study.level": ("规划口径", "Planning level"),
    "study.level_help": (
        "从紧：容量取下限、需求取上限；最可能：都取最可能值；乐观：容量取上限、需求取下限。",
        "Cautious: low capacities, high needs; likely: the likely values; hopeful: high capacities, low needs.",
    ),
    "study.anchor": ("研发锚点", "R&D anchor"),
    "study.run": ("运行", "Run"),
    "study.running": ("正在测算…", "Running …"),
    "study.first": ("选好情景，按“运行”。几秒出结果。", "Pick a scenario and press Run. It takes seconds."),
    "study.stale": (
        "下面是情景 {id} 的结果，设置已改动；按“运行”更新。",
        "These results belong to scenario {id}; the settings have changed. Press Run to update.",
    ),
    "study.sample": (
        "示例项目组合：30 个虚构项目，不代表任何企业的计划。",
        "Sample portfolio: 30 made-up projects, nobody's plan.",
    ),
    "study.placed": ("落地项目", "Projects placed"),
    "study.worth": ("方案总分", "Worth of the plan"),
    "study.worth_help": (
        "落地项目的得分与落地加分之和；上界表示任何方案都不会超过它。",
        "Scores plus placing bonus; no plan is worth more than the bound.",
    ),
    "study.proof": ("证明", "Proof"),
    "study.optimal": ("已证最优", "proven best"),
    "study.feasible": ("差距 {gap:.2%}", "gap {gap:.2%}"),
    "study.bound": ("上界 {bound:,.1f}", "bound {bound:,.1f}"),
    "study.check": ("独立核验", "Independent check"),
    "study.check_ok": ("无违反", "no violation"),
    "study.check_bad": ("{n} 处违反", "{n} violations"),
    "study.assumed": ("靠假定的数", "Assumed numbers"),
    "study.assumed_help": (
        "测算用到的数中无人公布、按类别假定的占比。",
        "Share of the numbers used that nobody has published.",
    ),
    "study.map": ("方案图", "Map of the plan"),
    "study.plan": ("方案", "Plan"),
    "study.ranking": ("排名", "Ranking"),
    "study.pools": ("用地与用能", "Land and energy"),
    "study.unplaced": ("未落地", "Unplaced"),
    "study.all_placed": ("全部项目已落地。", "Every project is placed."),
    "study.project": ("项目", "Project"),
    "study.why": ("得分构成（分）", "Where the points come from"),
    "study.refused": ("不能去的园区与理由", "Sites that are ruled out, and why"),
    "study.pool_note": (
        "区间为可供量的下限—上限，竖线为规划口径，实心为本方案占用。浅色表示无人公布、靠假定。",
        "Bars span low to high, the tick is what was planned with, the solid part is used by this plan.",
    ),
    "study.download": ("下载全部文件（ZIP）", "Download everything (ZIP)"),
    "study.download_help": (
        "排名、贡献、方案、未落地、资源、观测值、图层（GeoPackage）、单文件地图、情景、来源与许可、证明。",
        "Ranking, contributions, plan, unplaced, pools, observations, layers, one-file map, scenario, sources, proof.",
    ),
    "resource.land": ("用地（亩）", "Land (mu)"),
    "resource.power": ("容量（MVA）", "Power (MVA)"),
    "resource.energy": ("能耗指标（吨标煤/年）", "Energy quota (tce a year)"),
    "col.site": ("园区", "Site"),
    "col.prefecture": ("市州", "Prefecture"),
    "col.segment": ("环节", "Segment"),
    "col.score": ("得分", "Score"),
    "col.interval": ("90% 区间", "90 % interval"),
    "col.rank": ("本项目排名", "Its rank"),
    "col.chance": ("居首概率", "Chance of first"),
    "col.reason": ("理由", "Reason"),
    "col.land": ("用地（亩）", "Land (mu)"),
    "col.power": ("容量（MVA）", "Power (MVA)"),
    "col.energy": ("能耗（吨标煤）", "Energy (tce)"),
    "col.drive": ("车程（分）", "Drive (min)"),
    "data.title": ("数据与来源", "Data and sources"),
    "data.lead": (
        "每个图层的提供者、许可、时点与哈希；每行数据自带来源与可信度。",
        "Producer, licence, date and hash of each layer; every row has its source.",
    ),
    "data.layer": ("图层", "Layer"),
    "data.rows": ("行数", "Rows"),
    "data.as_of": ("时点", "As of"),
    "data.licence": ("许可", "Licence"),
    "data.producer": ("提供者", "Producer"),
    "data.attribution": ("署名", "Attribution"),
    "data.hash": ("SHA-256", "SHA-256"),
    "data.preview": ("预览", "Preview"),
    "data.columns": ("字段说明", "What the columns mean"),
    "data.column": ("字段", "Column"),
    "data.meaning": ("含义", "Meaning"),
    "data.save": ("下载该图层", "Download this layer"),
    "data.assumed": ("无人公布、按类别假定的区间", "Intervals assumed because nobody publishes the number"),
    "data.attribute": ("指标", "Attribute"),
    "data.class": ("类别", "Class"),
    "data.any_class": ("其他", "any other"),
    "data.range": ("下限–最可能–上限", "Low – likely – high"),
    "data.reason": ("理由", "Reason"),
    "footer": (
        "数据来源见各点卡片与“数据”页 · 行政区划：天地图 · 道路铁路：© OpenStreetMap 贡献者（ODbL） · 公开发布须标注审图号",
        "Sources: each point's card and the Data page · Boundaries: Tianditu · Roads and rail: © OpenStreetMap contributors (ODbL) · Publication needs a map review number",
    ),
    "error": ("做不到，原因如下：", "This can't be done:"),
}


def text(key: str, language: Language, **values: object) -> str:
    """A text in a language, with values filled in."""
    words = TEXTS[key][1 if language == "en" else 0]
    return words.format(**values) if values else words
