"""Words of the part 省际协作 of the page `delivery`."""

TEXTS: dict[str, tuple[str, str]] = {
    "partners.note": (
        "第16条提出与广东、江苏、山东等地协作。企业数只计所收来源中见到的，不是普查；“有联系”指与湖北有供货、持股等关系。",
        "Clause 16 names Guangdong, Jiangsu and Shandong for cooperation. Firms are those in our sources, no census; tied: they trade with Hubei or hold shares.",
    ),
    "partners.firms": ("企业 {n} 家", "{n} firms"),
    "partners.fills": ("补短板 {n} · 有联系 {tied}", "{n} fill a gap · {tied} tied"),
    "partners.clusters": ("集群与规模", "Clusters and their scale"),
    "partners.clusters_note": (
        "各来源口径不同，不能相加；目标与实绩分列，互不替代。",
        "Scopes differ from source to source: they don't add up. Targets stand apart from actual values.",
    ),
    "partners.everywhere": ("也看其他省", "Other provinces, too"),
    "partners.footholds": ("与湖北已有联系的省外企业", "Firms outside that are tied to Hubei"),
    "partners.moved": ("湖北企业在省外的布点", "Plants of Hubei's firms elsewhere"),
    "partners.moved_note": (
        "据公开报道的项目名称，状态以来源为准。",
        "By the names of announced projects; how they stand, the sources say.",
    ),
    "partners.hubei_firm": ("湖北企业", "Firm of Hubei"),
    "partners.plant": ("项目", "Project"),
    "partners.where": ("地点", "Place"),
    "partners.year": ("年份", "Year"),
    "partners.said": ("发布者", "Publisher"),
}
