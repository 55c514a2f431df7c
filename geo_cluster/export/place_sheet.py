"""One site or firm on one sheet （园区一张表、企业一张表）: page, paper and PDF are made from this outline.

Which parts and lines there are is `tables/place_sheet.toml`. What nobody knows is said to be unknown, and never zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.errors import Fault, InputError, Place
from geo_cluster.export import place_lines as lines
from geo_cluster.export.csv_tables import SAMPLE
from geo_cluster.export.outline import NONE, Drawing, Facts, Grid, Lines, Outline, Part
from geo_cluster.export.place_map import place_map
from geo_cluster.export.place_subject import Subject, cells_of, ends, interval, part, reasons, table_of
from geo_cluster.policy import links
from geo_cluster.policy.offers import offers
from geo_cluster.policy.rules import not_found
from geo_cluster.region import Region
from geo_cluster.report import tables
from geo_cluster.study import Study
from geo_cluster.supply.standard_land import NO_LAND, NOT_FOUND
from geo_cluster.world import catalog, sources
from geo_cluster.world.layers import words

LAYERS = ("sites", "chain")
"""Layers whose rows have a sheet."""


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
    told = any(one.key == "plan" and one.blocks for one in parts)
    return Outline(
        say(f"title_{layer}", name=subject.name),
        (say("about_id", id=subject.id), say("day", day=subject.day)),
        parts,
        sample=SAMPLE.split(" / ")[language == "en"] if told and study and study.scenario.is_sample else "",
        stale=stale if study else "",
        review=say("review"),
    )


def _subject(region: Region, named: str, language: Language, study: Study | None) -> Subject:
    day = study.day if study else region.scenario.date
    for layer, table in (("sites", region.sites), ("chain", region.layers.read("chain"))):
        found = table[table["id"] == named]
        if len(found):
            return Subject(region, layer, found.reset_index(drop=True), language, study, day)
    known = [str(table["id"].iloc[0]) for table in (region.sites, region.layers.read("chain")) if len(table)]
    raise InputError(Fault("export.no_place_sheet", Place(named[:40], kind="place"), known=known))


def _about(subject: Subject) -> Part:
    declared, region = toml.table("place_sheet")["about"], subject.region
    rows = cells_of(subject, declared[subject.layer])
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
    grid = table_of(subject, "about", ("item", "said"), rows, "00")
    return part(subject, "about", message, facts, grid, picture, Lines((note,)) if note else None)


def _facts(subject: Subject) -> list[tuple[str, str]]:
    """Land, power, energy and minutes, each with interval and basis."""
    found = [
        (subject.say(f"fact_{one.key}"), one)
        for one in lines.supplied(subject.region, subject.id, subject.language)
        if one.key in ("land", "power", "energy")
    ]
    found += [(subject.say("fact_trip"), one) for one in lines.trips(subject.region, subject.id, subject.language)[:1]]
    return [
        (subject.say("fact_name", name=name, basis=one.basis) if one.basis else name, interval(subject, one))
        for name, one in found
    ]


def _supply(subject: Subject) -> Part:
    found = lines.supplied(subject.region, subject.id, subject.language)
    rows = [(one.name, *ends(subject, one), one.unit, one.basis or NONE, one.whose) for one in found]
    assumed = words("basis")["assumed"][subject.language]
    grid = table_of(subject, "supply", ("what", "low", "likely", "high", "unit", "basis", "whose"), rows, "0111000")
    message = subject.say("supply_said", assumed=sum(one.basis == assumed for one in found))
    return part(subject, "supply", message, grid, reasons(subject, found))


def _trip(subject: Subject) -> Part:
    region, language = subject.region, subject.language
    found = (
        lines.trips(region, subject.id, language)
        if subject.layer == "sites"
        else lines.road_to_anchor(region, subject.row, language)
    )
    if not found or found[0].state:
        return part(subject, "trip", subject.say("trip_unknown"))
    anchor = region.anchor[f"name_{language}"] or region.anchor["name_zh"]
    low, likely, high = (lines.number(end) for end in found[0].ends)
    message = subject.say(f"trip_said_{subject.layer}", anchor=anchor, low=low, likely=likely, high=high)
    rows = [(one.name, *ends(subject, one), one.unit, one.basis or NONE) for one in found]
    grid = table_of(subject, "trip", ("what", "low", "likely", "high", "unit", "basis"), rows, "011100")
    return part(subject, "trip", message, grid, reasons(subject, found))


def _near(subject: Subject) -> Part:
    declared, language = toml.table("place_sheet")["near"], subject.language
    try:
        found = links.linkage(subject.region, links.focus_of(subject.region, subject.id))
    except InputError as refusal:
        why = refusal.faults[0].words(language)
        return part(subject, "near", subject.say("near_unknown", why=why.what, remedy=why.remedy))
    grids = [
        table_of(subject, side, ("partner", "city", "minutes", "rests"), _partners(subject, table, declared), "0010")
        for side, table in (("suppliers", found.suppliers), ("buyers", found.buyers))
    ]
    said = links.sentence(found, declared["minutes"])[language]
    return part(subject, "near", subject.say("near_said", said=said), *grids)


def _partners(subject: Subject, table: pd.DataFrame, declared: dict[str, Any]) -> list[tuple[str, ...]]:
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


def _choice(subject: Subject) -> Part:
    found = lines.nearest_sites(subject.region, subject.row)
    if found.empty:
        return part(subject, "choice", subject.say("choice_unknown"))
    names, language = subject.region.names, subject.language
    rows = [
        (names[row["id"]][language], names[row["prefecture_code"]][language], _minutes(*row[["low", "likely", "high"]]))
        for _, row in found.iterrows()
    ]
    grid = table_of(subject, "choice", ("site", "city", "minutes"), rows, "001")
    return part(subject, "choice", subject.say("choice_said", n=len(rows)), grid)


def _constraints(subject: Subject) -> Part:
    rows = cells_of(subject, toml.table("place_sheet")["constraints"]["columns"])
    one = lines.attribute(subject.region, "open_constraints", subject.id, subject.language)
    if one.state:
        message = subject.say("constraints_unknown")
    else:
        low, likely, high = (lines.number(end) for end in one.ends)
        message = subject.say("constraints_said", low=low, likely=likely, high=high)
    grid = table_of(subject, "constraints", ("item", "said"), rows, "00")
    return part(subject, "constraints", message, grid, reasons(subject, [one]))


def _doors(subject: Subject) -> Part:
    language, row, declared = subject.language, subject.row.iloc[0], catalog.door_indicators()
    of = [subject.id, str(row.get("zone_id", "") or "")]
    if row["site_class"] == lines.FACTORY:
        return part(subject, "doors", f"{NO_LAND[language]}{'。' if language == 'zh' else '.'}")
    found = [one for one in catalog.doors() if one.site in of and one.is_valid(subject.day)]
    if not found:
        return part(subject, "doors", f"{NOT_FOUND[language]}{'。' if language == 'zh' else '.'}")
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
    grid = table_of(subject, "doors", ("door", "least", "rule", "since", "binding"), rows, "01000")
    return part(subject, "doors", subject.say("doors_said"), grid)


def _money(subject: Subject) -> Part:
    language = subject.language
    own = str(subject.row.iloc[0].get("stage", "") or "")
    stages = [own] if own else list(dict.fromkeys(one.stage for one in catalog.segments().values()))
    found = [one.rule for stage in stages for one in offers(stage, on=subject.day) if one.is_counted]
    rows = [
        (
            rule.clause or NONE,
            rule.row["name"][language],
            f"{rule.row['most_10k_yuan']:,.10g}" if "most_10k_yuan" in rule.row else subject.say("not_named"),
        )
        for rule in sorted({one.id: one for one in found}.values(), key=lambda one: (not one.clause, one.clause))
    ]
    message = subject.say("money_said" if rows else "money_none")
    return part(
        subject, "money", message, table_of(subject, "money", ("clause", "offer", "most"), rows, "001"), _local(subject)
    )


def _local(subject: Subject) -> Lines | None:
    """Support of its own city that was looked for and not found."""
    code = str(subject.row["prefecture_code"].iloc[0] or "")
    known = subject.region.layers.read("prefectures").set_index("code")["name_zh"]
    city = str(known.get(code, "")).removesuffix("市")
    rows = not_found(subject.region.layers)
    rows = rows[[bool(city) and city in str(place) for place in rows["place_zh"]]]
    said = [subject.say("money_local", place=row.place_zh, name=row.name_zh) for row in rows.itertuples()]
    return Lines(tuple(said)) if said else None


def _plan(subject: Subject) -> Part:
    study, language = subject.study, subject.language
    if subject.layer == "chain":
        return part(subject, "plan", subject.say("plan_firm"))
    if study is None:
        return part(subject, "plan", subject.say("plan_missing"))
    rows = tables.assignment(study)
    rows = rows[rows["site"] == subject.id]
    plan = f"{study.scenario.name[language]} ({study.scenario.id})"
    if rows.empty:
        return part(subject, "plan", subject.say("plan_none", plan=plan))
    kinds = {key: kind for key, kind in catalog.resources().items() if key in ("land", "power", "energy")}
    sums = {key: f"{rows[kind.need].sum():,.{kind.digits}f} {kind.unit[language]}" for key, kind in kinds.items()}
    segments = catalog.segments()
    segment = study.projects["segment"]
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
    return part(subject, "plan", subject.say("plan_said", plan=plan, n=len(rows), **sums), grid)


def _asked(subject: Subject) -> Part:
    if subject.layer == "chain":
        row = subject.row.iloc[0]
        said = [
            one[subject.language]
            for one in toml.table("place_sheet")["asked"]["firm"]
            if "column" not in one or pd.isna(row[one["column"]]) or row[one["column"]] == ""
        ]
        return part(subject, "asked", subject.say("asked_said_firm"), Lines(tuple(said)))
    rows = lines.unknowns(subject.region, subject.id, subject.language)
    told = [
        (subject.say("of", subject=row.subject, question=row.question), row.whom, row.now or subject.say("unknown"))
        for row in rows
    ]
    message = subject.say("asked_said", n=len(told)) if told else subject.say("asked_none")
    return part(subject, "asked", message, table_of(subject, "asked", ("question", "whom", "now"), told, "000"))


def _sources(subject: Subject) -> Part:
    language, row = subject.language, subject.row.iloc[0]
    publisher = sources.publisher_in(language, str(sources.publishers(subject.row).iloc[0]))
    grade = words("confidence").get(row["confidence"], {}).get(language, str(row["confidence"]))
    said = [subject.say("record", publisher=publisher, as_of=row["as_of"] or subject.say("undated"), confidence=grade)]
    said += [subject.say("address", source=one) for one in str(row["source"] or "").split(" ; ") if one]
    notes = row.get("notes")
    said += [subject.say("notes", notes=notes)] if isinstance(notes, str) and notes else []
    registry = subject.region.layers.registry
    owed = (
        getattr(registry[one], f"attribution_{language}")
        for one in ("roads", "water", "prefectures")
        if one in registry
    )
    said += list(dict.fromkeys(filter(None, owed)))
    return part(subject, "sources", subject.say("sources_said"), Lines(tuple(said)))


_MADE: dict[str, Callable[[Subject], Part]] = {
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
