"""One site or firm on one sheet （园区一张表、企业一张表）: page, paper and PDF are made from this outline.

Which parts and lines there are is `tables/place_sheet.toml`. What nobody knows is said to be unknown, and never zero.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.errors import Fault, InputError, Place
from geo_cluster.export import place_lines as lines
from geo_cluster.export.csv_tables import SAMPLE
from geo_cluster.export.outline import NONE, Block, Drawing, Facts, Grid, Lines, Outline, Part
from geo_cluster.export.place_map import place_map
from geo_cluster.policy import links
from geo_cluster.policy.rules import not_found
from geo_cluster.policy.why_here import support
from geo_cluster.region import Region
from geo_cluster.report import tables
from geo_cluster.study import Study
from geo_cluster.supply.standard_land import NO_LAND, NOT_FOUND
from geo_cluster.world import catalog, sources
from geo_cluster.world.layers import as_read, headings, words

LAYERS = ("sites", "chain")
"""Layers whose rows have a sheet."""


@dataclass(frozen=True, eq=False)
class _Subject:
    """Whose sheet it is, and what it is made of."""

    region: Region
    layer: str
    row: gpd.GeoDataFrame
    language: Language
    study: Study | None
    day: datetime.date

    @property
    def id(self) -> str:
        return str(self.row["id"].iloc[0])

    @property
    def name(self) -> str:
        first = self.row.iloc[0]
        return str(first[f"name_{self.language}"] or first["name_zh"])

    @property
    def city(self) -> str:
        """City and county."""
        found = []
        for layer, column in (("prefectures", "prefecture_code"), ("counties", "county_code")):
            known = self.region.layers.read(layer).drop_duplicates("code").set_index("code")[f"name_{self.language}"]
            found += [known[code] for code in self.row.get(column, pd.Series([""])) if code in known.index]
        ordered = found if self.language == "zh" else found[::-1]
        return ("" if self.language == "zh" else ", ").join(ordered) or self.say("city_unknown")

    def say(self, key: str, **values: object) -> str:
        return str(toml.table("place_sheet")["words"][key][self.language]).format(**values)


def places(region: Region, language: Language) -> dict[str, str]:
    """Id -> name of everything that has a sheet: sites of the scenario, then entities of the chain.

    Parameters
    ----------
    region : Region
    language : {"zh", "en"}
    """
    found: dict[str, str] = {}
    for table in (region.sites, region.layers.read("chain")):
        named = table[f"name_{language}"].where(table[f"name_{language}"] != "", table["name_zh"])
        found |= dict(zip(table["id"], named, strict=True))
    return found


def place_sheet(
    region: Region, named: str, *, language: Language, study: Study | None = None, stale: str = ""
) -> Outline:
    """The sheet of a site or an entity of the chain.

    Parameters
    ----------
    region : Region
    named : str
        Its id.
    language : {"zh", "en"}
    study : Study, optional
        Whose plan is told; without one the sheet says that nothing was solved.
    stale : str
        What to say when that plan is of earlier settings.

    Raises
    ------
    InputError
        No site of the scenario and no entity of the chain has that id.
    """
    subject = _subject(region, named, language, study)
    layer, say = subject.layer, subject.say
    parts = tuple(_MADE[key](subject) for key in toml.table("place_sheet")["parts"][layer])
    told = any(part.key == "plan" and part.blocks for part in parts)
    return Outline(
        say(f"title_{layer}", name=subject.name),
        (say("about_id", id=subject.id), say("day", day=subject.day)),
        parts,
        sample=SAMPLE.split(" / ")[language == "en"] if told and study and study.scenario.is_sample else "",
        stale=stale if study else "",
        review=say("review"),
    )


def _subject(region: Region, named: str, language: Language, study: Study | None) -> _Subject:
    day = study.day if study else region.scenario.date
    for layer, table in (("sites", region.sites), ("chain", region.layers.read("chain"))):
        found = table[table["id"] == named]
        if len(found):
            return _Subject(region, layer, found.reset_index(drop=True), language, study, day)
    known = [str(table["id"].iloc[0]) for table in (region.sites, region.layers.read("chain")) if len(table)]
    raise InputError(Fault("export.no_place_sheet", Place(named[:40], kind="place"), known=known))


def _part(subject: _Subject, key: str, message: str, *blocks: Block | None) -> Part:
    title = subject.say(key)
    return Part(key, title, title, message, tuple(one for one in blocks if one is not None))


def _grid(
    subject: _Subject, name: str, heads: Sequence[str], rows: Sequence[Sequence[object]], numeric: str, title: str = ""
) -> Grid | None:
    """A table; `numeric` has a 1 for each column of numbers. None where it has no row."""
    titles = tuple(subject.say(one) for one in heads)
    texts = tuple(tuple(str(cell) for cell in row) for row in rows)
    values = pd.DataFrame([list(row) for row in rows], columns=list(titles))
    marks = tuple(one == "1" for one in numeric)
    return Grid(name, title or subject.say(name), titles, values, texts, marks, len(texts)) if texts else None


def _columns(subject: _Subject, columns: Sequence[str]) -> list[tuple[str, str]]:
    """(heading, cell) of columns of the layer; what is empty is unknown, unless it needn't be there."""
    shown = as_read(subject.layer, pd.DataFrame(subject.row.drop(columns="geometry")), subject.language).iloc[0]
    heads, optional = headings(subject.layer), toml.table("place_sheet")["about"]["optional"]
    found = []
    for column in columns:
        cell = shown.get(column)
        is_empty = cell is None or cell == "" or pd.isna(cell)
        if not is_empty or column not in optional:
            text = subject.say("unknown") if is_empty else _cell(cell, subject.language)
            found.append((heads[column][subject.language], text))
    return found


def _cell(cell: object, language: Language) -> str:
    if isinstance(cell, int | float | np.number):
        return f"{cell:,.10g}"
    return str(cell).replace("; ", "；") if language == "zh" else str(cell)


def _about(subject: _Subject) -> Part:
    declared, region = toml.table("place_sheet")["about"], subject.region
    rows = _columns(subject, declared[subject.layer])
    zone = str(subject.row.get("zone_id", pd.Series([""])).iloc[0] or "") if subject.layer == "sites" else ""
    whole = subject.say("in_zone", zone=region.names[zone][subject.language]) if zone in region.names else ""
    message = subject.say(f"about_{subject.layer}", name=subject.name, city=subject.city, whole=whole)
    facts = Facts(tuple(_facts(subject))) if subject.layer == "sites" else None
    drawn = place_map(region, subject.row, language=subject.language, day=subject.day)
    picture: Drawing | None = None
    note = ""
    if drawn:
        picture = Drawing("map", subject.say("map", ratio=drawn.ratio), drawn.png)
        far = "" if drawn.has_anchor else subject.say("far", km=drawn.anchor_km)
        note = subject.say("map_note", name=subject.name, far=far)
    grid = _grid(subject, "about", ("item", "said"), rows, "00")
    return _part(subject, "about", message, facts, grid, picture, Lines((note,)) if note else None)


def _facts(subject: _Subject) -> list[tuple[str, str]]:
    """Land, power, energy and minutes, each with interval and basis."""
    found = [
        (subject.say(f"fact_{one.key}"), one)
        for one in lines.supplied(subject.region, subject.id, subject.language)
        if one.key in ("land", "power", "energy")
    ]
    found += [(subject.say("fact_trip"), one) for one in lines.trips(subject.region, subject.id, subject.language)[:1]]
    return [
        (subject.say("fact_name", name=name, basis=one.basis) if one.basis else name, _interval(subject, one))
        for name, one in found
    ]


def _interval(subject: _Subject, one: lines.Line) -> str:
    if one.state:
        return subject.say(one.state)
    low, likely, high = (lines.number(end) for end in one.ends)
    return subject.say("fact_value", low=low, likely=likely, high=high, unit=one.unit)


def _supply(subject: _Subject) -> Part:
    found = lines.supplied(subject.region, subject.id, subject.language)
    rows = [(one.name, *_ends(subject, one), one.unit, one.basis or NONE, one.whose) for one in found]
    assumed = words("basis")["assumed"][subject.language]
    grid = _grid(subject, "supply", ("what", "low", "likely", "high", "unit", "basis", "whose"), rows, "0111000")
    message = subject.say("supply_said", assumed=sum(one.basis == assumed for one in found))
    return _part(subject, "supply", message, grid, _reasons(subject, found))


def _ends(subject: _Subject, one: lines.Line) -> tuple[str, str, str]:
    """Low, likely, high as shown; of what isn't there or isn't known the word in the middle."""
    if one.state:
        return NONE, subject.say(one.state), NONE
    low, likely, high = (lines.number(end) for end in one.ends)
    return low, likely, high


def _reasons(subject: _Subject, found: Sequence[lines.Line]) -> Lines | None:
    """What each number rests on, a line each."""
    said = [
        subject.say("source_line", what=one.name, source=one.source, as_of=one.as_of or subject.say("undated"))
        for one in found
        if one.source
    ]
    return Lines(tuple(dict.fromkeys(said))) if said else None


def _trip(subject: _Subject) -> Part:
    region, language = subject.region, subject.language
    found = (
        lines.trips(region, subject.id, language)
        if subject.layer == "sites"
        else lines.road_to_anchor(region, subject.row, language)
    )
    if not found or found[0].state:
        return _part(subject, "trip", subject.say("trip_unknown"))
    anchor = region.anchor[f"name_{language}"] or region.anchor["name_zh"]
    low, likely, high = (lines.number(end) for end in found[0].ends)
    message = subject.say(f"trip_said_{subject.layer}", anchor=anchor, low=low, likely=likely, high=high)
    rows = [(one.name, *_ends(subject, one), one.unit, one.basis or NONE) for one in found]
    grid = _grid(subject, "trip", ("what", "low", "likely", "high", "unit", "basis"), rows, "011100")
    return _part(subject, "trip", message, grid, _reasons(subject, found))


def _near(subject: _Subject) -> Part:
    declared, language = toml.table("place_sheet")["near"], subject.language
    try:
        found = links.linkage(subject.region, links.focus_of(subject.region, subject.id))
    except InputError as refusal:
        why = refusal.faults[0].words(language)
        return _part(subject, "near", subject.say("near_unknown", why=why.what, remedy=why.remedy))
    grids = [
        _grid(subject, side, ("partner", "city", "minutes", "rests"), _partners(subject, table, declared), "0010")
        for side, table in (("suppliers", found.suppliers), ("buyers", found.buyers))
    ]
    said = links.sentence(found, declared["minutes"])[language]
    return _part(subject, "near", subject.say("near_said", said=said), *grids)


def _partners(subject: _Subject, table: pd.DataFrame, declared: dict[str, Any]) -> list[tuple[str, ...]]:
    language = subject.language
    return [
        (
            row[f"name_{language}"],
            row[f"city_{language}"] or subject.say("unknown"),
            subject.say("unknown") if pd.isna(row["likely"]) else _minutes(row["low"], row["likely"], row["high"]),
            links.BASES[row["basis"]][language],
        )
        for row in table[table["id"] != subject.id].head(declared["nearest"]).to_dict("records")
    ]


def _minutes(low: float, likely: float, high: float) -> str:
    return f"{likely:.0f} ({low:.0f}–{high:.0f})"


def _choice(subject: _Subject) -> Part:
    found = lines.nearest_sites(subject.region, subject.row)
    if found.empty:
        return _part(subject, "choice", subject.say("choice_unknown"))
    names, language = subject.region.names, subject.language
    rows = [
        (names[row["id"]][language], names[row["prefecture_code"]][language], _minutes(*row[["low", "likely", "high"]]))
        for _, row in found.iterrows()
    ]
    grid = _grid(subject, "choice", ("site", "city", "minutes"), rows, "001")
    return _part(subject, "choice", subject.say("choice_said", n=len(rows)), grid)


def _constraints(subject: _Subject) -> Part:
    rows = _columns(subject, toml.table("place_sheet")["constraints"]["columns"])
    one = lines.attribute(subject.region, "open_constraints", subject.id, subject.language)
    if one.state:
        message = subject.say("constraints_unknown")
    else:
        low, likely, high = (lines.number(end) for end in one.ends)
        message = subject.say("constraints_said", low=low, likely=likely, high=high)
    grid = _grid(subject, "constraints", ("item", "said"), rows, "00")
    return _part(subject, "constraints", message, grid, _reasons(subject, [one]))


def _doors(subject: _Subject) -> Part:
    language, row, declared = subject.language, subject.row.iloc[0], catalog.door_indicators()
    of = [subject.id, str(row.get("zone_id", "") or "")]
    if row["site_class"] == lines.FACTORY:
        return _part(subject, "doors", f"{NO_LAND[language]}{'。' if language == 'zh' else '.'}")
    found = [one for one in catalog.doors() if one.site in of and one.is_valid(subject.day)]
    if not found:
        return _part(subject, "doors", f"{NOT_FOUND[language]}{'。' if language == 'zh' else '.'}")
    rows = [
        (
            declared[one.indicator].title(language),
            f"{one.least:,.10g}",
            one.title[language],
            subject.say("until", day=one.valid_from, end=one.valid_to)
            if one.valid_to
            else subject.say("from_on", day=one.valid_from),
            subject.say("binds" if one.binds else "binds_not"),
        )
        for one in found
    ]
    grid = _grid(subject, "doors", ("door", "least", "rule", "since", "binding"), rows, "01000")
    return _part(subject, "doors", subject.say("doors_said"), grid)


def _money(subject: _Subject) -> Part:
    language = subject.language
    own = str(subject.row.iloc[0].get("stage", "") or "")
    stages = [own] if own else list(dict.fromkeys(one.stage for one in catalog.segments().values()))
    table = pd.concat([support(one, subject.day) for one in stages], ignore_index=True)
    table = table.drop_duplicates(["clause", "name_zh"]).sort_values("clause", kind="stable")
    rows = [
        (
            row["clause"],
            row[f"name_{language}"],
            subject.say("not_named") if pd.isna(row["most_10k_yuan"]) else f"{row['most_10k_yuan']:,.10g}",
        )
        for row in table.to_dict("records")
    ]
    message = subject.say("money_said" if rows else "money_none")
    return _part(
        subject, "money", message, _grid(subject, "money", ("clause", "offer", "most"), rows, "001"), _local(subject)
    )


def _local(subject: _Subject) -> Lines | None:
    """Support of its own city that was looked for and not found."""
    code = str(subject.row["prefecture_code"].iloc[0] or "")
    known = subject.region.layers.read("prefectures").set_index("code")["name_zh"]
    city = str(known.get(code, "")).removesuffix("市")
    rows = not_found(subject.region.layers)
    rows = rows[[bool(city) and city in str(place) for place in rows["place_zh"]]]
    said = [subject.say("money_local", place=row.place_zh, name=row.name_zh) for row in rows.itertuples()]
    return Lines(tuple(said)) if said else None


def _plan(subject: _Subject) -> Part:
    study, language = subject.study, subject.language
    if subject.layer == "chain":
        return _part(subject, "plan", subject.say("plan_firm"))
    if study is None:
        return _part(subject, "plan", subject.say("plan_missing"))
    rows = tables.assignment(study)
    rows = rows[rows["site"] == subject.id]
    plan = f"{study.scenario.name[language]} ({study.scenario.id})"
    sample = Lines((subject.say("plan_sample"),)) if study.scenario.is_sample else None
    if rows.empty:
        return _part(subject, "plan", subject.say("plan_none", plan=plan), sample)
    kinds = {key: kind for key, kind in catalog.resources().items() if key in ("land", "power", "energy")}
    sums = {key: f"{rows[kind.need].sum():,.{kind.digits}f} {kind.unit[language]}" for key, kind in kinds.items()}
    segments = catalog.segments()
    segment = subject.study.projects["segment"] if subject.study else {}
    shown = [
        (
            row["project_name"],
            segments[segment[row["project"]]].name[language],
            f"{row['score']:.1f} ({row['low']:.0f}–{row['high']:.0f})",
            *(f"{row[kind.need]:,.{kind.digits}f}" for kind in kinds.values()),
            NONE if pd.isna(row["from_year"]) else f"{row['from_year']:.0f}",
        )
        for row in rows.to_dict("records")
    ]
    titles = [*(subject.say(one) for one in ("project", "segment", "score"))]
    titles += [*(kind.title(language) for kind in kinds.values()), subject.say("from_year")]
    texts = tuple(tuple(str(cell) for cell in row) for row in shown)
    numeric = (False, False, *(True,) * (len(titles) - 2))
    grid = Grid(
        "plan", subject.say("plan"), tuple(titles), pd.DataFrame(shown, columns=titles), texts, numeric, len(texts)
    )
    return _part(subject, "plan", subject.say("plan_said", plan=plan, n=len(rows), **sums), grid, sample)


def _asked(subject: _Subject) -> Part:
    if subject.layer == "chain":
        row = subject.row.iloc[0]
        said = [
            one[subject.language]
            for one in toml.table("place_sheet")["asked"]["firm"]
            if "column" not in one or pd.isna(row[one["column"]]) or row[one["column"]] == ""
        ]
        return _part(subject, "asked", subject.say("asked_said_firm"), Lines(tuple(said)))
    rows = lines.unknowns(subject.region, subject.id, subject.language)
    told = [
        (subject.say("of", subject=row.subject, question=row.question), row.whom, row.now or subject.say("unknown"))
        for row in rows
    ]
    message = subject.say("asked_said", n=len(told)) if told else subject.say("asked_none")
    return _part(subject, "asked", message, _grid(subject, "asked", ("question", "whom", "now"), told, "000"))


def _sources(subject: _Subject) -> Part:
    language, row = subject.language, subject.row.iloc[0]
    publisher = sources.publisher_in(language, str(sources.publishers(subject.row).iloc[0]))
    grade = words("confidence").get(row["confidence"], {}).get(language, str(row["confidence"]))
    said = [subject.say("record", publisher=publisher, as_of=row["as_of"] or subject.say("undated"), confidence=grade)]
    said += [subject.say("address", source=row["source"])] if row["source"] else []
    notes = row.get("notes")
    said += [subject.say("notes", notes=notes)] if isinstance(notes, str) and notes else []
    registry = subject.region.layers.registry
    owed = (
        getattr(registry[one], f"attribution_{language}")
        for one in ("roads", "water", "prefectures")
        if one in registry
    )
    said += list(dict.fromkeys(filter(None, owed)))
    return _part(subject, "sources", subject.say("sources_said"), Lines(tuple(said)))


_MADE: dict[str, Callable[[_Subject], Part]] = {
    "about": _about,
    "supply": _supply,
    "trip": _trip,
    "near": _near,
    "choice": _choice,
    "constraints": _constraints,
    "doors": _doors,
    "money": _money,
    "plan": _plan,
    "asked": _asked,
    "sources": _sources,
}
"""Parts by their key in `tables/place_sheet.toml`."""
