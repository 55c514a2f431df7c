"""Words of the editor of phases and split projects, on the page `match`."""

TEXTS: dict[str, tuple[str, str]] = {
    "parts.title": ("分期、分处：{n} 条", "Phases and splits: {n}"),
    "parts.note": (
        "同一项目的几期在项目表中各占一行，在这里写明先后；一个项目可分两处的，等分为几份，要么都落地、要么都不落地，用地、用电、能耗和得分按份额计。改动自动保存，可撤销；按“运行”后计入。",
        "Phases of one project are rows of the table of projects; say here how they hang together. A project that may be split is cut into equal shares, all placed or none, with their share of land, power, energy and score. Kept at once, undo takes it back; counts from the next run.",
    ),
    "parts.rule": ("方式", "How"),
    "parts.projects": ("项目", "Projects"),
    "parts.projects_help": (
        "分期的按先后选两个或以上；分两处的选一个。",
        "Of phases two or more, in their order; one that may be split.",
    ),
    "parts.choose": ("请选择", "Choose"),
    "parts.one_site": ("各期同一园区", "All phases on one site"),
    "parts.into": ("等分几份", "Equal shares"),
    "parts.into_help": ("放到一处的至少是一份。", "What goes to a site is one share at least."),
    "parts.add": ("加入", "Add"),
    "parts.drop": ("去掉这一条", "Take this one out"),
    "parts.changed": ("改分期、分处", "Phases and splits changed"),
    "parts.table": ("分期、分处", "Phases and splits"),
    "parts.placed": ("落地部分", "Parts placed"),
    "parts.sites": ("落在哪里", "Where"),
    "parts.count": ("{placed} / {of}", "{placed} of {of}"),
    "parts.worth": ("算一算代价", "What it costs"),
    "parts.cost": ("这样要求少得（分）", "Points lost by asking for it"),
    "parts.apart": ("只用一处再少得（分）", "Points lost on one site"),
    "parts.never": ("一处容量不足", "no room on one site"),
}
