"""What there is: firms by stage, the R&D anchor, what sites have, substations.

Each function draws one sign of `tables/sheets.toml` on a frame and says what it needs in the legend.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from geo_cluster import toml
from geo_cluster.export.map_frame import Frame
from geo_cluster.export.map_glyphs import WHITE, star, substation
from geo_cluster.export.map_ground import Row, Sheet, Sign
from geo_cluster.export.map_labels import Name
from geo_cluster.export.map_page import shade
from geo_cluster.report import tables
from geo_cluster.world.layers import words as vocabulary

DOT_MM = 1.05
"""Radius of a firm."""
CROWD = 1500
"""So many firms at most are moved apart; more are drawn where they are."""
NAME_MM = {"zh": 30.0, "en": 36.0}
"""Names of sites longer than this go on in another line, of at most three."""


def firms(sheet: Sheet, frame: Frame) -> list[Row]:
    """Every firm a dot in the colour of its stage, hollow where its place is uncertain, moved off the others."""
    chain, stages = sheet.read("chain"), vocabulary("stage")
    colours, z = toml.table("style")["stage"], frame.z
    order = {stage: at for at, stage in enumerate(stages)}
    chain = chain.assign(order=chain["stage"].map(order)).sort_values(["order", "id"])
    at = frame.onto(chain.geometry)
    inside = np.array([frame.has(p.x, p.y, inner=DOT_MM) for p in at], bool)
    chain, at = chain[inside], at[inside]
    size = DOT_MM * sheet.page.text_scale
    spots = apart([(p.x, p.y) for p in at], size * 1.06) if len(at) <= CROWD else [(p.x, p.y) for p in at]
    sure_m = toml.table("sheets")["uncertain"]["metres"]
    for row, (x, y) in zip(chain.to_dict("records"), spots, strict=True):
        colour = colours[row["stage"]]
        vague = not row["coord_uncertainty_m"] <= sure_m
        page_look = (
            {"fill": WHITE, "line": colour, "weight": 1.3} if vague else {"fill": colour, "line": WHITE, "weight": 0.5}
        )
        sheet.page.disc(x, y, size * (0.86 if vague else 1), z=z + 20, **page_look)
        sheet.names[frame].keep_off(x, y, size)
        if row["listed_code"]:
            name = _alias(sheet, row)
            look = {"halo": WHITE, "color": shade("ink")}
            sheet.names[frame].want(Name([name], x, y, size, 6.2, 1.5, must=True, told=True, look=look))
    rows = [Row("dot", of[sheet.language], {"fill": colours[key]}) for key, of in stages.items()]
    rows.append(Row("ring", sheet.words("vague", km=f"{sure_m / 1000:g}"), {"line": shade("muted")}))
    return rows


def _alias(sheet: Sheet, row: dict[str, Any]) -> str:
    if sheet.language == "zh":
        return str(row["alias_zh"]).split(";")[0] or sheet.short(row["name_zh"])
    name = row["name_en"]
    inner = name[name.index("(") + 1 : name.index(")")] if "(" in name and ")" in name else ""
    return inner or sheet.short(name).removesuffix(" Co., Ltd.").removesuffix(",")


def apart(points: list[tuple[float, float]], radius: float) -> list[tuple[float, float]]:
    """The same points, each moved as little as it takes so that no two discs of this radius meet.

    Parameters
    ----------
    points : list of (x, y)
    radius : float

    Returns
    -------
    list of (x, y)
        In the order given; the first of those that meet stays where it is.
    """
    placed: list[tuple[float, float]] = []
    spiral = [(0.0, 0.0)]
    for ring in range(1, 40):
        turns = 6 * ring
        spiral += [
            (
                2 * radius * ring * math.cos(2 * math.pi * k / turns),
                2 * radius * ring * math.sin(2 * math.pi * k / turns),
            )
            for k in range(turns)
        ]
    for x, y in points:
        others = np.array(placed) if placed else np.empty((0, 2))
        for dx, dy in spiral:
            spot = (x + dx, y + dy)
            if not (np.hypot(*(others - spot).T) < 2 * radius - 1e-9).any():
                break
        placed.append(spot)
    return placed


def grey_firms(sheet: Sheet, frame: Frame) -> list[Row]:
    """Firms as small grey dots: where the chain is, behind what the sheet is about."""
    for p in frame.onto(sheet.read("chain").geometry):
        if frame.has(p.x, p.y, inner=1):
            sheet.page.mark(p.x, p.y, 0.6, fill=shade("firm"), line=WHITE, weight=0.3, z=frame.z + 14, alpha=0.75)
    return [Row("dot", sheet.words("firm"), {"fill": shade("firm"), "radius": 0.6})]


def anchor(sheet: Sheet, frame: Frame) -> list[Row]:
    """Where R&D is: a star, always named."""
    row = sheet.study.anchor
    x, y = frame.point(row.geometry.x, row.geometry.y)
    if frame.has(x, y, inner=1):
        size = 2.3 * sheet.page.text_scale
        star(sheet.page, x, y, size, sheet.colour["anchor"], z=frame.z + 27)
        sheet.names[frame].keep_off(x, y, size)
        lines = sheet.page.wrapped(sheet.short(row[f"name_{sheet.language}"]), 7.4, NAME_MM[sheet.language], most=3)
        look = {"bold": True, "halo": WHITE, "color": sheet.colour["anchor"]}
        sheet.names[frame].want(Name(lines, x, y, size, 7.4, 0, must=True, look=look))
    return [Row("star", sheet.words("anchor"), {"fill": sheet.colour["anchor"]})]


def site_name(
    sheet: Sheet,
    frame: Frame,
    site: str,
    mark: tuple[float, float, float],
    *,
    rank: float,
    notes: Iterable[str] = (),
    faint: bool = False,
) -> None:
    """Ask for the name of a site beside its mark.

    Parameters
    ----------
    sheet : Sheet
    frame : Frame
    site : str
    mark : tuple of float
        x, y, radius, mm.
    rank : float
        The lower, the sooner it gets a place.
    notes : iterable of str
        Smaller lines under it.
    faint : bool
        Small and grey, and left out where there is no room.
    """
    name, size = sheet.short(sheet.study.region.names[site][sheet.language]), 5.6 if faint else 7.2
    width = NAME_MM[sheet.language] * sheet.page.text_scale
    lines = sheet.page.wrapped(name, size, width, most=2 if faint else 3)
    look = {"halo": WHITE, "color": shade("muted" if faint else "title"), "bold": not faint}
    wanted = Name(lines, *mark, size, rank, must=not faint, told=True, look=look, notes=list(notes))
    sheet.names[frame].want(wanted)


def supply(sheet: Sheet, frame: Frame) -> list[Row]:
    """Land that each site may have: a disc of the likely area in the colour of its evidence, rings of low and high."""
    offers = tables.offers_table(sheet.study.region)
    land = (
        offers[offers["resource"] == "land"]
        .set_index("site")[["low", "likely", "high", "basis", "within"]]
        .dropna(subset=["likely"])
    )
    power = offers[offers["resource"] == "power"].set_index("site")[["low", "high"]]
    colours, z, unit = toml.table("style")["evidence"], frame.z, sheet.words("mu")
    most = float(land["high"].max()) if len(land) else 1.0
    per = 9.0 * math.sqrt(sheet.page.text_scale) / math.sqrt(max(most, 1e-9))
    own = sheet.study.sites.set_index("id")
    for site in land["likely"].sort_values(ascending=False).index:
        row, place = land.loc[site], own.geometry[site]
        x, y = frame.point(place.x, place.y)
        if not frame.has(x, y, inner=1) or row["within"]:
            continue
        low, likely, high = (per * math.sqrt(max(row[key], 0)) for key in ("low", "likely", "high"))
        colour = colours.get(row["basis"], shade("sized"))
        sheet.page.disc(x, y, high, fill=colour, z=z + 15, alpha=0.16)
        sheet.page.disc(x, y, high, line=shade("ring"), weight=0.5, dash=(3, 2), z=z + 15.1)
        sheet.page.disc(x, y, max(likely, 0.7), fill=colour, line=shade("ring"), weight=0.6, z=z + 16)
        sheet.page.disc(x, y, max(low, 0.25), fill=sheet.colour["site"], line=WHITE, weight=0.4, z=z + 17)
        sheet.names[frame].keep_off(x, y, max(likely, 0.7))
        notes = [f"{row['low']:,.0f}–{row['high']:,.0f} {unit}"]
        if site in power.index and power.loc[site, "high"] > 0:
            notes[0] += f" · {power.loc[site, 'low']:,.0f}–{power.loc[site, 'high']:,.0f} MVA"
        site_name(sheet, frame, site, (x, y, max(likely, 0.7)), rank=1 - row["likely"] / (2 * most), notes=notes)
    rows = [Row("sizes", sheet.words("land_sizes", unit=unit), {"per": per, "values": _round_values(most)})]
    rows += [Row("rings", sheet.words("land_rings"))]
    bases = [key for key in colours if (land["basis"] == key).any()]
    basis = vocabulary("basis")
    return [*rows, *(Row("dot", basis[key][sheet.language], {"fill": colours[key]}) for key in bases)]


def _round_values(most: float) -> list[float]:
    power = 10 ** math.floor(math.log10(max(most, 1)))
    top = next(step * power for step in (5, 2, 1) if step * power <= max(most, 1))
    return [top, top / 5]


def substations(sheet: Sheet, frame: Frame) -> list[Row]:
    """Substations whose place is known, by voltage."""
    colour, shown = sheet.colour["substation"], False
    found = sheet.read("substations")
    for row in found.to_dict("records"):
        x, y = frame.point(row["lon"], row["lat"])
        if frame.has(x, y, inner=1):
            half = (0.9 if row["voltage_kv"] < 500 else 1.25) * sheet.page.text_scale
            substation(sheet.page, x, y, half, colour, z=frame.z + 18)
            sheet.names[frame].keep_off(x, y, half)
            shown = True
    return [Row("substation", sheet.words("substation"), {"line": colour})] if shown else []


SIGNS: dict[str, Sign] = {
    "firms": firms,
    "grey_firms": grey_firms,
    "anchor": anchor,
    "supply": supply,
    "substations": substations,
}
"""Signs of what there is by their name in `tables/sheets.toml`."""
