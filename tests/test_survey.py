"""Parcels and exclusions from files, as planners hand them over: areas by hand, room for a hall, a scenario."""

from __future__ import annotations

import sys
import tomllib

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point, Polygon, box

from geo_cluster import cli, study, toml
from geo_cluster.errors import Fault, InputError, Place
from geo_cluster.imports.ground import parcels_of
from geo_cluster.report import tables
from geo_cluster.supply import land_survey
from tests import world
from tests.refusals import faults_of, refused

SAMPLE = toml.PACKAGE.parent / "data" / "sample"
ZONE = "EPSG:4547"
EAST, NORTH = 540_000.0, 3_380_000.0


@pytest.fixture
def files(tmp_path):
    """Two parcels of 200 × 300 m at X1, one on offer; a stream along the edge of it and a field across its end."""
    parcels = gpd.GeoDataFrame(
        {"site": ["X1", "X1"], "parcel": ["a", "b"], "status": ["净地", "已供"], "use": ["M1", "M1"]},
        geometry=[box(EAST, NORTH, EAST + 200, NORTH + 300), box(EAST + 300, NORTH, EAST + 500, NORTH + 300)],
        crs=ZONE,
    )
    parcels.to_file(tmp_path / "parcels.gpkg")
    stream = gpd.GeoDataFrame(geometry=[box(EAST - 10, NORTH - 50, EAST, NORTH + 400)], crs=ZONE)
    stream.to_file(tmp_path / "layers.gpkg", layer="water")
    field = gpd.GeoDataFrame(geometry=[box(EAST - 50, NORTH + 200, EAST + 250, NORTH + 400)], crs=ZONE)
    field.to_file(tmp_path / "layers.gpkg", layer="farmland")
    (tmp_path / "rules.csv").write_text("name,layer,buffer_m\nfarmland,farmland,0\nwater,water,30\n", encoding="utf-8")
    return tmp_path


@pytest.mark.slow
def test_areas_are_those_worked_out_by_hand(files):
    rules = land_survey.read_rules(files / "rules.csv", files / "layers.gpkg")
    found = land_survey.survey(parcels_of(files / "parcels.gpkg")[0], rules, land_mu=20, hall_m=(60, 150))
    first = found.land.iloc[0]
    assert first["gross_ha"] == pytest.approx(6)
    assert first["lost_farmland_ha"] == pytest.approx(2)  # its upper third
    assert first["lost_water_ha"] == pytest.approx(0.6)  # 30 m along the 200 m that are left
    assert first["net_ha"] == pytest.approx(3.4)
    assert sorted([first["rectangle_width_m"], first["rectangle_length_m"]]) == pytest.approx([170, 200], rel=1e-3)
    (site,) = found.sites.itertuples()
    assert (site.site, site.net_mu) == ("X1", pytest.approx(51)), "the parcel that is granted is not on offer"
    assert len(found.fits) == 1


@pytest.mark.slow
def test_its_numbers_go_into_a_scenario_and_count_there(files):
    rules = land_survey.read_rules(files / "rules.csv", files / "layers.gpkg")
    found = land_survey.survey(parcels_of(files / "parcels.gpkg")[0], rules)
    land_survey.write(found, files, source="parcels.gpkg")
    known = tomllib.loads((files / "known.toml").read_text(encoding="utf-8"))["known"]
    result = study.run(world.scenario(known=known), world.layers(), projects=world.projects(2))
    row = result.observations.query("site_id == 'X1' and attribute == 'available_land_ha'").iloc[0]
    assert (row["likely"], row["basis"], row["source"]) == (pytest.approx(3.4), "derived", "parcels.gpkg")
    assert sorted(tables.assignment(result)["site"]) == ["X1", "X2"], "51 mu hold one project of 30"
    assert set(gpd.list_layers(files / "land.gpkg")["name"]) == {"net_land", "largest_rectangle"}


@pytest.mark.slow
def test_the_sample_pack_runs_from_the_command_line_and_says_that_it_is_one(tmp_path, monkeypatch, capsys):
    options = ["--rules", SAMPLE / "sample_rules.csv", "--layers", SAMPLE / "sample_exclusions.gpkg"]
    options += ["--out", tmp_path / "land", "--need", 60, "--hall", "60x120"]
    monkeypatch.setattr(sys, "argv", ["geo-cluster", "land", *map(str, [SAMPLE / "sample_parcels.geojson", *options])])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code in (0, None)
    assert "示例" in capsys.readouterr().out
    assert "示例" in (tmp_path / "land" / "land.csv").read_text(encoding="utf-8-sig")


@pytest.mark.slow
def test_every_fault_of_rules_and_parcels_is_named(files):
    (files / "rules.csv").write_text("name,layer,buffer_m\na,swamp,0\nb,water,wide\n", encoding="utf-8")
    swamp, wide = faults_of(land_survey.read_rules, files / "rules.csv", files / "layers.gpkg")
    named = {"layer": "swamp", "file": "layers.gpkg", "known": ["farmland", "water"]}
    assert swamp == Fault("supply.rule_layer_unknown", Place("rules.csv", row=2), **named)
    assert wide == Fault("supply.buffer_no_number", Place("rules.csv", row=3, column="buffer_m"), value="wide")
    with pytest.raises(InputError):
        parcels_of(files / "rules.csv")
    bare = parcels_of(files / "parcels.gpkg")[0].drop(columns="site")
    assert refused(land_survey.survey, bare, []) == [("supply.site_missing", "parcels, column site")]


def test_parcels_are_counted_from_one_in_every_fault(tmp_path):
    shapes = [Point(EAST, NORTH), box(EAST, NORTH, EAST + 9, NORTH + 9)]
    shapes.append(Polygon([(EAST, NORTH), (EAST + 9, NORTH + 9), (EAST + 9, NORTH), (EAST, NORTH + 9)]))
    gpd.GeoDataFrame({"site": ["X1"] * 3}, geometry=shapes, crs=ZONE).to_file(tmp_path / "parcels.geojson")
    assert refused(parcels_of, tmp_path / "parcels.geojson") == [("supply.ring_crosses_itself", "parcels, row 3")]


@pytest.mark.slow
def test_unions_are_named_by_rows_that_are_counted_from_one(files):
    rules = land_survey.read_rules(files / "rules.csv", files / "layers.gpkg")
    found = land_survey.survey(parcels_of(files / "parcels.gpkg")[0], rules, land_mu=20)
    assert found.fits["parcels"].tolist() == [(1,)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "name,layer,buffer_m\na,water,0,1\n\nb,farmland,0,2\n",
            ("rules.csv, row 2: has more", "rules.csv, row 4: has more"),
        ),
        ("name,layer,layer,buffer_m\na,water,water,0\n", ("rules.csv, column layer: appears twice",)),
    ],
)
def test_rules_that_are_no_table(files, text, told):
    (files / "rules.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        land_survey.read_rules(files / "rules.csv", files / "layers.gpkg")
    assert all(one in str(refusal.value) for one in told)


@pytest.mark.slow
def test_losses_read_back_from_the_file_are_those_of_the_survey(tmp_path):
    found = land_survey.sample()
    land_survey.write(found, tmp_path, source="test")
    there = land_survey.losses(land_survey.read_land((tmp_path / "land.csv").read_bytes()))
    here = land_survey.losses(found.land)
    assert there[["site", "step"]].equals(here[["site", "step"]])
    assert there["ha"].to_numpy() == pytest.approx(here["ha"].to_numpy(), abs=0.01)
    for _, steps in here.groupby("site"):
        gross, *lost, net = steps["ha"]
        assert net == pytest.approx(gross - sum(lost))
        assert steps["left_ha"].iloc[-2] == pytest.approx(net)
        assert steps["left_ha"].is_monotonic_decreasing


def test_land_that_does_not_add_up_is_refused_by_row():
    land = pd.DataFrame({"site": ["A", "A"], "gross_ha": [2, 3], "lost_x_ha": [1, 1], "net_ha": [1, 1]})
    assert refused(land_survey.losses, land) == [("supply.land_adds_up_wrong", "land.csv, row 3")]
    assert refused(land_survey.losses, land.drop(columns="net_ha")) == [
        ("supply.land_column_missing", "land.csv, column net_ha")
    ]


@pytest.mark.slow
def test_what_is_on_offer_is_what_a_survey_adds_up():
    found = land_survey.sample()
    offer = land_survey.on_offer(found.land)
    sites = found.sites.set_index("site")
    assert offer[sites.index].to_numpy() == pytest.approx(sites["net_mu"].to_numpy(), abs=0.01)
    net = land_survey.losses(found.land).query("step == 'net'").set_index("site")["ha"] * 15
    assert (offer <= net[offer.index] + 1e-6).all()
    assert (offer < net[offer.index] - 1).any(), "the sample has granted parcels"
