"""Words of the page `explore`."""

TEXTS: dict[str, tuple[str, str]] = {
    "explore.title": ("激光产业链与候选园区", "The laser value chain and candidate sites"),
    "explore.lead": (
        "研发在武汉、制造在市州：企业分布在哪里、哪里能够承接。点击任一点查看来源与可信度。",
        "R&D in Wuhan, manufacturing in the prefectures: who is where, and where there is room. Click a point for its source and confidence.",
    ),
    "explore.firms": ("产业链主体", "Chain entities"),
    "explore.firms_help": (
        "政策点名和公开来源提到的主体；其中 {n} 个未查到地址，不上图。",
        "Named by the policy or by public sources; {n} of them without a known address are not on the map.",
    ),
    "explore.sites": ("候选园区与厂房", "Sites and factories"),
    "explore.stations": ("110千伏及以上变电站", "Substations ≥ 110 kV"),
    "explore.unknown": ("待核实数据", "Numbers to verify"),
    "explore.unknown_help": (
        "各园区可供用地与地价、各变电站可开放容量、各市州能耗指标余量均未公布，现用区间代替；市州上报后替换。",
        "Available land and its price, spare capacity and energy quotas are published nowhere; intervals stand in until the prefectures report.",
    ),
}
