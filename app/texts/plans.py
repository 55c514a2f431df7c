"""Words of plans side by side, on the page `match`."""

TEXTS: dict[str, tuple[str, str]] = {
    "match.compare": ("方案对比", "Compare plans"),
    "plans.note": (
        "任选几个方案并排比较：本次的、各项工作保存过的，不论新旧。",
        "Any plans side by side: of this visit, or kept with a work, however old.",
    ),
    "plans.one": (
        "目前只有一个方案。改动设置后再运行，或打开其他工作运行，就能比较。",
        "There is one plan so far. Change something and run again, or run another work, to compare.",
    ),
    "plans.two": ("请至少选两个方案。", "Choose at least two plans."),
    "plans.choose": ("选择方案", "Plans"),
    "plans.name": ("命名", "Names"),
    "plans.letters": ("甲乙丙丁戊己庚辛", "ABCDEFGH"),
    "plans.called": ("方案{letter}", "Plan {letter}"),
    "plans.now": ("当前", "now"),
    "plans.before": ("上一次", "before"),
    "plans.reading": ("正在读取并核验{name}…", "Reading and checking {name} …"),
    "plans.unreadable": ("{name}读不出，已略去。", "{name} can't be read and is left out."),
    "plans.other_data": (
        "{names}所用的数据或程序已更新：只比较去向，没有得分。",
        "Data or program have changed since {names}: only who goes where is compared, without scores.",
    ),
    "plans.robust": (
        "**{n} / {of}** 个项目在全部 {plans} 个方案中去向相同，可以先定；{moved} 个随方案而变。",
        "**{n} of {of}** projects go to the same place in all {plans} plans and can be settled first; {moved} depend on the plan.",
    ),
    "plans.plan": ("方案", "Plan"),
    "plans.elsewhere": ("与第一个不同（个）", "Elsewhere than in the first"),
    "plans.matrix": ("项目在各方案中的去向", "Where each plan puts each project"),
    "plans.agreed": ("各方案", "Plans agree"),
    "plans.same": ("一致", "all"),
    "plans.most": ("{count}/{of} 相同", "{count} of {of}"),
    "plans.unknown": ("不在组合中", "not in it"),
    "plans.more": ("还有 {n} 个项目，见下载的表格。", "{n} more projects are in the spreadsheet."),
    "plans.cities": ("各市份额（项目数 · 占落地）", "By city (projects · share of placed)"),
    "plans.take": ("下载对比表（Excel）", "Download the comparison (Excel)"),
    "plans.detail": ("两个方案的差别", "Two plans in detail"),
    "plans.from": ("从", "From"),
    "plans.to": ("到", "To"),
    "plans.differ": ("{n} 个项目去向不同，{placed}。", "{n} projects go elsewhere, {placed}."),
    "plans.no_detail": (
        "请选两个不同的方案；数据已更新的方案只有去向。",
        "Choose two different plans; those of other data have only who goes where.",
    ),
    "plans.unit": ("单位", "Unit"),
}
