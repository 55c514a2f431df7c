"""The briefing as a PDF to read and to print, set by typst from the same outline; its fonts are embedded."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import typst
from matplotlib.ft2font import FT2Font

from geo_cluster import scratch, toml
from geo_cluster.domain import Language
from geo_cluster.export import columns, fonts
from geo_cluster.export.map_sheets import map_sheet
from geo_cluster.export.numbering import WORDS, Numbers, heading
from geo_cluster.export.outline import Block, Chart, Drawing, Facts, Grid, Lines, Outline, Part, Remark, Sheet, outline
from geo_cluster.export.slide_charts import BANDS
from geo_cluster.export.slide_template import PALE, SERIES
from geo_cluster.study import Study

TEMPLATE = "paper.typ"
WIDE_PT, CELL_PT = 162.0 / 25.4 * 72, 7.0
"""Width of the text, and both margins of a cell, points."""
SIZES = (9.0, 8.0, 7.0)
"""Type of a table's text, the largest first."""
UNBROKEN, PIECE = 30, 12
"""Letters of a word from which it may be broken, after so many letters."""


def printed(
    study: Study,
    *,
    language: Language = "zh",
    stale: str = "",
    review: str = "",
    remarks: Sequence[Remark] = (),
) -> bytes:
    """The briefing of a study as a PDF file.

    Parameters
    ----------
    study : Study
    language : {"zh", "en"}
    stale : str
        What every page says when the study is out of date.
    review : str
        Map review number, '' for none.
    remarks : sequence of Remark
        Comments to carry along.

    Raises
    ------
    InputError
        There is no Chinese font.
    """
    made = outline(study, language=language, stale=stale, review=review, remarks=remarks)
    maps = [
        map_sheet(study, kind, size="a4", form="svg", language=language, review=review) for kind, _ in _sheets(made)
    ]
    return set_in_type(made, language, day=study.day, maps=maps)


def set_in_type(made: Outline, language: Language, *, day: datetime.date, maps: Sequence[bytes] = ()) -> bytes:
    """Any outline as a PDF file in the house's style.

    Parameters
    ----------
    made : Outline
    language : {"zh", "en"}
    day : date
        Of the file.
    maps : sequence of bytes
        Its map sheets as SVG, in order.

    Raises
    ------
    InputError
        There is no Chinese font.
    """
    sans, serif = fonts.chinese(), fonts.serif()
    data = _data(made, language) | {"sans": _family(sans), "serif": _family(serif)}
    data["day"] = [day.year, day.month, day.day]
    with scratch.temporary() as folder:
        for number, picture in enumerate(maps, 1):
            (folder / f"map{number}.svg").write_bytes(picture)
        for block in (block for part in made.parts for block in part.blocks if isinstance(block, Drawing)):
            (folder / f"{block.name}.png").write_bytes(block.png)
        (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        (folder / TEMPLATE).write_text(_template(), encoding="utf-8")
        paths = sorted({sans.parent, serif.parent})
        made_pdf = typst.compile(
            folder / TEMPLATE, root=folder, font_paths=paths, ignore_system_fonts=True, format="pdf"
        )
    return bytes(made_pdf)


@cache
def _template() -> str:
    return (resources.files("geo_cluster.export") / "templates" / TEMPLATE).read_text(encoding="utf-8")


def _family(path: Path) -> str:
    return str(FT2Font(str(path)).family_name)


def _sheets(made: Outline) -> list[tuple[str, Sheet]]:
    return [(block.name, block) for part in made.parts for block in part.blocks if isinstance(block, Sheet)]


def _data(made: Outline, language: Language) -> dict[str, Any]:
    """All that the template lays out."""
    words, numbers, page = WORDS[language], Numbers.of(made), toml.table("style")["page"]
    chapters = [
        {
            "title": heading(1, number, title, language),
            "parts": [
                _part(part, heading(2, at, part.title, language) if len(parts) > 1 else "", numbers, language)
                for at, part in enumerate(parts, 1)
            ],
        }
        for number, (title, parts) in enumerate(made.chapters().items(), 1)
    ]
    maps = [
        {"file": f"map{n}.svg", "caption": numbers.caption(sheet, language)}
        for n, (_, sheet) in enumerate(_sheets(made), 1)
    ]
    notes = [f"{words['note'].format(n=n)} {text}" for n, text in enumerate(numbers.notes, 1)]
    return {
        "lang": language,
        "region": {"zh": "cn", "en": "us"}[language],
        "title": made.title,
        "about": made.about,
        "subtitle": made.subtitle,
        "warned": " · ".join(one for one in (made.stale, made.sample) if one),
        "review": made.review,
        "chapters": chapters,
        "notes": notes,
        "maps": maps,
        "words": words,
        "series": [f"#{colour}" for colour in SERIES],
        "pale": f"#{PALE}",
        **{key: page[key] for key in ("accent", "muted", "ink", "warning")},
    }


def _part(part: Part, title: str, numbers: Numbers, language: Language) -> dict[str, Any]:
    note = numbers.note(" ".join(part.sources)) if part.sources else 0
    blocks = [_block(block, numbers, language) for block in part.blocks]
    return {
        "title": title,
        "message": _soft(part.message + numbers.references(part, language)),
        "note": WORDS[language]["note"].format(n=note) if note else "",
        "blocks": [block for block in blocks if block],
    }


def _block(block: Block, numbers: Numbers, language: Language) -> dict[str, Any]:
    """A block as the template has it; nothing of a map, which stands at the end."""
    if isinstance(block, Facts):
        return {"kind": "facts", "rows": [[_soft(text) for text in row] for row in block.rows]}
    if isinstance(block, Lines):
        item = WORDS[language]["item"] if len(block.lines) > 1 else "{text}"
        return {"kind": "lines", "texts": [_soft(item.format(n=n, text=text)) for n, text in enumerate(block.lines, 1)]}
    if isinstance(block, Grid):
        return {"kind": "grid", "caption": numbers.caption(block, language), **_grid(block)}
    if isinstance(block, Chart):
        bands = BANDS[language].lstrip("：: ") if block.kind == "range" else ""
        return {"kind": "chart", "caption": numbers.caption(block, language), "bands": bands, **_chart(block)}
    if isinstance(block, Drawing):
        return {"kind": "drawing", "caption": numbers.caption(block, language), "file": f"{block.name}.png"}
    return {}


def _grid(block: Grid) -> dict[str, Any]:
    size = next((one for one in SIZES if columns.least(block, CELL_PT / one, broken=False) * one <= WIDE_PT), SIZES[-1])
    return {
        "headings": block.headings,
        "rows": [[_soft(text) for text in row] for row in block.texts],
        "total": block.total,
        "numeric": [bool(one) for one in block.numeric],
        "size": size,
        "widths": columns.widths(block, WIDE_PT / size, CELL_PT / size),
    }


def _chart(block: Chart) -> dict[str, Any]:
    top, unit = block.axis
    return {
        "form": block.kind,
        "categories": [_soft(one) for one in block.categories],
        "series": [
            {"name": name, "values": values, "labels": [block.tick(value) for value in values]}
            for name, values in block.series.items()
        ],
        "top": top,
        "ticks": [block.tick(unit * at) for at in range(round(top / unit) + 1)],
    }


def _soft(text: str) -> str:
    """A text whose very long words may be broken."""
    words = (
        "\u200b".join(word[at : at + PIECE] for at in range(0, len(word), PIECE))
        if len(word) > UNBROKEN and word.isascii()
        else word
        for word in text.split(" ")
    )
    return " ".join(words)
