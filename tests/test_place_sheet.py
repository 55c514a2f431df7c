"""The sheet of a site or firm: each number that of the study, what is unknown said so, alike in paper and PDF."""

import io
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pypdf
import pytest
from docx import Document

from geo_cluster import toml
from geo_cluster.errors import InputError
from geo_cluster.export import place_lines, place_sheet
from geo_cluster.export.outline import Drawing, Facts, Grid, Lines
from geo_cluster.export.paper import typeset
from geo_cluster.export.print import set_in_type
from geo_cluster.policy import links
from geo_cluster.report import questions, tables
from geo_cluster.world import catalog
from geo_cluster.world.layers import words
from tests.studies import run

LANGUAGES = ("zh", "en")
SAID = toml.table("place_sheet")["words"]


@cache
def sheet(named, language="zh", **more):
    return place_sheet.place_sheet(run().region, named, language=language, **more)


def part(made, key):
    return next(one for one in made.parts if one.key == key)


def grid(made, key, name=None):
    return next(one for one in part(made, key).blocks if isinstance(one, Grid) and one.name == (name or key))


def number(text):
    return float(text.replace(",", ""))


@pytest.mark.slow
@pytest.mark.parametrize("named", ["H01", "E01F", "F01", "F10"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sheet_has_the_declared_parts_each_with_a_sentence(named, language):
    made = sheet(named, language, study=run())
    layer = "sites" if named in set(run().sites["id"]) else "chain"
    assert [one.key for one in made.parts] == toml.table("place_sheet")["parts"][layer]
    assert all(one.message and one.title for one in made.parts)
    told = [made.title, *made.about, *(one.message for one in made.parts)]
    for block in (block for one in made.parts for block in one.blocks):
        if isinstance(block, Grid):
            assert all(cell for row in block.texts for cell in row), block.name
            told += [cell for row in block.texts for cell in row]
        told += [text for row in getattr(block, "rows", ()) for text in row] if isinstance(block, Facts) else []
        told += getattr(block, "lines", ())
    assert not [one for one in told if re.search(r"\bnan\b|None|\{\w+\}|<NA>", one)]


def test_what_a_site_has_is_what_the_offers_table_says():
    made, offers = sheet("H01"), tables.offers_table(run().region)
    shown = {row[0]: row for row in grid(made, "supply").texts}
    for row in offers[offers["site"] == "H01"].itertuples():
        cells = shown[catalog.attributes()[row.attribute].name.zh]
        if row.basis:
            assert [number(one) for one in cells[1:4]] == pytest.approx([row.low, row.likely, row.high], abs=0.5)
            assert cells[5] == words("basis")[row.basis]["zh"]
            assert cells[6] == f"{row.subject_zh} ({row.sharers})"
            assert any(row.source_zh in one for one in part(made, "supply").blocks[1].lines)
        else:
            assert cells[2] == SAID["not_applicable"]["zh"]


def test_unknown_is_said_and_never_zero():
    rows = {row[0]: row for row in grid(sheet("H01"), "supply").texts}
    largest = catalog.attributes()["largest_piece_ha"].name.zh
    assert rows[largest][1:4] == ("—", SAID["unknown"]["zh"], "—")
    assert rows[catalog.attributes()["available_floor_m2"].name.zh][2] == SAID["not_applicable"]["zh"]
    nowhere = sheet("F10", "en")
    assert not any(isinstance(block, Drawing) for one in nowhere.parts for block in one.blocks)
    assert part(nowhere, "trip").message == SAID["trip_unknown"]["en"]
    assert part(nowhere, "choice").message == SAID["choice_unknown"]["en"]
    assert place_lines.number(np.nan) == "—"


def test_minutes_and_neighbours_are_those_of_the_study():
    made, region = sheet("H01"), run().region
    best = grid(made, "trip").texts[0]
    assert [number(one) for one in best[1:4]] == pytest.approx(region.bounds_of("trip_min", ["H01"])[0], abs=0.5)
    found = links.linkage(region, links.focus_of(region, "H01"))
    assert links.sentence(found, 60).zh in part(made, "near").message
    for side, table in (("suppliers", found.suppliers), ("buyers", found.buyers)):
        assert [row[0] for row in grid(made, "near", side).texts] == table["name_zh"].head(6).tolist()


def test_a_site_is_as_far_from_a_firm_as_the_firm_from_the_site():
    region = run().region
    firm = region.layers.read("chain").query("id == 'F34'").reset_index(drop=True)
    nearest = place_lines.nearest_sites(region, firm)
    assert nearest["likely"].is_monotonic_increasing
    for row in nearest.head(3).to_dict("records"):
        there = links.linkage(region, links.focus_of(region, row["id"]))
        both = pd.concat([there.suppliers, there.buyers]).drop_duplicates("id").set_index("id")
        assert both.loc["F34", ["low", "likely", "high"]].tolist() == pytest.approx(
            [row["low"], row["likely"], row["high"]], abs=2.0
        )


@pytest.mark.slow
def test_projects_of_the_plan_stand_on_the_sheets_of_their_sites_and_are_called_a_sample():
    plan, shown = tables.assignment(run()), []
    for site in plan["site"].unique():
        made = sheet(site, study=run())
        shown += [row[0] for row in grid(made, "plan").texts]
        assert made.sample
        assert f"{plan.loc[plan['site'] == site, 'power_mva'].sum():,.1f} MVA" in part(made, "plan").message
    assert sorted(shown) == sorted(plan["project_name"])
    empty = next(one for one in run().sites["id"] if one not in set(plan["site"]))
    assert not sheet(empty, study=run()).sample
    assert run().scenario.id in part(sheet(empty, study=run()), "plan").message
    assert part(sheet("H01"), "plan").message == SAID["plan_missing"]["zh"]


def test_every_open_question_of_a_site_is_on_its_sheet_with_whom_to_ask():
    asked = questions.structural_questions(run().region)
    mine = asked[["E01" in sites.split(";") for sites in asked["sites"]]]
    rows = grid(sheet("E01"), "asked").texts
    for one in mine.itertuples():
        assert any(one.question_zh in row[0] and row[1] == one.whom_zh and row[2] == one.changes_zh for row in rows)
    assumed = [one for one in toml.table("place_sheet")["asked"]["attributes"] if one != "available_floor_m2"]
    assert len(rows) == len(assumed) + len(mine)


def test_a_number_that_somebody_reported_is_asked_for_no_longer():
    region = run().region
    known = region.observations.copy()
    at = (known["site_id"] == "H01") & (known["attribute"] == "available_land_ha")
    known.loc[at, ["low", "likely", "high", "basis", "publisher"]] = 20.0, 20.0, 20.0, "reported", "管委会"
    made = place_sheet.place_sheet(replace(region, observations=known), "H01", language="zh")
    assert grid(made, "supply").texts[0][1:6] == ("300", "300", "300", "亩", words("basis")["reported"]["zh"])
    question = catalog.attributes()["available_land_ha"].question.zh
    assert not any(question in row[0] for row in grid(made, "asked").texts)
    assert any(question in row[0] for row in grid(sheet("H01"), "asked").texts)


def test_doors_are_those_of_the_site_and_of_its_zone():
    park = run().sites.set_index("id").query("zone_id == 'E01' and site_class != 'standard_factory'").index[0]
    doors = [one for one in catalog.doors() if one.site == "E01" and one.is_valid(run().day)]
    for site in ("E01", park):
        assert [number(row[1]) for row in grid(sheet(site), "doors").texts] == [one.least for one in doors]
    assert not part(sheet("E01F"), "doors").blocks


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("named", ["ZZ", "", "h01", "X01", "../H01"])
def test_an_id_that_is_none_is_refused_with_what_to_do(named, language):
    with pytest.raises(InputError) as refusal:
        sheet(named, language)
    assert [one.code for one in refusal.value.faults] == ["export.no_place_sheet"]
    assert "H01" in refusal.value.faults[0].words(language).remedy


def test_every_site_and_entity_has_a_name_to_choose():
    for language in LANGUAGES:
        named = place_sheet.places(run().region, language)
        assert len(named) == len(run().sites) + len(run().layers.read("chain"))
        assert all(named.values())


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("named", ["E01", "F01"])
def test_paper_and_pdf_say_what_the_outline_says(named, language):
    made = sheet(named, language, study=run())
    file = Document(io.BytesIO(typeset(made, language)))
    grids = [block for one in made.parts for block in one.blocks if isinstance(block, Grid)]
    assert len(file.tables) == len(grids)
    for table, block in zip(file.tables, grids, strict=True):
        assert [[cell.text for cell in row.cells] for row in table.rows] == [
            list(block.headings),
            *map(list, block.texts),
        ]
    assert len(file.inline_shapes) == 1
    text = "\n".join(one.text for one in file.paragraphs)
    for one in made.parts:
        assert one.message in text
        assert all(line in text for block in one.blocks if isinstance(block, Lines) for line in block.lines)
    read = pypdf.PdfReader(io.BytesIO(set_in_type(made, language, day=run().day)))
    told = re.sub(r"\s|\u200b", "", "".join(page.extract_text() for page in read.pages))
    for block in grids:
        for row in block.texts:
            assert re.sub(r"\s", "", row[0])[:12] in told
    assert sum(len(page.images) for page in read.pages) == 1
