"""Layers and a Study as the payload of a map: plain data (layers, cards, legend, words), which `page` draws."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.eligibility import UNCHECKED, constraints_checked
from geo_cluster.errors import Fault, Place, refuse_if
from geo_cluster.maps import chain_matrix, ground
from geo_cluster.maps.words import GRADES, SPOKEN, WORDS
from geo_cluster.policy import chain
from geo_cluster.report import tables
from geo_cluster.study import Study
from geo_cluster.supply.pools import FACTORY, is_factory, with_prefecture
from geo_cluster.world import catalog, rule_life, sources
from geo_cluster.world.layers import Layers, city_name
from geo_cluster.world.layers import columns as columns_of
from geo_cluster.world.layers import words as vocabulary

EAST = [[30.02, 114.2], [30.68, 115.3]]
"""Where the map opens: Optics Valley, Ezhou and Huangshi."""

COUNTY_CLASSES = (1, 2, 5, 10, 20)
"""Lower bounds of the classes by which counties are shaded, the same whatever is counted."""

BASEMAPS = "GEO_CLUSTER_BASEMAPS"
"""Environment variable with a tile server of the house: a URL template, or a TOML file like `tables/basemaps.toml`."""


def payload(
    subject: Study | Layers, language: Language = "zh", *, before: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Everything that the map shows, as plain data.

    Parameters
    ----------
    subject : Study or Layers
        What to draw: the layers of a study with its plan (flows from R&D to sites, sites sized by what they take),
        or layers alone.
    language : {"zh", "en"}
    before : mapping of str, optional
        Project id -> site id of an earlier plan, its unplaced projects left out. Adds what the study's plan changed:
        the layer `changed` with a dashed line from the old site to the new one of each project that moved (projects
        that moved the same way share a line), and a note that counts moved, newly placed and no longer placed ones.
    """
    words = WORDS[language]
    style = toml.table("style")
    study, layers = (None, subject) if isinstance(subject, Layers) else (subject, subject.layers)
    read = {name: layers.read(name) for name in _POINTS}
    prefectures, counties = layers.read("prefectures"), layers.read("counties")
    read["sites"] = with_prefecture(read["sites"], prefectures)
    home, targets = ground.cities_of(layers)
    cities = [*home, *targets]
    below, *above = ground.base(layers, language)
    reach, *ways = ground.reach_layers(layers, study, language)
    shown = [below, reach, *above, *ways, *_rings(read, words, style)]
    shown += _plan(study, language, style) if study else []
    shown += _changed(study, before, language, style) if study and before is not None else []
    told = _told_of_sites(layers, language)
    shown += _sites(read["sites"], prefectures, language, style, study, told)
    shown += [_by_county(read["chain"], counties, language, style)]
    shown += [
        *_chain(read["chain"], prefectures, language, style),
        *_demand(read["demand"], prefectures, language, style),
        *_infrastructure(read, prefectures, language, style),
    ]
    notes = [words["note"], *([words["unused"]] if study else [])]
    if study and before is not None:
        notes.insert(0, _moves(study, before, words))
    return {
        "lang": "zh-CN" if language == "zh" else "en",
        "words": {key: words[key] for key in SPOKEN},
        "layers": shown,
        "notes": notes,
        "filters": _filters(read["chain"], prefectures, cities, language),
        "unplaced": _unplaced(read, prefectures, language),
        **({} if study else {"list": True, "matrix": _matrix(read["chain"], prefectures, cities, language)}),
        "places": _places(prefectures, targets, language),
        "bounds": _extent(study) if study else EAST,
        "pinned": words["plan"] if study else "",
        "title": _title(study, language),
        "day": study.day.isoformat() if study else "",
        "look": ground.look(),
        "attribution": _attribution(layers, shown, language),
    }


def atlas(study: Study, language: Language) -> dict[str, Any]:
    """`payload` of a study for a page of its own: with the list and the chain matrix, folded away at first."""
    shown, chains, prefectures = payload(study, language), study.layers.read("chain"), study.layers.read("prefectures")
    home, targets = ground.cities_of(study.layers)
    return shown | {"list": True, "matrix": _matrix(chains, prefectures, [*home, *targets], language)}


_DOTS = {
    "anchors": "sites",
    "dev_zones": "sites",
    "park_land": "sites",
    "substations": "infrastructure",
    "power_plants": "infrastructure",
    "stations": "infrastructure",
    "airports": "infrastructure",
    "ports": "infrastructure",
    "geonames": "base",
}
"""Point layers that are drawn as they are, and the group of the legend they stand in."""
_OF_SITES = ("park_land",)
"""Layers whose rows without a place are told on the cards of their sites, and in the tables."""
_POINTS = ("chain", "demand", "sites", *_DOTS)


def _rings(
    read: Mapping[str, gpd.GeoDataFrame], words: Mapping[str, str], style: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Circles within which the points of chain, sites and grid really lie."""
    features: dict[tuple, dict[str, Any]] = {}
    for name in ("chain", "sites", "substations"):
        for row in _located(read[name]).itertuples():
            radius = row.coord_uncertainty_m
            at = (round(row.lat, 5), round(row.lon, 5))
            features[(*at, radius)] = {"at": list(at), "p": {"title": "", "radius_m": radius}}
    layer = {"key": "rings", "group": words["base"], "name": words["rings"], "kind": "ring", "legend": True}
    return [{**layer, "color": style["map"]["ring"], "visible": False, "features": list(features.values())}]


def _located(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return frame[frame.geometry.notna()]


def _chain(
    frame: gpd.GeoDataFrame, prefectures: gpd.GeoDataFrame, language: Language, style: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One layer a stage of the value chain."""
    stages, words = vocabulary("stage"), WORDS[language]
    shown = []
    for stage, name in stages.items():
        part = _located(frame[frame["stage"] == stage])
        layer = {"key": f"chain-{stage}", "group": words["chain"], "name": name[language], "kind": "point"}
        features = _cards(part, "chain", prefectures, language)
        for feature, row in zip(features, part.to_dict("records"), strict=True):
            feature["p"]["tags"] = _tags(row)
        more = {"color": style["stage"][stage], "visible": True, "legend": True, "search": True, "count": len(features)}
        shown.append({**layer, **more, "features": features})
    return shown


def _tags(row: Mapping[Any, Any]) -> dict[str, list[str]]:
    """What an entity is filtered by."""
    return {facet: row[column].split(";") for facet, column in FACETS.items() if row[column]}


def _demand(
    frame: gpd.GeoDataFrame, prefectures: gpd.GeoDataFrame, language: Language, style: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Who uses lasers: one layer of what a source says, one of what is inferred from the industry."""
    shown = []
    for basis, name in vocabulary("use_basis").items():
        features = _cards(_located(frame[frame["use_basis"] == basis]), "demand", prefectures, language)
        look = {"kind": "point", "shape": "triangle", "hollow": basis != "source"}
        layer = {"key": f"demand-{basis}", "group": WORDS[language]["demand"], "name": name[language], **look}
        more = {"color": style["demand"][basis], "visible": False, "legend": True, "search": True}
        shown.append({**layer, **more, "count": len(features), "features": features})
    return [layer for layer in shown if layer["features"]]


FACETS = {"stage": "stage", "segment": "segments", "city": "prefecture_code", "clause": "policy_clauses"}
"""What the chain can be filtered by, and the column that says it; `;` joins several."""


def _filters(
    frame: gpd.GeoDataFrame, prefectures: gpd.GeoDataFrame, first: list[str], language: Language
) -> list[dict[str, Any]]:
    """The facets with the choices that occur, in the order of their vocabularies; some cities before the others."""
    cities = prefectures.set_index("code")[f"name_{language}"]
    vocabularies = {facet: vocabulary(facet) for facet in ("stage", "segment", "clause")}
    names = {facet: {key: name[language] for key, name in words.items()} for facet, words in vocabularies.items()}
    names["city"] = {code: cities[code] for code in [*first, *cities.index.difference(first)]}
    shown = []
    for facet, column in FACETS.items():
        present = set(frame[column].str.split(";").explode())
        options = [[key, name] for key, name in names[facet].items() if key in present]
        shown.append({"key": facet, "name": WORDS[language][facet], "options": options})
    return shown


def _by_county(
    frame: gpd.GeoDataFrame, counties: gpd.GeoDataFrame, language: Language, style: Mapping[str, Any]
) -> dict[str, Any]:
    """Counties to be shaded by the number of entities in them."""
    words = WORDS[language]
    placed = chain_matrix.by_county(frame, counties)
    names = counties.set_index("code")[f"name_{language}"]
    features = [
        {"county": code, "p": {"title": names[code]}, "ids": ids.tolist()}
        for code, ids in placed.groupby("county_code")["id"]
    ]
    note = words["county_note"].format(doubtful=int(placed["doubtful"].sum()), nowhere=len(frame) - len(placed))
    layer = {"key": "chain_counties", "group": words["chain"], "name": words["counties"], "kind": "choropleth"}
    classes = {"of": "counties", "classes": list(COUNTY_CLASSES), "colors": style["map"]["shades"], "note": note}
    more = {"color": style["map"]["shades"][-1], "visible": False, "legend": True, "features": features}
    return {**layer, **classes, **more}


def _matrix(
    frame: gpd.GeoDataFrame, prefectures: gpd.GeoDataFrame, columns: list[str], language: Language
) -> dict[str, Any]:
    """The chain matrix: its rows and columns by name, and who is in each cell; the last column takes all others."""
    words, stages, segments = WORDS[language], vocabulary("stage"), vocabulary("segment")
    colours, links = toml.table("style")["stage"], chain.links()
    of_segment = {segment: key for key, one in reversed(links.items()) for segment in one.of_segment}
    of_stage: dict[str, str] = {one.stage: key for key, one in reversed(links.items())}
    homes = {segment: links[of_segment[segment]].stage if segment in of_segment else "" for segment in segments}
    rows = chain_matrix.rows(frame, stages=stages, segments=homes)
    table = chain_matrix.matrix(frame, rows=rows, cities=[*columns, ""])
    cities = prefectures.set_index("code")[f"name_{language}"]
    return {
        "title": words["matrix"],
        "note": words["matrix_note"],
        "rows": [
            {
                "stage": stage,
                "segment": segment,
                "name": segments[segment][language] if segment else stages[stage][language],
                "color": colours[stage],
                "link": (of_segment[segment][0] if segment in of_segment else "")
                if segment
                else of_stage.get(stage, ""),
            }
            for stage, segment in rows
        ],
        "cities": [
            *({"key": code, "name": city_name(cities[code])} for code in columns),
            {"key": "", "name": words["elsewhere"]},
        ],
        "cells": table["ids"].to_numpy().reshape(len(rows), -1).tolist(),
    }


def basemaps(language: Language) -> list[dict[str, Any]]:
    """Online base maps that a person may switch on: those of `tables/basemaps.toml` and the house's own.

    The app adds them to a payload as `basemaps`; an exported page has none. No key is in them.

    Raises
    ------
    InputError
        When `GEO_CLUSTER_BASEMAPS` names a file that can't be read or an entry that lacks something.
    """
    rows, own = dict(toml.table("basemaps")), os.environ.get(BASEMAPS, "").strip()
    if own.startswith(("http://", "https://")):
        names = {each: WORDS[each]["own"] for each in ("zh", "en")}
        rows = {"own": {"name": names, "urls": [own], "system": "wgs84", "attribution": names}} | rows
    elif own:
        rows = toml.read(Path(own)) | rows
    faults = [
        Fault(
            "maps.basemap_system" if need in row else "maps.basemap_lacks", Place(BASEMAPS, sheet=f"[{key}]"), need=need
        )
        for key, row in rows.items()
        for need in ("name", "urls", "system", "attribution")
        if need not in row or (need == "system" and row[need] not in ("wgs84", "gcj02"))
    ]
    refuse_if(faults)
    return [
        {**row, "id": key, "name": row["name"][language], "attribution": row["attribution"][language]}
        for key, row in rows.items()
    ]


def _sites(
    frame: gpd.GeoDataFrame,
    prefectures: gpd.GeoDataFrame,
    language: Language,
    style: Mapping[str, Any],
    study: Study | None,
    told: Mapping[str, list[list[str]]],
) -> list[dict[str, Any]]:
    """Sites as diamonds; standard factories, which stand where their zone does, as squares beside it."""
    features, words = _cards(frame, "sites", prefectures, language), WORDS[language]
    heading = columns_of("sites")["constraints"][language]
    for feature, checked in zip(features, constraints_checked(frame), strict=True):
        if checked in UNCHECKED:
            rows = dict(feature["p"]["rows"])
            known = [rows[heading]] if heading in rows else []
            rows[heading] = words["comma"].join([*known, UNCHECKED[checked][language]])
            feature["p"]["rows"] = [list(row) for row in rows.items()]
    cities = prefectures.set_index("code")[f"name_{language}"].map(city_name).to_dict()
    classes = {key: name[language] for key, name in vocabulary("site_class").items()}
    for feature, row in zip(features, frame.to_dict("records"), strict=True):
        feature["p"]["rows"] += told.get(row["id"], [])
        feature["p"]["city"], feature["p"]["city_name"] = row["prefecture_code"], cities.get(row["prefecture_code"], "")
        feature["p"]["what"] = classes.get(row["site_class"], "")
    if study:
        taken = tables.assignment(study)["site"].value_counts()
        for feature, one in zip(features, frame["id"], strict=True):
            count = int(taken.get(one, 0))
            feature["p"]["mark"] = str(count) if count else ""
            feature["p"]["size"] = 17 + 4 * min(count, 4)
            if not count:
                feature["p"]["color"] = style["stage"]["support"]
            projects = tables.assignment(study).loc[tables.assignment(study)["site"] == one, "project_name"]
            feature["p"]["rows"].insert(0, [words["placed"], words["comma"].join(projects) or "0"])
    name, factory = toml.table("layers")["layers"]["sites"]["name"][language], is_factory(frame)
    look = {"group": words["sites"], "kind": "site", "search": True, "visible": True, "legend": True}
    kinds: list[tuple[str, str, str, Any, dict[str, str]]] = [("sites", name, style["map"]["site"], ~factory, {})]
    name = vocabulary("site_class")[FACTORY][language]
    kinds.append(("factories", name, style["map"]["factory"], factory, {"shape": "square"}))
    return [
        {**look, "key": key, "name": name, "color": colour, "count": int(mine.sum()), **more}
        | {"features": [feature for feature, is_mine in zip(features, mine, strict=True) if is_mine]}
        for key, name, colour, mine, more in kinds
        if key == "sites" or mine.any()
    ]


MOST_TOLD = 4
"""So many decisions and statements of land are told on a site's card; all are in the tables."""


def _told_of_sites(layers: Layers, language: Language) -> dict[str, list[list[str]]]:
    """Site -> rows of its card: who chose it, nearest to lasers first, and what sources say of its land."""
    words, statuses = WORDS[language], vocabulary("decision_status")
    near = {relation: rank for rank, relation in enumerate(vocabulary("laser_relevance"))}
    rows: dict[str, list[list[str]]] = {}
    decisions = layers.read("siting_decisions")
    decisions = decisions.assign(near=decisions["laser_relevance"].map(near)).sort_values("near", kind="stable")
    for site, group in decisions[decisions["site_id"] != ""].groupby("site_id"):
        bare = group["firm_zh"].str.replace(r"（[^）]*）", "", regex=True)
        firms = group.assign(firm=bare.where(bare != "", group["name_zh"])).drop_duplicates("firm")
        named = [
            words["decided"].format(name=row.firm, status=" ".join([statuses[row.status][language], row.status_date]))
            for row in firms.head(MOST_TOLD).itertuples()
        ]
        more = [words["more_told"].format(n=len(firms) - MOST_TOLD)] if len(firms) > MOST_TOLD else []
        rows.setdefault(str(site), []).append([words["decisions"], words["comma"].join([*named, *more])])
    land = layers.read("park_land")
    land = land[(land["site_id"] != "") & (land["land_available_zh"] != "")]
    for row, publisher in zip(land.to_dict("records"), sources.publishers(land), strict=True):
        said = words["land_said"].format(text=row["land_available_zh"], who=publisher, as_of=_dated(row, words))
        rows.setdefault(row["site_id"], []).append([words["land_of_sources"], said])
    return rows


def _infrastructure(
    read: Mapping[str, gpd.GeoDataFrame], prefectures: gpd.GeoDataFrame, language: Language, style: Mapping[str, Any]
) -> list[dict[str, Any]]:
    words, names = WORDS[language], toml.table("layers")["layers"]
    shown = []
    for key, group in _DOTS.items():
        features = _cards(_located(read[key]), key, prefectures, language)
        colour = style["map"][key.removesuffix("s")]
        kind = "square" if key in ("substations", "power_plants") else "dot"
        layer = {"key": key, "group": words[group], "name": names[key]["name"][language], "kind": kind, "color": colour}
        more = {"visible": key == "anchors", "legend": True, "search": True, "count": len(features)}
        shown.append({**layer, **more, "features": features})
    return shown


def _unplaced(
    read: Mapping[str, gpd.GeoDataFrame], prefectures: gpd.GeoDataFrame, language: Language
) -> list[dict[str, Any]]:
    """Cards of what no source gives a place of, by layer: listed and found, but nowhere on the map."""
    names, shown = toml.table("layers")["layers"], []
    for key, frame in read.items():
        rows = frame[frame.geometry.isna()]
        if len(rows) and key not in _OF_SITES:
            name = f"{names[key]['name'][language]} · {WORDS[language]['adrift']}"
            features = _cards(rows, key, prefectures, language)
            if key == "chain":
                for feature, row in zip(features, rows.to_dict("records"), strict=True):
                    feature["p"]["tags"] = _tags(row)
            shown.append({"key": key, "name": name, "features": features})
    return shown


def _plan(study: Study, language: Language, style: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Flows from the R&D anchor to each site that takes projects, as wide as the number it takes."""
    words, start = WORDS[language], study.anchor.geometry
    sites = study.sites.set_index("id")
    features = []
    for site, group in tables.assignment(study).groupby("site", sort=True):
        end = sites.geometry[site]
        rows = [
            [row.project, f"{row.project_name} · {words['score']} {row.score:.1f} ({row.low:.0f}–{row.high:.0f})"]
            for row in group.itertuples()
        ]
        title = f"{study.anchor[f'name_{language}']} → {sites.loc[site, f'name_{language}']}"
        sub = " · ".join([words["effort"].format(minutes=group["trip_min"].iloc[0]), *_taken(group, language)])
        card = {"title": title, "sub": sub, "rows": rows, "weight": min(1.5 + 0.7 * len(group), 8)}
        if study.scenario.is_sample:
            card["sample"] = words["sample"]
        features.append({"from": [start.y, start.x], "to": [end.y, end.x], "p": card})
    layer = {"key": "flows", "group": words["plan"], "name": words["flows"], "kind": "flow", "weight": 3}
    more = {"color": style["map"]["flow"], "visible": True, "legend": True, "count": len(features)}
    return [{**layer, **more, "features": features}]


def _taken(placed: pd.DataFrame, language: Language) -> list[str]:
    """What projects take together of each resource."""
    return [
        f"{kind.name[language]} {placed[kind.need].sum():,.{kind.digits}f} {kind.unit[language]}"
        for kind in catalog.resources().values()
    ]


def _changed(
    study: Study, before: Mapping[str, str], language: Language, style: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Lines from the site that a project had to the one it has now; nothing when no project moved."""
    sites, plan = study.sites.set_index("id"), tables.assignment(study)
    names = sites[f"name_{language}"]
    moved = plan.assign(old=plan["project"].map(before)).dropna(subset="old")
    moved = moved[(moved["old"] != moved["site"]) & moved["old"].isin(sites.index)]
    features = []
    for (old, new), group in moved.groupby(["old", "site"], sort=True):
        start, end = sites.geometry[old], sites.geometry[new]
        rows = [[row.project, row.project_name] for row in group.itertuples()]
        card = {"title": f"{names[old]} → {names[new]}", "rows": rows, "weight": min(1.5 + 0.7 * len(group), 8)}
        if study.scenario.is_sample:
            card["sample"] = WORDS[language]["sample"]
        features.append({"from": [start.y, start.x], "to": [end.y, end.x], "p": card})
    if not features:
        return []
    layer = {"key": "changed", "group": WORDS[language]["plan"], "name": WORDS[language]["changed"], "kind": "flow"}
    more = {"weight": 3, "dash": "7 6", "color": style["map"]["changed"], "visible": True, "legend": True}
    return [{**layer, **more, "count": len(moved), "features": features}]


def _moves(study: Study, before: Mapping[str, str], words: Mapping[str, str]) -> str:
    """How many projects moved, came and left since an earlier plan."""
    now = dict(zip(tables.assignment(study)["project"], tables.assignment(study)["site"], strict=True))
    moved = sum(before[project] != site for project, site in now.items() if project in before)
    return words["moves"].format(moved=moved, placed=len(now.keys() - before), left=len(before.keys() - now.keys()))


def _cards(
    frame: gpd.GeoDataFrame, layer: str, prefectures: gpd.GeoDataFrame, language: Language
) -> list[dict[str, Any]]:
    """Point features with the card that a click shows: name, declared columns, source and confidence.

    What has no place has no `at`, and its card says why.
    """
    declared = toml.table("layers")["layers"][layer]["popup"]
    columns = columns_of(layer)
    spoken = {column: vocabulary(rule["words"]) for column, rule in columns.items() if "words" in rule}
    if "possibly_same_as" in columns:
        spoken["possibly_same_as"] = {row.id: {"zh": row.name_zh, "en": row.name_en} for row in frame.itertuples()}
    spoken["prefecture_zh"] = {row.name_zh: {"zh": row.name_zh, "en": row.name_en} for row in prefectures.itertuples()}
    features = []
    for row, publisher in zip(frame.to_dict("records"), sources.publishers(frame), strict=True):
        names = {each: row.get(f"name_{each}") or "" for each in ("zh", "en")}
        title = names[language] or names["en"] or names["zh"]
        other = names["en" if language == "zh" else "zh"]
        rows = []
        for column in declared:
            text = _spoken(row.get(column), spoken.get(column, {}), language)
            text = text or (WORDS[language]["unknown"] if columns[column].get("say_unknown") else "")
            if text:
                rows.append([columns[column][language], text])
        card = {"title": title, "sub": other if other != title else "", "rows": rows}
        card["source"] = _trust(row, publisher, language)
        card["id"] = str(row.get("id", row.get("code", "")))
        if pd.notna(row["coord_uncertainty_m"]):
            card["within_m"] = row["coord_uncertainty_m"]
        card["find"] = f"{row.get('id', row.get('code', ''))} {row.get('alias_zh', '')}"
        if row["geometry"] is None:
            rows.append([WORDS[language]["adrift"], row["coord_basis"] or WORDS[language]["unknown"]])
        here = {} if row["geometry"] is None else {"at": [round(row["lat"], 5), round(row["lon"], 5)]}
        features.append({**here, "p": card})
    return features


def _trust(row: Mapping[str, Any], publisher: str, language: Language) -> str:
    """Who published a row and when, of what class that is, how far to trust it and its position; no address."""
    words, grade, known = WORDS[language], row["confidence"], vocabulary("source_class")
    if language == "zh":
        grade = "".join(GRADES.get(part, part) for part in grade.split("-"))
    classes = [known[one][language] if one in known else one for one in str(row["source_class"]).split("+")]
    if row.get("source_is_copy") == "yes":
        classes.append(words["a_copy"])
    text = words["trust"].format(
        publisher=sources.publisher_in(language, publisher),
        source_class=words["comma"].join(classes),
        as_of=_dated(row, words),
        confidence=grade,
    )
    radius = row["coord_uncertainty_m"]
    return text if pd.isna(radius) else text + words["within"].format(km=radius / 1000)


def _dated(row: Mapping[str, Any], words: Mapping[str, str]) -> str:
    return words["undated"] if row["as_of"] in ("", sources.NOT_DATED) else str(row["as_of"])


def _spoken(value: Any, words: Mapping[str, Mapping[str, str]], language: Language) -> str:
    """A cell as people read it: closed vocabularies by name, lists joined, numbers without a tail."""
    if value is None or value == "" or pd.isna(value):
        return ""
    if isinstance(value, float):
        return f"{value:,.6g}"
    parts: Iterable[str] = str(value).split(";") if words or language == "zh" else [str(value)]
    return WORDS[language]["comma"].join(words.get(part, {}).get(language, part) for part in parts)


def _places(prefectures: gpd.GeoDataFrame, cities: list[str], language: Language) -> list[dict[str, Any]]:
    """Buttons that fly to the province, Optics Valley and the cities with sites."""
    prefectures = prefectures.set_index("code")
    names = {"zh": ("全省", "光谷"), "en": ("Hubei", "Optics Valley")}[language]
    west, south, east, north = prefectures.total_bounds
    places: list[dict[str, Any]] = [{"name": names[0], "bounds": [[south, west], [north, east]]}]
    places.append({"name": names[1], "bounds": [[30.40, 114.36], [30.56, 114.70]]})
    for code in cities:
        west, south, east, north = prefectures.geometry[code].bounds
        name = city_name(prefectures.loc[code, f"name_{language}"])
        places.append({"key": code, "name": name, "bounds": [[south, west], [north, east]]})
    return places


def _extent(study: Study) -> list[list[float]]:
    """South-west and north-east corner of a plan: the R&D base and the sites it uses."""
    used = study.sites.loc[study.sites["id"].isin(tables.assignment(study)["site"]), "geometry"].tolist()
    west, south, east, north = shapely.total_bounds([study.anchor.geometry, *used]).tolist()
    return [[south, west], [north, east]] if used else EAST


def _title(study: Study | None, language: Language) -> dict[str, str] | None:
    if study is None:
        return None
    plan, (placed, total) = study.plan, study.counts
    objective, bound = f"{plan.objective:,.1f}", f"{plan.bound:,.1f}"
    counts = {
        "zh": f"落地 {placed}/{total} 个项目 · 总分 {objective} 分 · 上界 {bound}",
        "en": f"{placed} of {total} placed · objective value {objective} · bound {bound}",
    }
    title = {"text": study.scenario.name[language], "sub": counts[language]}
    if notice := rule_life.notice(study.day):
        title["sub"] += f" · {notice.split(' / ')[language == 'en']}"
    if study.scenario.is_sample:
        title["sample"] = WORDS[language]["sample"]
    return title


def _attribution(layers: Layers, shown: Iterable[Mapping[str, Any]], language: Language) -> list[str]:
    """Who the shown layers are owed to, each once, and what publication needs."""
    keys = {layer["key"].split("-")[0] for layer in shown}
    owed = [getattr(layer, f"attribution_{language}") for name, layer in layers.registry.items() if name in keys]
    return [*dict.fromkeys(filter(None, owed)), WORDS[language]["review"]]
