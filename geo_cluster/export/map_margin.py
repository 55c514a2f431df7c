"""What stands above, beside and under the map of a sheet: title, column, sources, projection and review number."""

from __future__ import annotations

from typing import Any

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.export import screened
from geo_cluster.export.briefing_tables import kept_table
from geo_cluster.export.map_frame import Frame, scale_bar, true_north
from geo_cluster.export.map_ground import Sheet
from geo_cluster.export.map_legend import Column, locator
from geo_cluster.export.map_page import POINT_MM, shade
from geo_cluster.export.map_tables import table_of
from geo_cluster.report import tables
from geo_cluster.world.layers import Layers

SOURCES = 5.4
"""Of the sources, points."""


def title_of(sheet: Sheet) -> str:
    """The title, with the name of the project that is ranked."""
    title = toml.table("sheets")["kinds"][sheet.kind]["title"][sheet.language]
    named = sheet.study.projects["name"].get(sheet.project, "") if sheet.project else ""
    return sheet.page.plain(title.format(project=named))


def ratio(sheet: Sheet, frame: Frame) -> str:
    """1:600 000."""
    return sheet.words("ratio", scale=f"{frame.scale:,.0f}".replace(",", " "))


def header(sheet: Sheet, margin: float, top: float) -> None:
    """Title, what the sheet says in one sentence, scenario and day; a sample is called one.

    Parameters
    ----------
    sheet : Sheet
    margin, top : float
        Left and right margin, and the upper edge, mm.
    """
    page, em = sheet.page, sheet.page.text_scale * POINT_MM
    width = page.width - 2 * margin
    title, size = title_of(sheet), 20.0
    while size > 11 and page.wide(title, size) > width * 0.78:
        size -= 1
    title = page.wrapped(title, size, width * 0.80, most=1)[0]
    y = top - 20 * em * 0.95
    page.text(margin, y, title, size, bold=True, va="baseline", color=shade("title"))
    if samples := _samples(sheet):
        words, x = sheet.words("sample"), margin + page.wide(title, size) + 4
        wide = page.wide(words, 9) + 3.4
        page.box(
            x,
            y - 1.2 * page.text_scale,
            wide,
            9 * em * 1.55,
            fill=shade("sample_fill"),
            line=shade("sample_line"),
            weight=0.8,
            z=40,
        )
        page.text(
            x + wide / 2, y + 9 * em * 0.13, words, 9, bold=True, ha="center", va="baseline", color=shade("sample_ink")
        )
    about = [
        sheet.words("scenario", name=sheet.study.scenario.name[sheet.language]),
        sheet.words("day", day=sheet.study.day.isoformat()),
    ]
    about += samples
    right = page.wrapped(" · ".join(about), 6.4, width * 0.42, most=2)
    for number, line in enumerate(right):
        page.text(
            page.width - margin,
            y - 8.4 * em * 1.5 + (len(right) - 1 - number) * 6.4 * em * 1.3,
            line,
            6.4,
            ha="right",
            va="baseline",
            color=shade("muted"),
        )
    lead = page.wrapped(_lead(sheet), 8.4, width - max(page.wide(line, 6.4) for line in right) - 6, most=1)
    if lead:
        page.text(margin, y - 8.4 * em * 1.5, lead[0], 8.4, va="baseline", color=shade("lead"))


def _samples(sheet: Sheet) -> list[str]:
    """What of the sheet is a sample, in words; nothing where nothing is."""
    found = screened.screening(sheet.study) if sheet.kind == "suitability" else None
    ground = [sheet.words("sample_ground")] if found is not None and found.is_sample else []
    return [*ground, *([sheet.words("sample_note")] if sheet.study.scenario.is_sample else [])]


def _lead(sheet: Sheet) -> str:
    """The one sentence, with its numbers from the study."""
    study, language = sheet.study, sheet.language
    template = toml.table("sheets")["kinds"][sheet.kind]["lead"][language]
    if sheet.kind == "chain":
        chain = study.layers.read("chain")
        return template.format(entities=len(chain), located=len(sheet.read("chain")))
    if sheet.kind == "supply":
        land = kept_table(study, "supply_land", language)[["low", "likely", "high"]].sum()
        return template.format(**{key: f"{land[key]:,.0f}" for key in ("low", "likely", "high")})
    if sheet.kind == "suitability":
        return template.format(**kept_table(study, "screened", language).iloc[0].to_dict())
    if sheet.kind == "plan":
        cities = kept_table(study, "cities", language)
        shown = [f"{row.city.removesuffix(' City')} {row.projects:.0f}" for row in cities.itertuples()]
        placed, projects = study.counts
        return template.format(projects=projects, placed=placed, cities=sheet.words("and_list").join(shown))
    found = tables.ranking(study).query("project == @sheet.project")
    eligible = found[found["eligible"]].sort_values("rank")
    if eligible.empty:
        return sheet.words("nobody")
    first = eligible.iloc[0]
    return template.format(
        first=sheet.short(study.region.names[first["site"]][language]),
        score=f"{first['score']:.1f}",
        low=f"{first['low']:.1f}",
        high=f"{first['high']:.1f}",
        chance=f"{first['chance_first']:.0%}",
        eligible=len(eligible),
        refused=len(found) - len(eligible),
    )


def column(sheet: Sheet, frames: list[Frame], declared: dict[str, Any], box: tuple[float, float, float, float]) -> None:
    """Legend, notes, table; scale, north and the province at the bottom.

    Parameters
    ----------
    sheet : Sheet
    frames : list of Frame
        The sheet's windows, the main one first.
    declared : dict
        The kind in `tables/sheets.toml`.
    box : tuple
        x, top, width, bottom, mm.
    """
    page, (x, top, width, bottom) = sheet.page, box
    beside = Column(sheet, x, top + 1.5, width)
    beside.heading(sheet.words("legend"))
    columns = max(declared["columns"], toml.table("sheets")["sizes"][sheet.size]["columns"])
    beside.legend(sheet.rows, columns=columns)
    beside.y -= 0.6
    beside.legend(sheet.ground, columns=2)
    for note in _notes(sheet, frames):
        beside.words(note)
    found = [table_of(sheet, name) for name in declared["tables"]]
    scale_high = 15 * page.text_scale
    spare = beside.y - bottom - scale_high - sum(beside.high(len(rows)) for _, rows in found)
    first = beside.y - bottom - scale_high - beside.high(len(found[0][1]) + 1)
    high = min(max(spare, min(0.46 * width, first), 0.42 * width), 0.62 * width)
    for headings, rows in found:
        beside.table(headings, rows, until=bottom + high + scale_high)
    _instruments(sheet, frames, (x, bottom, width, high))


def _instruments(sheet: Sheet, frames: list[Frame], box: tuple[float, float, float, float]) -> None:
    """The province at the bottom of the column, over it the scale and true north."""
    page, (x, bottom, width, high) = sheet.page, box
    locator(sheet, (x, bottom, width, high), frames)
    y, main = bottom + high + 3.2, frames[0]
    scale_bar(page, main, x, y, width * 0.66, sheet.language)
    name = toml.table("sheets")["sizes"][sheet.size]["name"][sheet.language]
    shown = sheet.words("scale", ratio=ratio(sheet, main), size=name)
    page.text(x, y + 3.0 + 6.4 * page.text_scale * POINT_MM * 1.25, shown, 6.4, va="baseline", z=80)
    true_north(page, main, x + width - 6, y + 4.2 * page.text_scale, 8.0 * page.text_scale, sheet.language)


def _notes(sheet: Sheet, frames: list[Frame]) -> list[str]:
    notes = list(sheet.notes)
    if sheet.kind == "chain":
        chain, located = sheet.study.layers.read("chain"), sheet.read("chain")
        notes.append(sheet.words("moved"))
        inside = sum(any(frame.has(*frame.point(p.x, p.y), inner=1) for frame in frames) for p in located.geometry)
        notes += [sheet.words("off_map", n=n)] if (n := len(located) - inside) else []
        notes += [sheet.words("adrift", n=n)] if (n := len(chain) - len(located)) else []
        counted = kept_table(sheet.study, "chain", sheet.language)["count"].sum()
        notes += [sheet.words("not_counted", n=n)] if (n := len(chain) - int(counted)) else []
    left_out = sum(names.left_out for names in sheet.names.values())
    notes += [sheet.words("crowded", n=left_out)] if left_out else []
    notes.append(sheet.words("network"))
    if brief := toml.table("sheets")["short_note"][sheet.language]:
        notes.append(brief)
    joint = "" if sheet.language == "zh" else " "
    return [joint.join(notes)] if notes else []


def footer(sheet: Sheet, main: Frame, margin: float, top: float, declared: dict[str, Any], review: str) -> None:
    """Sources, projection, who made it, and the review number.

    Parameters
    ----------
    sheet : Sheet
    main : Frame
        Whose projection is named.
    margin, top : float
        Where it begins, mm.
    declared : dict
        The kind in `tables/sheets.toml`.
    review : str
        What is said of the review.
    """
    page, size = sheet.page, SOURCES
    step, width = size * page.text_scale * POINT_MM * 1.35, page.width - 2 * margin
    y = top - step
    for line in sources_of(sheet, declared, width):
        page.text(margin, y, line, size, va="baseline", color=shade("muted"))
        y -= step
    crs = sheet.words("crs", meridian=f"{main.meridian:g}", epsg=main.epsg)
    page.text(
        margin,
        margin + 0.4,
        f"{crs} · {sheet.words('made')} {sheet.study.day.year}",
        size,
        va="baseline",
        color=shade("muted"),
    )
    page.text(
        page.width - margin, margin + 0.4, review, 7.0, ha="right", va="baseline", bold=True, color=shade("review")
    )


def sources_of(sheet: Sheet, declared: dict[str, Any], width: float) -> list[str]:
    """Whom the data of a `sheet` are owed to, in lines of at most `width` mm; `declared` is its kind."""
    under = ["province", "prefectures", "counties", "roads", "railways", "water", "geonames"]
    owed = _owed(sheet.study.layers, [*declared["layers"], *under], sheet.language)
    if sheet.kind == "suitability":
        owed = list(dict.fromkeys([*screened.sources(sheet.study, sheet.language), *owed]))
    words = sheet.words("sources") + ("；" if sheet.language == "zh" else "; ").join(owed)
    return sheet.page.wrapped(words, SOURCES, width, most=declared.get("source_lines", 2))


def _owed(layers: Layers, names: list[str], language: Language) -> list[str]:
    """Whom the layers are owed to, each once."""
    registry = layers.registry
    owed = [getattr(registry[name], f"attribution_{language}") for name in names if name in registry]
    return list(dict.fromkeys(one.rstrip("。.；;") for one in owed if one))
