"""Words of the table of cities and of the tab 各市份额 of the page `match`."""

TEXTS: dict[str, tuple[str, str]] = {
    "match.cities": ("各市份额", "City shares"),
    "cities.city": ("市", "City"),
    "cities.levels": (
        "三个数依次为{levels}口径，粗体为本方案",
        "Three numbers: {levels}; the plan's own in bold",
    ),
    "cities.running": ("{levels}口径正在求解", "{levels}: being solved"),
    "cities.none": (
        "{levels}口径没有满足锁定和名额的方案",
        "{levels}: no plan meets the locks and shares",
    ),
    "cities.note": (
        "给某个市至少 n 个项目，方案总分要损失多少：逐个求解并证明，其余市仍按总分最高安排。",
        "What the plan's total score loses when a city gets at least n projects: solved and proven, the rest placed for the highest score.",
    ),
    "cities.run": ("求解各市保底的代价", "Price every city's share"),
    "cities.nobody": ("没有项目可以落地，无从比较。", "No project may go anywhere: nothing to compare."),
    "cities.least": ("至少项目数", "At least so many projects"),
    "cities.in_plan": ("方案中项目数", "Projects in the plan"),
    "cities.loss": ("总分损失（分）", "Score lost (points)"),
    "cities.loss_help": (
        "与没有这条要求的最好方案相比。写成一个数的已证；写成两个数的，真值必在两数之间；“≥”表示不低于此数。",
        "Against the best plan without the demand. One number is proven; of two, the true one lies between; ≥ is no less than.",
    ),
    "cities.loss_low": ("损失下界", "Loss, lower bound"),
    "cities.loss_high": ("损失上界", "Loss, upper bound"),
    "cities.share": ("占总分", "Of the total score"),
    "cities.shares": ("设定各市份额", "Set city shares"),
    "cities.shares_note": (
        "设定后须重新运行。几个市的要求不能同时满足时，会说明改动最小的办法。",
        "Run again after a change. Where demands can't all be met, the smallest change that works is named.",
    ),
    "cities.at_least": ("至少", "At least"),
    "cities.at_most": ("至多", "At most"),
    "cities.any": ("不限", "any"),
    "cities.set": ("设定", "Set"),
    "cities.now": ("已设份额：{shares}。", "Shares now: {shares}."),
    "cities.said_least": ("{city}至少 {least} 个", "{city}: at least {least}"),
    "cities.said_both": ("{city} {least}–{most} 个", "{city}: {least}–{most}"),
    "cities.changed": ("{city}份额：至少 {least}，至多 {most}", "{city}: at least {least}, at most {most}"),
    "cities.dropped": ("取消{city}份额", "{city}: share dropped"),
}
