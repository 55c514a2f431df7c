"""Words of the page `sheet`, which the menu doesn't show."""

TEXTS: dict[str, tuple[str, str]] = {
    "sheet": ("一张表", "Sheet"),
    "sheet.title": ("园区、企业一张表", "Sheet of a site or firm"),
    "sheet.lead": (
        "一处园区或一家企业的全部已知数、未知数和问询对象。地址可转发，打开即是这一张。",
        "All that is known of one site or firm, what is not, and whom to ask. Its address can be sent and opens this sheet.",
    ),
    "sheet.open": ("打开一张表", "Open its sheet"),
    "sheet.list": ("园区一张表", "Site sheets"),
    "sheet.choose": ("园区或企业", "Site or firm"),
    "sheet.none": ("请选一个园区或企业。", "Choose a site or a firm."),
    "sheet.docx": ("下载 Word（docx）", "Word (docx)"),
    "sheet.pdf": ("下载 PDF", "PDF"),
    "sheet.stale": (
        "设置已改，本表所列项目出自之前的方案。",
        "Settings have changed: the projects listed are of the earlier plan.",
    ),
}
