"""Map sheets to print and to hang: `map_sheet(study, "plan", size="a3", form="pdf", language="zh")`.

What each kind shows is declared in `tables/sheets.toml`; here the sheet is laid out: title, map with an enlargement of
what lies far from the rest, legend, table, inset of the province, scale, north, sources and the review number.
"""

from __future__ import annotations

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.errors import Fault, InputError, Place, refuse_if
from geo_cluster.export import fonts, map_answers, map_ground, map_surface, map_themes, screened
from geo_cluster.export.map_frame import Frame, draw_frame, draw_graticule, frame_around
from geo_cluster.export.map_glyphs import WHITE
from geo_cluster.export.map_ground import Sheet
from geo_cluster.export.map_labels import Names
from geo_cluster.export.map_margin import SOURCES, column, footer, header, ratio, sources_of, title_of
from geo_cluster.export.map_page import POINT_MM, Page, shade
from geo_cluster.export.review import review_number, review_words
from geo_cluster.report import tables
from geo_cluster.study import Study

FORMS = ("pdf", "png", "svg")
APART_KM = 120.0
"""What lies further than this from all the rest is enlarged in a window of its own."""
MOST_DETAILS = 2
BAND = 3.6
"""Between the two lines of the frame, where the degrees stand, mm."""
SIGNS = map_themes.SIGNS | map_answers.SIGNS | map_surface.SIGNS | map_ground.SIGNS
"""Every sign by its name in `tables/sheets.toml`."""


def map_sheet(
    study: Study,
    kind: str,
    *,
    size: str = "a4",
    form: str = "pdf",
    language: Language = "zh",
    review: str = "",
    project: str = "",
) -> bytes:
    """A map sheet as a file.

    Parameters
    ----------
    study : Study
    kind : {"chain", "supply", "suitability", "ranking", "plan"}
        `suitability` needs a screening whose regions are sites of the study's layers (`suitability.kept`).
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
        For what is not a kind, size, form, project or review number, all at once; there is no screening, or no
        Chinese font.
    """
    project = _checked(study, kind, size, form, review, project)
    fonts.chinese()
    paper = toml.table("sheets")["sizes"][size]
    page = Page(paper["width"], paper["height"], text_scale=paper["text"], outlined=form != "pdf")
    sheet = Sheet(study, kind, language, page, size, project)
    _lay_out(sheet, review_words(review, language))
    return page.saved(form, title=title_of(sheet), day=study.day)


def _checked(study: Study, kind: str, size: str, form: str, review: str, project: str) -> str:
    """The project to rank, '' for other kinds; refuse what is wrong, all of it."""
    declared, faults = toml.table("sheets"), []
    kinds, sizes = tuple(declared["kinds"]), tuple(declared["sizes"])
    if kind not in kinds:
        faults.append(Fault("export.no_sheet_kind", _of("kind"), value=kind[:40], known=kinds))
    if size not in sizes:
        faults.append(Fault("export.no_sheet_size", _of("size"), value=size[:40], known=sizes))
    if form not in FORMS:
        faults.append(Fault("export.no_sheet_form", _of("form"), value=form[:40], known=FORMS))
    try:
        review_number(review)
    except InputError as problem:
        faults += problem.faults
    ids = study.projects.index.tolist()
    if kind == "ranking" and project and project not in ids:
        faults.append(Fault("export.no_such_project", _of("project"), value=project[:40], known=tuple(ids[:20])))
    if kind == "suitability" and screened.screening(study) is None:
        faults.append(Fault("export.no_screening", _of("kind")))
    refuse_if(faults)
    return (project or ids[0]) if kind == "ranking" else ""


def _of(key: str) -> Place:
    return Place("", kind="map_sheet", key=key)


def _lay_out(sheet: Sheet, review: str) -> None:
    """Place everything on the page and draw it."""
    page, paper = sheet.page, toml.table("sheets")["sizes"][sheet.size]
    declared, margin = toml.table("sheets")["kinds"][sheet.kind], paper["margin"]
    em = page.text_scale * POINT_MM
    lines = max(len(sources_of(sheet, declared, page.width - 2 * margin)), 2)
    title_high, foot_high = 28 * em * 1.25 + 2, SOURCES * em * 1.35 * (1 + lines) + 2.5
    top, bottom = page.height - margin - title_high, margin + foot_high
    map_box = (
        margin + BAND,
        bottom + BAND,
        page.width - 2 * margin - 2 * BAND - paper["column"] - 5,
        top - bottom - 2 * BAND,
    )
    details: list[Frame] = []
    if declared["focus"] == "screened":
        main = frame_around(screened.corners(sheet.study), map_box, pad_mm=4, least=50_000)
    else:
        least = 2 if declared["focus"] == "chain" else 1
        main, details = _frames(_focus(sheet, declared["focus"]), map_box, least=least)
    for frame in (main, *details):
        sheet.names[frame] = Names(page, frame)
    for detail in details:
        sheet.names[main].keep_off_box(detail.rect.buffer(1.5, join_style="mitre"))
    for sign in declared["signs"]:
        rows = sheet.ground if sign in map_ground.SIGNS else sheet.rows
        for frame in (main, *details):
            rows += [row for row in SIGNS[sign](sheet, frame) if row.words not in {one.words for one in rows}]
    for frame in (main, *details):
        draw_graticule(page, frame)
        sheet.names[frame].set()
    draw_frame(page, main, band=BAND)
    for detail in details:
        _edge(sheet, detail)
    header(sheet, margin, page.height - margin)
    column(sheet, [main, *details], declared, (page.width - margin - paper["column"], top, paper["column"], bottom))
    footer(sheet, main, margin, bottom - 1.5, declared, review)


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


def _frames(points: np.ndarray, box: tuple[float, float, float, float], *, least: int) -> tuple[Frame, list[Frame]]:
    """The window of the anchor and what is near, with enlargements of other groups in corners where nothing lies."""
    group = np.ones(len(points), int)
    if len(points) > 1:
        km = points * (111.3 * np.cos(np.radians(points[:, 1].mean())), 110.9)
        group = fcluster(linkage(km, "single"), APART_KM, "distance")
    near = points[group == group[0]]
    others = [points[group == one] for one in np.unique(group) if one != group[0]]
    others = sorted((one for one in others if len(one) >= least), key=len, reverse=True)[:MOST_DETAILS]
    x, y, width, height = box
    share = 0.40 if max(map(len, others), default=0) > 8 else 0.32
    wide, high = share * width, 1.08 * share * height
    corners = [
        (x + 2, y + height - high - 2),
        (x + 2, y + 2),
        (x + width - wide - 2, y + 2),
        (x + width - wide - 2, y + height - high - 2),
    ]
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
    assert best is not None
    return best[1], best[2]


def _corners(
    main: Frame,
    near: np.ndarray,
    others: list[np.ndarray],
    corners: list[tuple[float, float]],
    size: tuple[float, float],
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
    page.area(detail.rect.buffer(1.2, join_style="mitre").difference(detail.rect), fill=WHITE, z=z + 60)
    page.area(detail.rect, line=shade("window"), weight=1.0, z=z + 61)
    words = ratio(sheet, detail)
    wide = page.wide(words, 5.6) + 2
    page.box(detail.x, detail.y, wide, 5.6 * POINT_MM * page.text_scale * 1.6, fill=WHITE, z=z + 61, alpha=0.9)
    page.text(detail.x + 1, detail.y + 5.6 * POINT_MM * page.text_scale * 0.5, words, 5.6, va="baseline", z=z + 62)
