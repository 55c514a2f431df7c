"""What leaves: the layers of the answer, then those it was made of, on top first, in the language of the edition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import geopandas as gpd
import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.export.csv_tables import SAMPLE, dated
from geo_cluster.export.gis.answer import ANSWERS, surveyed
from geo_cluster.export.gis.layer import GisLayer, by_kind, plain_columns, unlike
from geo_cluster.export.gis.look import PARTS, look_of
from geo_cluster.export.workbook import HEADINGS
from geo_cluster.study import Study
from geo_cluster.supply.land_survey import Survey
from geo_cluster.world import catalog, layers, rule_life, sources

TOP = ("plan", "ranking", "supply", "survey", "land", "chain", "demand", "power", "transport")
"""Groups that stand first, on top; then others with shapes, reach and the base map, and last what is tables only."""


def gis_layers(study: Study, language: Language, *, survey: Survey | None = None) -> tuple[GisLayer, ...]:
    """Every layer of a study, those on top first, then tables without places.

    Parameters
    ----------
    study : Study
    language : {"zh", "en"}
        Of texts and of the titles of fields; names of layers and fields are the same in both.
    survey : Survey, optional
        A survey of parcels: adds its net land and the largest rectangles.
    """
    found = [*_answers(study, language, survey), *_facts(study, language)]
    groups = [*TOP, *(one.group for one in found if one.group not in (*TOP, "reach", "base")), "reach", "base"]
    order = {group: at for at, group in enumerate(dict.fromkeys(groups))}
    within = {name: at for at, name in enumerate(toml.table("gis")["layers"])}
    place = len(within)
    return tuple(sorted(found, key=lambda one: (one.look is None, order[one.group], within.get(one.name, place))))


def group_title(group: str, language: Language) -> str:
    """What a group is called."""
    return (toml.table("gis")["groups"].get(group) or layers.group_names()[group])[language]


def notices(study: Study, language: Language) -> dict[str, str]:
    """What each layer and each file says of the study: scenario, day, sample, rules, review; only what there is."""
    said = {
        "scenario": study.scenario.name[language],
        "scenario_id": study.scenario.id,
        "day": study.day.isoformat(),
        "notice": SAMPLE if study.scenario.is_sample else "",
        "rules_notice": rule_life.notice(study.day),
        "review": toml.table("gis")["paper"]["not_reviewed"][language],
    }
    return {key: value for key, value in said.items() if value}


def _answers(study: Study, language: Language, survey: Survey | None) -> Iterator[GisLayer]:
    declared, words = toml.table("gis"), toml.table("gis")["paper"]
    frames: dict[str, gpd.GeoDataFrame] = {name: make(study, language) for name, make in ANSWERS.items()}
    frames |= surveyed(survey) if survey else {}
    for name, frame in frames.items():
        about = declared["layers"][name]
        marked = frame.assign(notice=SAMPLE) if study.scenario.is_sample else frame
        marked = plain_columns(dated(marked, study.day).to_crs(layers.CRS))
        for _, part in by_kind(marked):
            told = {"abstract": about["about"][language], "publishers": words["worked_out"][language]}
            told |= {"as_of": study.day.isoformat()} | notices(study, language)
            titles = _titles(name, [one for one in part if one != part.geometry.name], language)
            look = look_of(name, about["kind"], part, language)
            yield GisLayer(name, about["name"][language], about["group"], part, titles, told, look)
            break  # each function makes shapes of one kind


def _facts(study: Study, language: Language) -> Iterator[GisLayer]:
    """Every registered layer; one of several kinds of shapes leaves as several."""
    group_of = {name: group for group, names in layers.groups(study.layers.registry).items() for name in names}
    parts = toml.table("gis")["parts"]
    for name, entry in study.layers.registry.items():
        frame = study.layers.read(name)
        told = {
            "abstract": entry.text_in("notes", language),
            "publishers": publishers(frame),
            "as_of": entry.as_of,
            "source": entry.text_in("producer", language),
            "licence": entry.text_in("licence", language),
            "attribution": getattr(entry, f"attribution_{language}"),
        }
        told = {key: text for key, text in told.items() if text} | _of_facts(study, language)
        title = layers.name_of(name).get(language) or getattr(entry, f"title_{language}")
        read = plain_columns(layers.as_read(name, frame, language))
        if not isinstance(frame, gpd.GeoDataFrame):
            yield GisLayer(name, title, group_of[name], read, _titles(name, list(read), language), told)
            continue
        found = list(by_kind(read))
        for kind, part in found:
            own, called = name, title
            if len(found) > 1:
                own = f"{name}_{PARTS[kind]}"
                called = f"{title} · {parts[PARTS[kind]][language]}"
            titles = _titles(name, [one for one in part if one != part.geometry.name], language)
            yield GisLayer(own, called, group_of[name], part, titles, told, look_of(own, kind, part, language))


def _of_facts(study: Study, language: Language) -> dict[str, str]:
    """What a layer of facts says of the study; facts are no sample."""
    return {key: text for key, text in notices(study, language).items() if key in ("day", "review")}


def publishers(rows: pd.DataFrame) -> str:
    """Who published the rows of a layer, each once, who has most rows first."""
    return "；".join(filter(None, sources.publishers(rows).str.split("；").explode().value_counts().index))


def _titles(name: str, fields: list[str], language: Language) -> dict[str, str]:
    """What the fields of a layer are called."""
    at = 1 if language == "en" else 0
    declared, own = toml.table("gis")["fields"], layers.headings(name)
    needs = {kind.need: kind.title(language) for kind in catalog.resources().values()}

    def title(field: str) -> str:
        if field in own and name not in ANSWERS:
            return _first(own[field], language)
        if field in declared:
            return declared[field][language]
        if field in HEADINGS:
            return HEADINGS[field][at]
        return needs.get(field) or _first(own.get(field, {}), language) or field

    return unlike({field: title(field) for field in fields})


def _first(heading: Mapping[str, Any], language: Language) -> str:
    """The first words of a heading: what it is called, without what is explained after a colon."""
    return heading.get(language, "").replace("：", ":").split(":")[0].strip()
