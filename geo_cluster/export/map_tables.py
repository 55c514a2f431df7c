"""The small tables beside the map of a sheet, by their name in `tables/sheets.toml`: headings and rows of texts."""

from __future__ import annotations

from geo_cluster import toml
from geo_cluster.export.briefing_tables import kept_table
from geo_cluster.export.map_ground import Sheet
from geo_cluster.report import tables
from geo_cluster.world.layers import city_name

Cells = tuple[list[str], list[list[str]]]


def table_of(sheet: Sheet, name: str) -> Cells:
    """Headings and rows of a table beside the map."""
    return _TABLES[name](sheet)


def _heads(sheet: Sheet, *keys: str) -> list[str]:
    return [sheet.heading(key) for key in keys]


def _chain(sheet: Sheet) -> Cells:
    found = kept_table(sheet.study, "chain", sheet.language)
    wide = found.pivot_table(index="stage", columns="city", values="count", sort=False)
    rows = [
        [
            str(stage)[:1].upper() + str(stage)[1:],
            *(f"{count:.0f}" if count else sheet.words("gap") for count in counts),
        ]
        for stage, counts in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    total = [sheet.words("total"), *(f"{count:.0f}" for count in wide.sum())]
    return [sheet.heading("stage"), *(city_name(str(city)) for city in wide.columns)], [
        *rows,
        total,
    ]


def _supply(sheet: Sheet) -> Cells:
    found = kept_table(sheet.study, "supply", sheet.language)
    found = found[found["resource"].isin(["land", "power"])]
    rows = []
    for city in found["city"].unique():
        of = found[found["city"] == city].set_index("resource")
        cells = [
            f"{of.loc[key, 'low']:,.0f}–{of.loc[key, 'high']:,.0f}" if key in of.index else "—"
            for key in ("land", "power")
        ]
        rows.append([_city(city), *cells])
    return _heads(sheet, "city", "land", "power"), rows


def _cities(sheet: Sheet) -> Cells:
    found = kept_table(sheet.study, "cities", sheet.language)
    rows = [
        [_city(row.city), f"{row.projects:.0f}", f"{row.output:,.1f}", f"{row.land_mu:,.0f}", f"{row.power_mva:,.1f}"]
        for row in found.itertuples()
    ]
    sums = found[["projects", "output", "land_mu", "power_mva"]].sum()
    total = [
        sheet.words("total"),
        f"{sums['projects']:.0f}",
        f"{sums['output']:,.1f}",
        f"{sums['land_mu']:,.0f}",
        f"{sums['power_mva']:,.1f}",
    ]
    return _heads(sheet, "city", "projects", "output", "land_mu", "power_mva"), [*rows, total]


def _ranking(sheet: Sheet) -> Cells:
    found = tables.ranking(sheet.study).query("project == @sheet.project and eligible").sort_values("rank")
    rows = []
    for row in found.itertuples():
        name = sheet.short(sheet.study.region.names[row.site][sheet.language])
        rows.append(
            [f"{row.rank:.0f}", name, f"{row.score:.1f} ({row.low:.0f}–{row.high:.0f})", f"{row.chance_first:.0%}"]
        )
    return _heads(sheet, "rank", "site", "score", "chance"), rows


def _sites(sheet: Sheet) -> Cells:
    found = tables.assignment(sheet.study).groupby("site")[["land_mu", "power_mva"]].agg(["sum", "size"])
    found = found.sort_values(("land_mu", "size"), ascending=False, kind="stable")
    rows = [
        [
            sheet.short(sheet.study.region.names[str(site)][sheet.language]),
            f"{row['land_mu', 'size']:.0f}",
            f"{row['land_mu', 'sum']:,.0f}",
            f"{row['power_mva', 'sum']:,.1f}",
        ]
        for site, row in found.iterrows()
    ]
    return _heads(sheet, "site", "projects", "land_mu", "power_mva"), rows


def _regions(sheet: Sheet) -> Cells:
    found = kept_table(sheet.study, "screened_regions", sheet.language)
    rows = [
        [row.region, f"{row.where} {row.became}".removesuffix(" —"), f"{row.land_mu:,.0f}", row.screen_band, row.spare]
        for row in found.itertuples()
    ]
    return _heads(sheet, "region", "where", "land_mu", "score", "mva"), rows


def _asked(sheet: Sheet) -> Cells:
    found = kept_table(sheet.study, "asked", sheet.language)
    rows = [
        [sheet.short(row.subject), row.name_, row.interval]
        for row in found.rename(columns={"name": "name_"}).itertuples()
    ]
    return _heads(sheet, "ask", "number", "interval"), rows


def _gaps(sheet: Sheet) -> Cells:
    found = kept_table(sheet.study, "gaps", sheet.language)
    rows = []
    width = toml.table("sheets")["sizes"]["a4"]["column"] * sheet.page.text_scale - 18 * sheet.page.text_scale
    for row in found.itertuples():
        lines = sheet.page.wrapped(row.lacking, 6.0, width)
        rows += [[_city(row.city) if at == 0 else "", line] for at, line in enumerate(lines)]
    return _heads(sheet, "city", "lacking"), rows


def _city(name: str) -> str:
    return name.removesuffix(" City")


_TABLES = {
    "chain": _chain,
    "gaps": _gaps,
    "supply": _supply,
    "asked": _asked,
    "cities": _cities,
    "sites": _sites,
    "ranking": _ranking,
    "regions": _regions,
}
