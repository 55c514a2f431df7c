"""What projects under way were promised counts in the pools of later plans; off, nothing changes."""

import numpy as np
import pytest

from geo_cluster import study
from geo_cluster.domain import Promise
from geo_cluster.errors import InputError
from geo_cluster.region import prepare
from geo_cluster.report import promised, tables, what_if
from geo_cluster.scenarios import read_scenario
from geo_cluster.supply.pools import zone_of
from geo_cluster.world import catalog
from tests.refusals import refusal_of
from tests.studies import run as shipped


def promise(site, **amounts):
    return Promise(project="示例 在推项目", site=site, amounts=amounts, source="示例台账")


def with_promises(*promises):
    return catalog.scenario().model_copy(update={"promised": promises})


def test_without_promises_the_scenario_has_the_id_that_it_had():
    assert with_promises().id == catalog.scenario().id
    assert with_promises(promise("E01", land=1.0)).id != catalog.scenario().id


def test_a_promise_is_taken_from_the_site_its_station_and_its_prefecture():
    before = prepare(catalog.scenario())
    after = prepare(with_promises(promise("E01", land=150.0, power=10.0, energy=5000.0)))
    site = before.sites.set_index("id").loc["E01"]
    for attribute, subject, amount in (
        ("available_land_ha", "E01", 10.0),
        ("spare_mva", site["station"], 10.0),
        ("energy_quota_tce", site["prefecture_code"], 5000.0),
    ):
        was, now = (one.bounds_of(attribute, [subject, "H01"])[0] for one in (before, after))
        assert now == pytest.approx(np.maximum(was - amount, 0.0))
        assert after.promised_of(attribute, [subject]) == [amount]
    changed = {
        key for key in before.offers if not np.array_equal(before.offers[key], after.offers[key], equal_nan=True)
    }
    assert changed == {"available_land_ha", "spare_mva", "energy_quota_tce"}
    assert after.observations.equals(before.observations), "what is published stays as it is"


def test_a_promise_in_a_park_is_taken_from_its_zone_too():
    region = prepare(catalog.scenario())
    at = int(np.flatnonzero(zone_of(region.sites) != "")[0])
    park, zone = region.sites["id"].iloc[at], zone_of(region.sites)[at]
    after = prepare(with_promises(promise(park, land=15.0)))
    for one in (park, zone):
        was, now = (of.bounds_of("available_land_ha", [one])[0] for of in (region, after))
        assert now == pytest.approx(np.maximum(was - 1.0, 0.0))


def test_a_site_out_of_the_study_takes_from_the_station_it_shares():
    region = prepare(catalog.scenario())
    shared = region.sites.groupby("station")["id"].agg(list)
    first, second, *_ = next(ids for ids in shared if len(ids) > 1)
    narrow = with_promises(promise(second, power=5.0)).model_copy(update={"sites": (first,)})
    station = region.sites.set_index("id").loc[first, "station"]
    assert prepare(narrow).promised_of("spare_mva", [station]) == [5.0]


@pytest.mark.slow
def test_the_plan_keeps_to_what_is_left_and_the_pools_tell_the_story():
    plain = shipped()
    land = tables.pools(plain).query("resource == 'land' and used > 0").sort_values("used").iloc[-1]
    taken = land["planned"] - land["used"] / 2  # half of what the plan used is left
    after = study.run(with_promises(promise(land["pool"], land=taken)))
    row = tables.pools(after).query("resource == 'land' and pool == @land.pool").iloc[0]
    assert row["planned"] == pytest.approx(land["planned"] - taken)
    assert row["used"] <= row["planned"] + 1e-6
    assert after.violations == ()
    assert after.plan.objective < plain.plan.objective
    (told,) = promised.promised_table(after, "zh").to_dict("records")
    assert (told["amount"], told["project"], told["source"]) == (taken, "示例 在推项目", "示例台账")
    assert after.summary()["promised"][0]["subject"] == land["pool"]
    assert "promised" not in plain.summary()
    assert promised.promised_table(plain, "en").empty
    tried = what_if.pool_scenario(after, resource="land", pool=land["pool"], amount=row["planned"] + 50.0, source="x")
    left = prepare(tried).bounds_of("available_land_ha", [land["pool"]])[0, 1] * 15
    assert left == pytest.approx(row["planned"] + 50.0), "what is tried is what is left for the plan"
    more = what_if.more_scenario(after, {("land", land["pool"]): 50.0}, source="x")
    left = prepare(more).bounds_of("available_land_ha", [land["pool"]])[0, 1] * 15
    assert left == pytest.approx(after.region.bounds_of("available_land_ha", [land["pool"]])[0, 1] * 15 + 50.0)


def test_what_was_promised_beyond_what_is_there_is_served_by_what_arrives():
    region = prepare(catalog.scenario())
    subject = region.sites.set_index("id").loc["E01", "station"]
    spare = region.bounds_of("spare_mva", [subject])[0]
    arrival = {"subject": subject, "attribute": "spare_mva", "low": 40.0, "likely": 50.0, "high": 60.0, "year": 2028}
    taken = promise("E01", power=float(spare[2]) + 20.0)
    ends, coming = ["low", "likely", "high"], []
    for promises in ((), (taken,)):
        row = with_promises(*promises).model_dump() | {"arrivals": [arrival | {"source": "x"}]}
        region = prepare(catalog.scenario_from(row))
        mine = region.arrivals.query("subject == @subject and attribute == 'spare_mva'")
        coming.append(mine[ends].sum().to_numpy(float))
    assert (region.bounds_of("spare_mva", [subject]) == 0).all()
    assert coming[0][0] >= 40.0
    assert coming[1] == pytest.approx(np.maximum(coming[0] - (spare[2] + 20.0 - spare), 0.0))


def test_an_unknown_site_or_resource_is_named(tmp_path):
    file = tmp_path / "s.toml"
    said = '[[promised]]\nproject = "a"\nsite = "Z9"\nsource = "b"\namounts = { gold = 1.0 }\n'
    file.write_text(f'name = {{ zh = "示例", en = "sample" }}\n{said}', encoding="utf-8")
    with refusal_of("world.no_such_name", error=InputError) as refusal:
        read_scenario(file)
    assert {str(one.place.key) for one in refusal.value.faults} == {"promised.site", "promised.amounts"}
