import geopandas as gpd
import pandas as pd
from shapely import Point, box

from geo_cluster.maps import chain_matrix


def test_the_matrix_counts_each_entity_in_its_cell_and_marks_the_empty_ones():
    rows = [("A", "lasers", "1"), ("B", "lasers", "1"), ("C", "parts", "2"), ("D", "parts", ""), ("E", "parts", "9")]
    table = chain_matrix.matrix(
        pd.DataFrame(rows, columns=["id", "stage", "prefecture_code"]), stages=["parts", "lasers"], cities=["1", "2"]
    ).set_index(["stage", "city"])
    assert table.index.tolist() == [("parts", "1"), ("parts", "2"), ("lasers", "1"), ("lasers", "2")]
    assert table["count"].tolist() == [0, 1, 2, 0]
    assert table["ids"].tolist() == [[], ["C"], ["A", "B"], []]
    assert table["gap"].tolist() == [True, False, False, True]


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
