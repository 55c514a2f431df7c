"""Words of the editor of what arrives over the years, on the page `match`."""

TEXTS: dict[str, tuple[str, str]] = {
    "years.title": ("分年新增：{n} 项 · 双电源：{dual}", "Arriving later: {n} · dual supply: {dual}"),
    "years.not_counted": (" · {n} 行未计入", " · {n} rows not counted"),
    "years.dual_condition": ("列为落地条件", "a condition"),
    "years.dual_required": ("须已落实", "required"),
    "years.note": (
        "以后年份才到位的用地、厂房、容量和能耗指标，每行一项：从哪年起增加多少。改动自动保存，可撤销；按“运行”后计入。图层中在建、规划的变电站已自动计入，此处填同一座站，以此处为准。",
        "Land, floor, power and quota that come in a later year, one a row: how much more from which year. Kept at once, undo takes it back; counts from the next run. Stations to come are in the layers already: a row for the same station replaces what the layers say.",
    ),
    "years.alt": ("分年新增，可编辑", "What arrives later, editable"),
    "years.place": ("分年新增", "Arriving later"),
    "years.attribute": ("指标", "What"),
    "years.subject": ("园区、变电站或市州", "Site, station or city"),
    "years.subject_help": (
        "用地、厂房选园区；容量选供电区或变电站；能耗指标选市州。",
        "A site for land or floor, a supply area or station for power, a prefecture for quota.",
    ),
    "years.low": ("下限", "Low"),
    "years.likely": ("最可能", "Likely"),
    "years.high": ("上限", "High"),
    "years.amount_help": ("新增多少，单位见“指标”列。", "How much more, in the unit of the first column."),
    "years.year_low": ("最早年份", "Earliest year"),
    "years.year": ("最可能年份", "Likely year"),
    "years.year_high": ("最晚年份", "Latest year"),
    "years.year_end_help": ("留空即同最可能年份。", "As the likely year when empty."),
    "years.basis": ("依据", "Basis"),
    "years.source": ("数据提供者或出处", "Who said so"),
    "years.faults": ("以下各行补齐、更正后才计入：", "These rows count once they are complete and correct:"),
    "years.changed": ("改分年新增", "What arrives later changed"),
    "years.dual": ("双电源须已落实", "Dual supply must be known"),
    "years.dual_help": (
        "开：须双电源的细分环节只进已知有两路独立电源的园区。关：照常安排，并把双电源列为落地条件。",
        "On: segments that need a dual supply go only where two independent feeds are known. Off: they are placed, with dual supply as a condition.",
    ),
    "years.dual_changed": ("改双电源要求", "Dual supply changed"),
}
