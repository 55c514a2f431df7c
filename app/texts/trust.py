"""Words of the part 可信度自检 of the page `data`."""

TEXTS: dict[str, tuple[str, str]] = {
    "data.tab.trust": ("可信度自检", "Can it be trusted"),
    "trust.lead": (
        "把模型与公开的时间、真实选址、参考项目对照，再看首选与方案有多少压在假定上。对不上的照实列出。",
        "The model beside published times, real siting decisions and reference projects; then how much of the first "
        "choices and of the plan rests on assumptions. What does not agree is said.",
    ),
    "trust.run": ("开始自检", "Check now"),
    "trust.running": ("正在自检", "Checking"),
    "trust.of": (
        "情景：{name}（{id}），{projects} 个项目，{day}",
        "Scenario: {name} ({id}), {projects} projects, {day}",
    ),
    "trust.save": ("下载全部自检表（XLSX）", "Download all tables (XLSX)"),
    "trust.table": ("{name}：明细", "{name}: rows"),
    "trust.link": ("这些结论有多可信？自检", "How far to trust this? Check"),
    "trust.link_help": (
        "到“数据”页“可信度自检”：误差、真实选址的排名、方案有多少压在假定上。",
        "To the page Data: errors, the rank of real choices, what of the plan rests on assumptions.",
    ),
    "trust.times": (
        "横条为公布或估计的区间，圆点为模型（标定用的行按剔除自身重算）",
        "Bars: published or estimated range; dots: the model, rows that calibrate it predicted without themselves",
    ),
    "trust.tornado": (
        "一类假定取下限、上限时首选会变的项目数",
        "Projects whose first choice changes with a class of assumptions at its low and at its high",
    ),
    "trust.low": ("取下限", "at its low"),
    "trust.high": ("取上限", "at its high"),
    "trust.minutes": ("分钟", "minutes"),
    "trust.changed": ("首选会变的项目", "first choices that change"),
    "trust.model": ("模型", "Model"),
    "trust.reference": ("对照值", "Reference"),
    "trust.pair": ("起讫", "From – to"),
}
