"""Facts with intervals: which row wins, what priors fill in, what draws look like."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from geo_cluster.domain import KnownBetter
from geo_cluster.errors import InputError
from geo_cluster.world import catalog, observations, sources, triangular


def rows(*given: tuple) -> pd.DataFrame:
    return pd.DataFrame(given, columns=observations.COLUMNS)


def row(subject="X", attribute="available_land_ha", value=5.0, basis="published", as_of="2020"):
    return (subject, attribute, value, value, value, "ha", basis, "source", as_of, "b", "high", "publisher")


def test_better_basis_wins_over_later_date():
    table = rows(row(value=1, basis="assumed", as_of="2026"), row(value=2, basis="reported", as_of="2019"))
    assert observations.best(table)["likely"].tolist() == [2]


def test_later_date_wins_among_equals_then_the_last_given():
    table = rows(row(value=1, as_of="2024"), row(value=2, as_of="2019"), row(value=3, as_of="2024"))
    assert observations.best(table)["likely"].tolist() == [3]


def test_who_published_a_number_goes_with_it_and_falls_back_to_its_source():
    table = rows(row(), row("Y"), row("Z")).assign(source=["源", "https://a.cn/1 ; 甲", "https://a.cn/1"])
    table["publisher"] = ["乙", None, ""]
    best = observations.best(table)
    assert best["publisher"].tolist() == ["乙", "甲", sources.NOT_NAMED]
    assert best["source"].tolist() == table["source"].tolist(), "addresses stay in the data"
    old = observations.best(table.drop(columns="publisher"))
    assert old["publisher"].tolist() == ["源", "甲", sources.NOT_NAMED]
    full = observations.complete(table, SUBJECTS, catalog.attributes())
    assumed = full[full["basis"] == "assumed"]
    assert len(assumed)
    assert (assumed["publisher"] == assumed["source"]).all()


def test_a_row_without_a_date_is_older_than_any():
    table = rows(row(value=1, as_of="2024"), row(value=2, as_of="未载"))
    assert observations.best(table)["likely"].tolist() == [1]


SUBJECTS = {"site": {"X": "national_zone", "Y": "city_area"}, "substation": {"G": "220"}, "prefecture": {"4207": "*"}}


def test_priors_fill_what_nobody_knows_shares_need_what_they_are_shares_of():
    table = rows(row(attribute="approved_ha", value=200.0))
    full = observations.complete(table, SUBJECTS, catalog.attributes()).set_index(["site_id", "attribute"])
    land = full.loc[("X", "available_land_ha")]
    assert (land["low"], land["likely"], land["high"]) == (2.0, 8.0, 24.0)  # 1, 4, 12 % of 200 ha
    assert land["basis"] == "assumed"
    other = full.loc[("Y", "available_land_ha")]
    assert (other["low"], other["likely"], other["high"]) == (2.0, 10.0, 40.0)  # class "*"
    assert full.loc[("G", "spare_mva"), "likely"] == 60
    assert (full["low"] <= full["likely"]).all()
    assert full["source"].str.len().gt(0).all()


def test_a_national_zone_of_unknown_area_falls_back_to_the_general_prior():
    full = observations.complete(rows(), SUBJECTS, catalog.attributes()).set_index(["site_id", "attribute"])
    assert full.loc[("X", "available_land_ha"), "likely"] == 10


def test_no_prior_at_all_is_refused_by_name():
    attribute = catalog.attributes()["spare_mva"]
    bare = attribute.model_copy(update={"priors": attribute.priors[:1]})
    with pytest.raises(InputError) as refusal:
        observations.complete(rows(), SUBJECTS, {"spare_mva": bare})
    (fault,) = refusal.value.faults
    assert (fault.code, fault.place.sheet) == ("world.no_prior", "[spare_mva]")
    assert fault.values["subject"].startswith("G")


def test_what_the_user_knows_becomes_rows():
    known = KnownBetter(subject="X", attribute="spare_mva", low=1, likely=2, high=3, source="电话")
    (only,) = observations.known_rows([known], catalog.attributes()).itertuples()
    assert (only.site_id, only.unit, only.basis, only.likely) == ("X", "MVA", "reported", 2)


@given(
    low=st.floats(0, 100),
    rise=st.floats(0, 100),
    fall=st.floats(0, 100),
    seed=st.integers(0, 2**32 - 1),
)
def test_draws_stay_within_the_interval(low, rise, fall, seed):
    mode, high = low + rise, low + rise + fall
    table = rows(("X", "a", low, mode, high, "ha", "assumed", "s", "", "c", "low", "s"))
    drawn = observations.draw(table, draws=50, seed=seed)
    assert drawn.min() >= low - 1e-9
    assert drawn.max() <= high + 1e-9


def test_draws_follow_the_triangular_distribution():
    table = rows(("X", "a", 2.0, 3.0, 10.0, "ha", "assumed", "s", "", "c", "low", "s"))
    drawn = observations.draw(table, draws=2000, seed=1)[:, 0]
    reference = stats.triang(c=(3 - 2) / (10 - 2), loc=2, scale=8)
    assert stats.kstest(drawn, reference.cdf).pvalue > 0.5  # stratified: nearer than chance would be
    uniform = np.linspace(0.001, 0.999, 99)
    quantiles = triangular.quantiles(uniform, np.array(2.0), np.array(3.0), np.array(10.0))
    assert np.allclose(quantiles, reference.ppf(uniform))


def test_adding_a_row_changes_nobody_elses_draws():
    one = rows(("X", "a", 0.0, 1.0, 2.0, "ha", "assumed", "s", "", "c", "low", "s"))
    two = rows(("W", "a", 0.0, 1.0, 2.0, "ha", "assumed", "s", "", "c", "low", "s"), tuple(one.iloc[0]))
    assert np.array_equal(observations.draw(one, draws=9, seed=3)[:, 0], observations.draw(two, draws=9, seed=3)[:, 1])
    assert not np.array_equal(observations.draw(one, draws=9, seed=3), observations.draw(one, draws=9, seed=4))
