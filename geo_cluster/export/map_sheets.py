"""Map sheets to print and to hang: `map_sheet(study, "plan", size="a3", form="pdf", language="zh")`.

What each kind shows is declared in `tables/sheets.toml`; here the sheet is laid out: title, map with an enlargement of
what lies far from the rest, legend, table, inset of the province, scale, north, sources and the review number.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import shapely
from scipy.cluster.hierarchy import fcluster, linkage

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.errors import Fault, InputError, Place, refuse_if
from geo_cluster.export import fonts, map_ground, map_themes
from geo_cluster.export.briefing_tables import TABLES
from geo_cluster.export.map_frame import Frame, draw_frame, draw_graticule, frame_around, scale_bar, true_north
from geo_cluster.export.map_ground import Sheet
from geo_cluster.export.map_labels import Names
from geo_cluster.export.map_legend import Column, locator, table_of
from geo_cluster.export.map_page import POINT_MM, Page
from geo_cluster.report import tables
from geo_cluster.study import Study
from geo_cluster.world.layers import Layers

FORMS = ("pdf", "png", "svg")
APART_KM = 120.0
"""What lies further than this from all the rest is enlarged in a window of its own."""
MOST_DETAILS = 2
BAND = 3.6
"""Between the two lines of the frame, where the degrees stand, mm."""
REVIEW = re.compile(r"(?:审图号)?[:：]?(GS[\u4e00-\u9fff]{0,2}|[\u4e00-\u9fff]{1,3}S)[(（〔\[]((?:19|20)\d\d)[)）〕\]]0*(\d{1,5})号")
"""国审 GS(2024)0650号, 省级受托 GS京(2024)0123号, 省审 鄂S(2026)001号."""
SIGNS = map_themes.SIGNS | map_ground.SIGNS


def map_sheet(
    study: Study, kind: str, *, size: str = "a4", form: str = "pdf", language: Language = "zh", review: str = "", project: str = ""
) -> bytes:
    """A map sheet as a file.

    Parameters
    ----------
    study : Study
    kind : {"chain", "supply", "ranking", "plan"}
    size : {"a4", "a3", "wide"}
        Paper, landscape; `wide` is a 16:9 slide.
    form : {"pdf", "png", "svg"}
        PDF is vector with its fonts embedded, PNG has 300 dpi, SVG has texts as outlines.
    language : {"zh", "en"}
    review : str
        The map review number, 审图号, when there is one; without it the sheet says that it is for internal use.
    project : str
        Whose ranking; the first project by default.

    Raises
    ------
    InputError
        For what is not a kind, size, form, project or review number, all at once; or there is no Chinese font.
    """
    project = _checked(study, kind, size, form, review, project)
    fonts.chinese()
    paper = toml.table("sheets")["sizes"][size]
    page = Page(paper["width"], paper["height"], text_scale=paper["text"], outlined=form != "pdf")
    sheet = Sheet(study, kind, language, page, project)
    _lay_out(sheet, size, review_words(review, language))
    return page.saved(form, title=_title(sheet), day=study.day)


def review_number(text: str) -> str:
    """A map review number as it is printed, '' for none.

    Raises
    ------
    InputError
        It has another form.

    Examples
    --------
    >>> review_number("审图号：GS（2024）0650号"), review_number(" ")
    ('GS(2024)0650号', '')
    """
    bare = re.sub(r"\s", "", text)
    if not bare:
        return ""
    found = REVIEW.fullmatch(bare.upper() if bare.isascii() else bare.replace("gs", "GS"))
    if not found:
        shown = text if len(text) <= 40 else f"{text[:39]}…"
        raise InputError(Fault("export.odd_review_number", Place("", kind="map_sheet", key="review"), value=shown))
    number = bare[bare.rindex(found[2]) + 5 : -1]
    return f"{found[1]}({found[2]}){number}号"


def review_words(review: str, language: Language) -> str:
    """What a map says of its review."""
    words, number = toml.table("sheets")["words"], review_number(review)
    return words["reviewed"][language].format(number=number) if number else words["review"][language]


def _checked(study: Study, kind: str, size: str, form: str, review: str, project: str) -> str:
    """The project to rank, '' for other kinds; refuse what is wrong, all of it."""
    declared, faults = toml.table("sheets"), []
    given = (("kind", kind, tuple(declared["kinds"])), ("size", size, tuple(declared["sizes"])), ("form", form, FORMS))
    for key, value, known in given:
        if value not in known:
            faults.append(Fault(_UNKNOWN[key], Place("", kind="map_sheet", key=key), value=str(value)[:40], known=known))
    try:
        review_number(review)
    except InputError as problem:
        faults += problem.faults
    ids = study.projects.index.tolist()
    if kind == "ranking" and not ids:
        faults.append(Fault("export.nothing_to_rank", Place("", kind="map_sheet", key="project")))
    elif kind == "ranking" and project and project not in ids:
        place = Place("", kind="map_sheet", key="project")
        faults.append(Fault("export.no_such_project", place, value=project[:40], known=tuple(ids[:20])))
    refuse_if(faults)
    return (project or ids[0]) if kind == "ranking" else ""


_UNKNOWN = {"kind": "export.no_sheet_kind", "size": "export.no_sheet_size", "form": "export.no_sheet_form"}


def _title(sheet: Sheet) -> str:
    title = toml.table("sheets")["kinds"][sheet.kind]["title"][sheet.language]
    named = sheet.study.projects["name"].get(sheet.project, "") if sheet.project else ""
    return sheet.page.plain(title.format(project=named))


def _lay_out(sheet: Sheet, size: str, review: str) -> None:
    """Place everything on the page and draw it."""
    page, paper = sheet.page, toml.table("sheets")["sizes"][size]
    declared, margin = toml.table("sheets")["kinds"][sheet.kind], paper["margin"]
    em = page.text_scale * POINT_MM
    title_high, foot_high = 28 * em * 1.25 + 2, 5.4 * em * 1.35 * 3 + 2.5
    top, bottom = page.height - margin - title_high, margin + foot_high
    map_box = (margin + BAND, bottom + BAND, page.width - 2 * margin - 2 * BAND - paper["column"] - 5, top - bottom - 2 * BAND)
    main, details = _frames(_focus(sheet, declared["focus"]), map_box)
    for frame in (main, *details):
        sheet.names[frame] = Names(page, frame)
    for detail in details:
        sheet.names[main].keep_off_box(detail.rect.buffer(1.5, join_style="mitre"))
    seen: dict[str, Any] = {}
    for sign in declared["signs"]:
        for frame in (main, *details):
            for row in SIGNS[sign](sheet, frame):
                seen.setdefault(row.words, row)
    for frame in (main, *details):
        draw_graticule(page, frame, "#8fa3ad")
        sheet.names[frame].set()
    draw_frame(page, main, band=BAND)
    for detail in details:
        _edge(sheet, detail)
    sheet.rows = list(seen.values())
    _header(sheet, margin, page.height - margin)
    _column(sheet, [main, *details], declared, (page.width - margin - paper["column"], top, paper["column"], bottom))
    _footer(sheet, main, margin, bottom - 1.5, declared, review)


def _focus(sheet: Sheet, what: str) -> np.ndarray:
    """Places that the sheet has to show, (n, 2) degrees, the R&D anchor first."""
    study, sites = sheet.study, sheet.study.sites.set_index("id")
    used = tables.assignment(study)["site"].unique()
    shown = {
        "plan": sites.loc[used] if len(used) else sites,
        "sites": sites,
        "chain": sheet.read("chain"),
    }[what]
    return np.array([(p.x, p.y) for p in (study.anchor.geometry, *shown.geometry)])


def _frames(points: np.ndarray, box: tuple[float, float, float, float]) -> tuple[Frame, list[Frame]]:
    """The window of the anchor and what is near, with enlargements of other groups in corners where nothing lies."""
    group = np.ones(len(points), int)
    if len(points) > 1:
        km = points * (111.3 * np.cos(np.radians(points[:, 1].mean())), 110.9)
        group = fcluster(linkage(km, "single"), APART_KM, "distance")
    near = points[group == group[0]]
    others = [points[group == one] for one in np.unique(group) if one != group[0]]
    others = sorted((one for one in others if len(one) > 1), key=len, reverse=True)[:MOST_DETAILS]
    x, y, width, height = box
    share = 0.40 if max(map(len, others), default=0) > 8 else 0.32
    wide, high = share * width, 1.08 * share * height
    corners = [(x + 2, y + height - high - 2), (x + 2, y + 2), (x + width - wide - 2, y + 2), (x + width - wide - 2, y + height - high - 2)]
    best: tuple[float, Frame, list[Frame]] | None = None
    for left, right in ((0.0, 0.0), (0.5 * wide, 0.0), (0.0, 0.5 * wide), (wide, 0.0), (0.0, wide)):
        inner = frame_around(near, (x + left, y, width - left - right, height))
        shift = (left - right) / 2 * inner.scale / 1000
        main = Frame(x, y, width, height, inner.epsg, (inner.middle[0] - shift, inner.middle[1]), inner.scale)
        placed, cost = _corners(main, near, others, corners, (wide, high))
        cost += main.scale / 1e7
        if best is None or cost < best[0]:
            best = cost, main, placed
        if cost < 1:
            break
    assert best is not None  # noqa: S101 - the loop runs
    return best[1], best[2]


def _corners(
    main: Frame, near: np.ndarray, others: list[np.ndarray], corners: list[tuple[float, float]], size: tuple[float, float]
) -> tuple[list[Frame], float]:
    """An enlargement of each group in the corner that covers the fewest places; how many are covered in all."""
    spots = np.array([main.point(*point) for point in near])
    free, placed, total = list(corners), [], 0.0
    for number, group in enumerate(others):

        def covered(corner: tuple[float, float]) -> int:
            inside = (spots >= np.array(corner) - 6) & (spots <= np.array(corner) + np.array(size) + 6)
            return int(inside.all(axis=1).sum())

        corner = min(free, key=covered)
        total += covered(corner)
        free.remove(corner)
        placed.append(frame_around(group, (*corner, *size), pad_mm=9, z=200.0 * (number + 1)))
    return placed, total


def _edge(sheet: Sheet, detail: Frame) -> None:
    """The border of an enlargement and its scale."""
    page, z = sheet.page, detail.z
    page.area(detail.rect.buffer(1.2, join_style="mitre").difference(detail.rect), fill="#ffffff", z=z + 60)
    page.area(detail.rect, line="#b3223e", weight=1.0, z=z + 61)
    middle = shapely.Point(detail.x + detail.width / 2, detail.y + detail.height / 2)
    words = f"1∶{detail.scale:,.0f}".replace(",", " ") if sheet.language == "zh" else f"1:{detail.scale:,.0f}".replace(",", " ")
    wide = page.wide(words, 5.6) + 2
    page.box(detail.x, detail.y, wide, 5.6 * POINT_MM * page.text_scale * 1.6, fill="#ffffff", z=z + 61, alpha=0.9)
    page.text(detail.x + 1, detail.y + 5.6 * POINT_MM * page.text_scale * 0.5, words, 5.6, va="baseline", z=z + 62)
    del middle


def _header(sheet: Sheet, margin: float, top: float) -> None:
    """Title, what the sheet says in one sentence, scenario and day; a sample is called one."""
    page, em = sheet.page, sheet.page.text_scale * POINT_MM
    width = page.width - 2 * margin
    title, size = _title(sheet), 20.0
    while size > 11 and page.wide(title, size) > width * 0.78:
        size -= 1
    title = page.wrapped(title, size, width * 0.80, most=1)[0]
    y = top - 20 * em * 0.95
    page.text(margin, y, title, size, bold=True, va="baseline", color="#12303a")
    if sheet.study.scenario.is_sample:
        words, x = sheet.words("sample"), margin + page.wide(title, size) + 4
        wide = page.wide(words, 9) + 3.4
        page.box(x, y - 1.2 * page.text_scale, wide, 9 * em * 1.55, fill="#fff3d6", line="#d9a520", weight=0.8, z=40)
        page.text(x + wide / 2, y + 9 * em * 0.13, words, 9, bold=True, ha="center", va="baseline", color="#7a5200")
    about = [sheet.words("scenario", name=sheet.study.scenario.name[sheet.language]), sheet.words("day", day=sheet.study.day.isoformat())]
    if sheet.study.scenario.is_sample:
        about.append(sheet.words("sample_note"))
    right = page.wrapped(" · ".join(about), 6.4, width * 0.42, most=2)
    for number, line in enumerate(right):
        page.text(page.width - margin, y - 8.4 * em * 1.5 + (len(right) - 1 - number) * 6.4 * em * 1.3, line, 6.4, ha="right", va="baseline", color="#56636c")
    lead = page.wrapped(_lead(sheet), 8.4, width - max(page.wide(line, 6.4) for line in right) - 6, most=1)
    if lead:
        page.text(margin, y - 8.4 * em * 1.5, lead[0], 8.4, va="baseline", color="#0b5960")


def _lead(sheet: Sheet) -> str:
    """The one sentence, with its numbers from the study."""
    study, language = sheet.study, sheet.language
    template = toml.table("sheets")["kinds"][sheet.kind]["lead"][language]
    if sheet.kind == "chain":
        chain = study.layers.read("chain")
        return template.format(entities=len(chain), located=len(sheet.read("chain")))
    if sheet.kind == "supply":
        land = TABLES["supply_land"](study, language)[["low", "likely", "high"]].sum()
        return template.format(**{key: f"{land[key]:,.0f}" for key in ("low", "likely", "high")})
    if sheet.kind == "plan":
        if study.projects.empty:
            return sheet.words("empty")
        cities = TABLES["cities"](study, language)
        shown = [f"{row.city.removesuffix(' City')} {row.projects:.0f}" for row in cities.itertuples()]
        placed = len(tables.assignment(study))
        return template.format(projects=len(study.projects), placed=placed, cities=sheet.words("and_list").join(shown))
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


def _column(sheet: Sheet, frames: list[Frame], declared: dict[str, Any], box: tuple[float, float, float, float]) -> None:
    """Legend, notes, table; scale, north and the province at the bottom."""
    page, (x, top, width, bottom) = sheet.page, box
    column = Column(sheet, x, top + 1.5, width, bottom)
    subject = [row for row in sheet.rows if not _is_ground(row, sheet)]
    ground = [row for row in sheet.rows if _is_ground(row, sheet)]
    column.heading(sheet.words("legend"))
    two = sheet.language == "zh" and sheet.kind in ("chain",)
    column.legend(subject, columns=2 if two else 1)
    column.y -= 0.6
    column.legend(ground, columns=2)
    for note in _notes(sheet, frames):
        column.words(note)
    high = width * 0.62
    for name in declared["tables"]:
        column.table(*table_of(sheet, name), until=bottom + high + 15 * page.text_scale)
    _instruments(sheet, frames, (x, bottom, width, high))


def _is_ground(row: Any, sheet: Sheet) -> bool:
    words = ("target", "water", "river", "province_line", "prefecture_line", "county_line", "motorway", "road", "railway", "seat", "town")
    return row.words in {sheet.words(key) for key in words}


def _instruments(sheet: Sheet, frames: list[Frame], box: tuple[float, float, float, float]) -> None:
    """The province at the bottom of the column, over it the scale and true north."""
    page, (x, bottom, width, high) = sheet.page, box
    locator(sheet, (x, bottom, width, high), frames)
    y, main = bottom + high + 3.2, frames[0]
    scale_bar(page, main, x, y, width * 0.66, sheet.language)
    size = toml.table("sheets")["sizes"]
    name = next(one["name"][sheet.language] for one in size.values() if one["width"] == page.width)
    shown = sheet.words("scale", scale=f"{main.scale:,.0f}".replace(",", "\u2009" if False else " "), size=name)
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
    left_out = sum(names.left_out for names in sheet.names.values())
    notes += [sheet.words("crowded", n=left_out)] if left_out else []
    if brief := toml.table("sheets")["short_note"][sheet.language]:
        notes.append(brief)
    joint = "" if sheet.language == "zh" else " "
    return [joint.join(notes)] if notes else []


def _footer(sheet: Sheet, main: Frame, margin: float, top: float, declared: dict[str, Any], review: str) -> None:
    """Sources, projection, who made it, and the review number."""
    page, size = sheet.page, 5.4
    step, width = size * page.text_scale * POINT_MM * 1.35, page.width - 2 * margin
    owed = _owed(sheet.study.layers, [*declared["layers"], "province", "prefectures", "counties", "roads", "railways", "water", "geonames"], sheet.language)
    sources = sheet.words("sources") + ("；" if sheet.language == "zh" else "; ").join(owed)
    y = top - step
    for line in page.wrapped(sources, size, width, most=2):
        page.text(margin, y, line, size, va="baseline", color="#56636c")
        y -= step
    crs = sheet.words("crs", meridian=f"{main.meridian:g}", epsg=main.epsg)
    page.text(margin, margin + 0.4, f"{crs} · {sheet.words('made')} {sheet.study.day.year}", size, va="baseline", color="#56636c")
    page.text(page.width - margin, margin + 0.4, review, 7.0, ha="right", va="baseline", bold=True, color="#b4541a")


def _owed(layers: Layers, names: list[str], language: Language) -> list[str]:
    """Whom the layers are owed to, each once."""
    registry = layers.registry
    owed = [getattr(registry[name], f"attribution_{language}") for name in names if name in registry]
    return list(dict.fromkeys(one.rstrip("。.；;") for one in owed if one))
