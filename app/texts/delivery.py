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
    "delivery.xlsx": ("下载表格（xlsx）", "Tables (xlsx)"),
    "delivery.csv": ("下载数据（csv）", "Data (csv)"),
    "delivery.keep": ("检查并保存", "Check and keep"),
    "delivery.template": ("下载模板", "Template"),
    "delivery.upload": ("或上传一张表，替换已填的", "Or upload a table in its place"),
    "delivery.partners": ("省际协作", "Other provinces"),
}
