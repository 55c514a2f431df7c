"""Words of the page `brief`."""

TEXTS: dict[str, tuple[str, str]] = {
    "brief.title": ("汇报材料", "Files to take along"),
    "brief.lead": (
        "图层、地图、表格与证明，逐件预览，带来源下载。",
        "Layers, maps, tables and the proof: preview each, download with sources.",
    ),
}
