"""Words of the page `delivery`; each part of it has a file of its own."""

TEXTS: dict[str, tuple[str, str]] = {
    "delivery.title": ("推进落实", "Delivery"),
    "delivery.lead": (
        "政策给多少钱、目标差多少、项目走到哪一步、链上缺什么：每个数写明依据和不确定性。",
        "What the policy pays, how far its targets are, where each project stands, what the chain lacks: with sources and how sure.",
    ),
    "delivery.part": ("内容", "Part"),
    "delivery.ledger": ("项目台账", "Projects under way"),
    "delivery.money": ("政策资金", "Policy money"),
    "delivery.targets": ("目标进度", "Targets"),
    "delivery.chain": ("补链对接", "Chain and links"),
    "delivery.partners": ("省际协作", "Other provinces"),
}
