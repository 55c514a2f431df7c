"""Words of the page `data`."""

TEXTS: dict[str, tuple[str, str]] = {
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
}
