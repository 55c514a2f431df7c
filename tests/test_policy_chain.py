"""Links of the chain: what is missing here, who could come, what chance would give; the audit's missing materials."""

import csv
import re
import tomllib
from itertools import product

import numpy as np
import pandas as pd
import pytest

from geo_cluster import toml
from geo_cluster.errors import InputError
from geo_cluster.export import chain_book
from geo_cluster.policy import chain, partners, specialities
from geo_cluster.region import firms_by_segment
from geo_cluster.scoring import specialisation
from geo_cluster.world import catalog
from geo_cluster.world.layers import Layers, words


def rows(name):
    with (catalog.data_dir() / f"{name}.csv").open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def declared():
    return tomllib.loads((toml.TABLES / "chain.toml").read_text(encoding="utf-8"))["links"]


@pytest.fixture(scope="module")
def layers():
    return Layers("")


def test_missing_materials_are_those_that_no_product_of_hubei_names(layers):
    """Which laser materials does nobody in Hubei make, and who outside could come: counted from the files."""
    here = [one for one in rows("chain") if one["kind"] in ("firm", "plant")]
    expected = {}
    for key, link in declared().items():
        if link["stage"] != "materials":
            continue
        made = [
            one
            for one in here
            if set(one["segments"].split(";")) & set(link.get("of_segment", ()))
            or any(word in one["products_zh"] for word in link.get("here", ()))
        ]
        if not made:
            expected[key] = {
                one["id"]
                for one in rows("outside")
                if set(one["gaps"].split(";")) & set(link["gaps"])
                or any(re.search(word, one["segment_zh"] + "；" + one["products_zh"]) for word in link["outside"])
            }
    found = chain.missing(layers, stages=["materials"]).set_index("link")
    assert {key: set(found.loc[key, "outside"]) for key in found.index} == expected
    assert set(expected) == {"crystal_laser", "crystal_nlo", "additive_powder"}
    assert expected["crystal_laser"] == {"X48", "X43"}
    assert expected["crystal_nlo"] == {"X48", "X65"}


def test_clause_six_has_its_gaps_and_its_strengths(layers):
    state = chain.gaps(layers, within=()).set_index("link")["state"]
    assert state["processing_head"] == "outside"
    assert state["light_modulator"] == "nothing"
    assert state["mirror"] == "project"
    assert state[["laser_chip", "specialty_fiber"]].eq("several").all()


def test_who_is_inferred_comes_after_who_is_stated_and_says_so(layers):
    found = chain.candidates_for(layers, "crystal_laser")
    assert found["id"].tolist() == ["X48", "X43"]
    assert found["basis"].tolist() == ["source", "background"]
    said = next(one for one in chain.sentences(layers) if "激光晶体" in one.zh)
    assert "济南晶众光电科技（背景推断，未核实）" in said.zh
    assert "laser crystals" in said.en


def test_every_firm_outside_and_every_gap_has_a_link(layers):
    assert chain.candidates(layers)["links"].map(len).min() >= 1
    filled = {gap for link in chain.links().values() for gap in link.gaps}
    assert filled | {"other_component"} == set(words("gap"))
    for one in chain.candidates(layers).to_dict("records"):
        for gap in set(str(one["gaps"] or "").split(";")) & filled:
            assert any(gap in chain.links()[key].gaps for key in one["links"])


def test_links_name_segments_stages_and_words_that_there_are():
    for key, link in chain.links().items():
        assert link.segment in catalog.segments(), key
        assert set(link.of_segment) <= set(catalog.segments()), key
        assert link.of_segment or link.here, key
        assert 5 <= link.clause <= 13
    assert set(declared()) == set(chain.links())


@pytest.mark.parametrize("city", ["420100", "420200", "420300", "420700"])
def test_a_cell_is_what_is_counted_there(layers, city):
    made, table = chain.makers(layers), chain.gaps(layers)
    for link in chain.links():
        here = made[made["link"] == link]
        there = here[here["prefecture_code"] == city]
        firms, projects = (there[there["kind"].isin(kinds)] for kinds in (["firm", "plant"], ["project"]))
        anywhere, away = here["kind"].isin(["firm", "plant"]).any(), len(chain.candidates_for(layers, link)) > 0
        wanted = (
            ("several" if len(firms) > 1 else "one")
            if len(firms)
            else "project" if len(projects) else "elsewhere" if anywhere else "outside" if away else "nothing"
        )  # fmt: skip
        row = table[(table["link"] == link) & (table["city"] == city)].iloc[0]
        assert row["state"] == wanted
        assert chain.is_gap(row["state"]) == (wanted != "several")


def test_footholds_are_read_from_what_the_note_says(layers):
    found = chain.candidates(layers)["foothold"]
    assert found[["X16", "X54"]].eq("yes").all()
    assert found[["X09", "X28", "X49", "X52", "X67"]].eq("tie").all()
    assert found[["X01", "X15", "X48"]].eq("none").all()  # X15 signed in Jinan: no tie to Hubei


def test_a_candidate_is_found_by_id_or_name_and_refused_in_words(layers):
    assert chain.candidate(layers, "福晶")["id"] == "X48"
    for named in ("X999", "激光", ""):
        with pytest.raises(InputError) as refusal:
            chain.candidate(layers, named)
        assert refusal.value.faults[0].code == "policy.no_candidate"


def test_measures_are_those_of_the_engine_on_all_cities_with_firms(layers):
    one = specialities.now(layers)
    counted = firms_by_segment(layers.read("chain"))
    assert one.reference.tolist() == counted[counted.index != ""].sum().tolist()
    table = specialities.quotient_table(layers)
    lq = specialisation.location_quotient(one.amounts, one.reference)
    keys = list(catalog.segments())
    for row in table.to_dict("records"):
        at = one.cities.index(row["prefecture"]), keys.index(row["segment"])
        assert row["lq"] == pytest.approx(lq[at], abs=1e-4)
        assert row["lq_low"] <= row["lq"] <= row["lq_high"]


def test_segments_found_together_are_counted_and_told_only_above_chance(layers):
    table = specialities.relatedness(layers)
    seen = rows("chain")
    cities = {
        key: {
            one["prefecture_code"]
            for one in seen
            if one["kind"] in ("firm", "plant") and key in one["segments"].split(";") and one["prefecture_code"]
        }
        for key in catalog.segments()
    }
    for row in table.to_dict("records"):
        a, b = cities[row["first"]], cities[row["second"]]
        assert row["proximity"] == pytest.approx(len(a & b) / max(len(a), len(b)))
        assert row["chance_low"] <= row["chance"] <= row["chance_high"]
    assert not table["tells"].any()  # four cities: nothing can be told, and the page says so


def test_chance_is_what_dealing_out_gives():
    """Two cities of two firms each, one of either segment: both together in 2 of 3 deals at random."""
    member, where = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=bool), np.array([0, 0, 1, 1])
    assert specialities.proximity(member, where, 2)[0, 1] == 0
    dealt = [
        specialities.proximity(member, np.array(order), 2)[0, 1]
        for order in set(product((0, 1), repeat=4))
        if sum(order) == 2
    ]
    assert sorted(dealt) == [0, 0, 1, 1, 1, 1]


def test_targets_never_stand_beside_actual_values_in_one_column(layers):
    table = partners.clusters(layers)
    said = {one["id"]: one for one in rows("clusters")}
    assert set(table["province_zh"]) == {"广东", "江苏", "山东"}
    for one in table.to_dict("records"):
        kind, scale = said[one["id"]]["scale_kind"], said[one["id"]]["scale_100m_yuan"]
        assert (
            one["actual"] == pytest.approx(float(scale), nan_ok=True) if kind == "actual" else np.isnan(one["actual"])
        )
        assert np.isnan(one["target"]) == (kind not in ("target", "expected"))
    hubei = table.set_index("id")["hubei"]
    assert hubei["C04"] == hubei["C05"] == ["F02"]
    everywhere = partners.clusters(layers, everywhere=True)
    assert not set(everywhere["province_zh"]) & {"湖北", "全国"}
    assert len(everywhere) > len(table)


def test_provinces_count_the_firms_of_the_layer(layers):
    table = partners.by_province(layers).set_index("province")
    outside = pd.DataFrame(rows("outside"))
    for province in ("广东", "江苏", "山东"):
        own = outside[outside["province_zh"] == province]
        assert table.loc[province, "firms"] == len(own)
        assert table.loc[province, "fills"] == (own["gap_basis"] != "none").sum()
    assert table.loc["广东", "tied"] == ["X09", "X16"]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_table_of_the_workbook_has_headings_in_the_language(layers, language):
    headings = toml.table("chain")["book"]["headings"]
    cities = {name[language] for name in chain.cities(layers).values()}
    for name, make in chain_book.TABLES.items():
        table = make(layers, language)
        assert len(table), name
        assert set(table) <= set(headings) | cities, name
    assert chain_book.chain_book(layers, language)[:2] == b"PK"
