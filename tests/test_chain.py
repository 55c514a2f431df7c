import geopandas as gpd
import pandas as pd
from shapely import Point, box

from geo_cluster.maps import chain_matrix


def test_the_matrix_counts_each_entity_in_its_cell_and_marks_the_empty_ones():
    rows = [
        *(("A", "lasers", "fiber", "1"), ("B", "lasers", "fiber;solid", "1"), ("C", "parts", "", "2")),
        *(("D", "parts", "chip", ""), ("E", "parts", "chip", "9")),
    ]
    chain = pd.DataFrame(rows, columns=["id", "stage", "segments", "prefecture_code"])
    segments = {"solid": "lasers", "fiber": "lasers", "powder": "parts", "chip": "", "other": ""}
    keys = chain_matrix.rows(chain, stages=["parts", "lasers"], segments=segments)
    assert keys == [
        *(("parts", ""), ("parts", "powder"), ("parts", "chip")),
        *(("lasers", ""), ("lasers", "solid"), ("lasers", "fiber")),
    ]
    table = chain_matrix.matrix(chain, rows=keys, cities=["1", "2", ""])
    assert table["ids"].tolist() == [
        *([], ["C"], ["D", "E"], [], [], [], [], [], ["D", "E"]),
        *(["A", "B"], [], [], ["B"], [], [], ["A", "B"], [], []),
    ]
    assert table["count"].tolist() == [len(ids) for ids in table["ids"]]
    assert table["gap"].tolist() == [not ids for ids in table["ids"]]


def test_an_entity_whose_uncertainty_leaves_the_county_is_doubtful():
    counties = gpd.GeoDataFrame({"code": ["w", "e"]}, geometry=[box(114, 30, 114.1, 30.1), box(114.1, 30, 114.2, 30.1)])
    counties = counties.set_crs(4326)
    km = 1 / 95.9  # degrees of longitude in a kilometre there
    at = [Point(114.1 - 2 * km, 30.05), Point(114.1 - 2 * km, 30.05), Point(114.15, 30.05), None]
    rows = {
        "id": list("ABCD"),
        "county_code": ["w", "w", "e", "e"],
        "coord_uncertainty_m": [1900.0, 2100.0, None, 10.0],
    }
    found = chain_matrix.by_county(gpd.GeoDataFrame(rows, geometry=at, crs=4326), counties)
    assert found["id"].tolist() == ["A", "B", "C"]
    assert found["doubtful"].tolist() == [False, True, False]


def test_nobody_anywhere_is_no_error():
    nobody = gpd.GeoDataFrame({"id": [], "county_code": [], "coord_uncertainty_m": []}, geometry=[], crs=4326)
    counties = gpd.GeoDataFrame({"code": ["w"]}, geometry=[box(114, 30, 114.1, 30.1)], crs=4326)
    assert chain_matrix.by_county(nobody, counties).empty
