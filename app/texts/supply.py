"""Words of the page `supply`."""

TEXTS: dict[str, tuple[str, str]] = {
    "supply.title": ("用地与用能供给", "Land and energy on offer"),
    "supply.lead": (
        "每个园区有多少地、多少电、多少指标，依据是什么，还差哪些数。",
        "How much land, power and quota each site has, on what evidence, and which numbers are still missing.",
    ),
}
