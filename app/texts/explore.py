"""Words of the page `explore`."""

TEXTS: dict[str, tuple[str, str]] = {
    "explore.title": ("激光产业链与候选园区", "The laser value chain and candidate sites"),
    "explore.lead": (
        "研发在武汉、制造在市州：企业分布在哪里、哪里能够承接。点击任一点查看来源与可信度。",
        "R&D in Wuhan, manufacturing in the prefectures: who is where, and where there is room. Click a point for its source and confidence.",
    ),
}
