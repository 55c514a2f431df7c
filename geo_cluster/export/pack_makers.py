"""What a briefing pack is made of (`Order`), and the maker of each format; its module is imported when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from geo_cluster import scratch, toml
from geo_cluster.archive import file_name
from geo_cluster.domain import LANGUAGES, Language, Text
from geo_cluster.export import bundle
from geo_cluster.export.csv_tables import marked
from geo_cluster.export.gis.systems import DEFAULT_CRS
from geo_cluster.export.outline import Remark
from geo_cluster.export.screened import screening
from geo_cluster.export.template import House
from geo_cluster.study import PROGRAM, Study
from geo_cluster.world.spreadsheet import as_csv


def said(key: str, language: Language, **values: object) -> str:
    """The sentence `key` that the pack itself says in a `language`, with its `values`."""
    return toml.table("pack")["words"][key][language].format(**values)


@dataclass(frozen=True, eq=False)
class Order:
    """What a pack is made of and how.

    Attributes
    ----------
    study : Study
    language : {"zh", "en"}
        Of texts and of the names of files.
    levels : sequence of Study
        It at each planning level (`report.cities.at_levels`); by default at its own alone.
    is_stale : bool
        Whether the settings moved on since: each document says so.
    slide_template, paper_template : Path or Template, optional
        A house's own .pptx and .docx.
    review : str
        Map review number, '' for none.
    project : str
        Whose ranking is drawn; by default that of the largest output.
    crs : str
        The system of the layers, of `tables/gis.toml`; by default CGCS2000 in degrees.
    remarks : tuple of Remark
        Comments that slides and papers carry along.
    """

    study: Study
    language: Language = "zh"
    levels: Sequence[Study] = ()
    is_stale: bool = False
    slide_template: House = None
    paper_template: House = None
    review: str = ""
    project: str = ""
    crs: str = DEFAULT_CRS
    remarks: tuple[Remark, ...] = ()

    @property
    def stale(self) -> str:
        """What every page says of a study that is out of date or of another version, '' of one that is not."""
        return self._stale(self.language)

    def made_by(self, language: Language) -> str:
        """Version of the program that made the plan."""
        return self.study.version or said("earlier", language)

    def _stale(self, language: Language) -> str:
        doubts = [said("stale", language, id=self.study.scenario.id)] if self.is_stale else []
        if self.study.version != PROGRAM:
            doubts.append(said("older", language, made=self.made_by(language), now=PROGRAM))
        return ("；" if language == "zh" else "; ").join(doubts)

    @property
    def templates(self) -> tuple[House, ...]:
        """Of slides and of the paper."""
        return self.slide_template, self.paper_template

    @property
    def said(self) -> dict[str, Any]:
        """What slides and papers are told to say."""
        return {"stale": self.stale, "review": self.review, "remarks": self.remarks}

    @cached_property
    def shown(self) -> Study:
        """The study as documents name it: one that is out of date says so wherever its scenario is named."""
        if not self.stale:
            return self.study
        name, now = self.study.scenario.name, self.study.scenario
        marks = {one: self._stale(one) for one in LANGUAGES}
        marked = Text(zh=f"{name.zh}（{marks['zh']}）", en=f"{name.en} ({marks['en']})")
        return replace(self.study, scenario=now.model_copy(update={"name": marked}))

    def named(self, end: str) -> str:
        """The name of a file that ends like this, safe on every system."""
        return file_name(f"{toml.table('pack')['stem'][self.language]}_{end}")


# ---- makers: from an order to files by name -----------------------------------------------------------------------


def _slides(order: Order) -> dict[str, bytes]:
    from geo_cluster.export.slides import slides

    made = slides(order.study, language=order.language, template=order.slide_template, **order.said)
    return _one("slides", order, made)


def _paper(order: Order) -> dict[str, bytes]:
    from geo_cluster.export.paper import paper

    made = paper(order.study, language=order.language, template=order.paper_template, **order.said)
    return _one("paper", order, made)


def _printed(order: Order) -> dict[str, bytes]:
    from geo_cluster.export.print import printed

    return _one("printed", order, printed(order.study, language=order.language, **order.said))


def _map_sheet(kind: str) -> Callable[[Order], dict[str, bytes]]:
    """A maker of map sheets of a kind: to print, and as a picture for a slide; nothing without a screening."""

    def make(order: Order) -> dict[str, bytes]:
        from geo_cluster.export.map_sheets import map_sheet

        if kind == "suitability" and screening(order.study) is None:
            return {}
        options: dict[str, Any] = {"language": order.language, "review": order.review}
        if kind == "ranking":
            options["project"] = order.project or str(order.study.projects["output_100m_yuan"].idxmax())
        title = toml.table("pack")["formats"][f"{kind}_map"]["name"][order.language]
        return {
            order.named(f"{title}_{end}"): map_sheet(order.shown, kind, **form, **options)
            for end, form in toml.table("pack")["sheets"].items()
        }

    return make


def _sheet(order: Order) -> dict[str, bytes]:
    from geo_cluster.export.sheet import sheet

    return _one("sheet", order, sheet(order.shown, levels=order.levels, language=order.language).encode())


def _tables(order: Order) -> dict[str, bytes]:
    from geo_cluster.export.workbook import workbook

    return _one("tables", order, workbook(order.shown, levels=order.levels, language=order.language))


def _map(order: Order) -> dict[str, bytes]:
    from geo_cluster.maps import page, payload

    shown = payload.atlas(order.study, order.language)
    shown["notes"] = [*([order.stale] if order.stale else []), *shown["notes"]]
    return _one("map", order, page.standalone(shown).encode())


def _layers(order: Order) -> dict[str, bytes]:
    from geo_cluster.export.gis.files import gis_files

    with scratch.temporary() as folder:
        gis_files(order.shown, folder, language=order.language, crs=order.crs)
        known = [row["file"] for row in toml.table("gis")["formats"].values()]
        others = sorted({path.name for path in folder.iterdir()} - set(known))
        return {f"layers/{name}": (folder / name).read_bytes() for name in (*known, *others)}


def _archive(order: Order) -> dict[str, bytes]:
    """What the study is kept by, and what the briefing tells of; its map and its layers are in the pack already."""
    from geo_cluster.export.briefing_tables import behind

    study = order.study
    files = bundle.archive_files(study, levels=order.levels, language=order.language, drawn=False)
    told = {f"{name}.csv": as_csv(marked(table, study)) for name, table in behind(study).items()}
    return dict(sorted((files | told).items()))


MAKERS: dict[str, Callable[[Order], dict[str, bytes]]] = {
    "slides": _slides,
    "paper": _paper,
    "printed": _printed,
    **{f"{kind}_map": _map_sheet(kind) for kind in ("plan", "chain", "supply", "suitability", "ranking")},
    "sheet": _sheet,
    "tables": _tables,
    "map": _map,
    "layers": _layers,
    "archive": _archive,
}


def _one(form: str, order: Order, content: bytes) -> dict[str, bytes]:
    return {order.named(toml.table("pack")["formats"][form]["file"][order.language]): content}
