"""The page 要素: what is offered, what it rests on, what to ask for, and a number known better."""

import io
import re

import numpy as np
import openpyxl
import pandas as pd
import pytest

from app import cached
from app.texts import text
from app.views.supply.losses import LAND
from app.views.supply.offers import folded
from app.views.supply.place import breaks
from geo_cluster import toml
from geo_cluster.domain import KnownBetter
from geo_cluster.region import LAYERS, prepare
from geo_cluster.report import tables
from geo_cluster.report.questions import structural_questions
from geo_cluster.supply import land_survey
from geo_cluster.workspace.repository import Work
from geo_cluster.world import catalog
from geo_cluster.world.coordinates import MU_PER_HA
from geo_cluster.world.layers import Layers
from tests.studies import run
from tests.test_app import CJK, LANGUAGES, opened, says

TABS = ("offers", "requests", "losses", "network", "tariff")
HOSTILE = "</script><img src=x onerror=alert(1)> **粗** [链接](http://x) $x$ :smile: =1+1 " + "长" * 400


def at(tab, language="zh", **session):
    """The page with one of its tabs open."""
    return opened("supply", language, **{f"supply-tabs-{language}": text(f"supply.{tab}", language)}, **session)


def labelled(page, kind, key, language="zh"):
    return next(one for one in getattr(page, kind) if one.label.startswith(text(key, language)))


def charts(page):
    """What the charts of a page say, as JSON."""
    return [one.proto.spec for one in page.get("vega_lite_chart")]


@pytest.mark.slow
def test_the_open_tab_stays_open_in_the_other_language():
    page = at("tariff", "zh")
    for language in ("en", "zh"):
        page.segmented_control(key="language").set_value(language).run()
        assert not page.exception
        assert page.session_state[f"supply-tabs-{language}"] == text("supply.tariff", language)
        assert text("supply.bill", language) in [one.label for one in page.metric]
    page.session_state["supply-tabs-zh"] = text("supply.offers", "zh")
    page.run()
    page.segmented_control(key="language").set_value("en").run()
    assert page.session_state["supply-tabs-en"] == text("supply.offers", "en"), "the last one that was open"


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("tab", TABS)
def test_each_tab_opens_in_both_languages(tab, language):
    page = at(tab, language)
    assert not page.exception
    assert not page.error
    told = says(page)
    assert text("footer", language) in "\n".join(told)
    if language == "en":
        assert [one for one in told if CJK.search(one)] == []
        for table in page.dataframe:
            assert not [heading for heading in map(str, table.value.columns) if CJK.search(heading)]


def test_the_headline_counts_each_pool_once():
    page = opened("supply")
    known = run().observations
    known = known[~known["site_id"].isin(run().region.arrivals["station"])]  # not there yet
    shown = {metric.label: (metric.value, metric.delta) for metric in page.metric}
    for title, attribute, times in (
        ("用地（亩）", "available_land_ha", MU_PER_HA),
        ("标准厂房（平方米）", "available_floor_m2", 1),
        ("容量（MVA）", "spare_mva", 1),
        ("能耗指标（吨标准煤/年）", "energy_quota_tce", 1),
    ):
        of = (known["attribute"] == attribute) & ~known["site_id"].isin(["H02", "E02"])  # parks are part of their zone
        rows = known[of][["low", "likely", "high"]].sum() * times
        value, delta = shown[title]
        assert value == f"{rows['likely']:,.0f}"
        assert delta == f"{rows['low']:,.0f} – {rows['high']:,.0f}"


def test_the_table_says_whose_number_it_is_and_how_it_is_known():
    table = opened("supply").dataframe[0].value
    study = run()
    assert len(table) == 4 * len(study.sites)
    land = table[table["resource_label"] == catalog.resources()["land"].offer_title("zh")].set_index("label")
    known = study.observations.set_index(["attribute", "site_id"])
    for site in study.sites.query("site_class != 'standard_factory'").itertuples():
        row = known.loc[("available_land_ha", site.id)]
        assert land.loc[site.name_zh, "likely"] == round(row["likely"] * MU_PER_HA)
        assert land.loc[site.name_zh, "source"] == row["publisher"]
    power = table[table["resource_label"] == catalog.resources()["power"].offer_title("zh")].set_index("label")
    names = {one: study.region.names[one].zh for one in study.sites["station"]}
    assert power.loc[study.sites["name_zh"], "from"].tolist() == [names[one] for one in study.sites["station"]]
    offers = tables.offers_table(study.region).query("resource == 'power'")
    told = power.loc[study.sites["name_zh"], "far"]
    unknown = [text("supply.place_unknown" if named else "supply.station_unknown", "zh") for named in offers["named"]]
    stated = [text("supply.far", "zh", km=f"{km:.1f}") for km in offers["km"]]
    assert told.tolist() == [a if np.isnan(km) else b for a, b, km in zip(unknown, stated, offers["km"], strict=True)]
    assert text("supply.station_unknown", "zh") in set(told), "no source says which station feeds it"
    assert not told.str.contains("nan").any()


def test_in_english_a_prior_gives_its_reason_in_english():
    sources = opened("supply", "en").dataframe[0].value["source"]
    assert [one for one in sources if CJK.search(one)] == []


def test_bars_alike_are_one_that_counts_them_and_names_them_all():
    rows = pd.DataFrame(
        [
            {"label": f"S{n}", "low": low, "likely": 30.0, "high": 90.0, "basis_label": "假定", "mark": mark}
            for n, (low, mark) in enumerate([(9, ""), (5, ""), (9, ""), (9, "☎2"), (9, ""), (5, "")])
        ]
    ).assign(**{"short": "", "from": "a", "source": "b", "as_of": "2026", "far": ""})
    shown = folded(rows)
    assert shown["label"].tolist() == ["S0、S2、S4", "S1", "S3", "S5"], "marked ones and pairs stay as they are"
    assert shown["short"].iloc[0] == text("supply.folded", "zh", n=3, low=9, likely=30, high=90, basis="假定")
    assert folded(rows.assign(low=range(6))).equals(rows.assign(low=range(6)))


def test_classes_of_the_map_are_round_and_rise():
    values = run().observations.query("attribute == 'available_land_ha'")["likely"] * MU_PER_HA
    starts = breaks(values.tolist())
    assert starts[0] == 0 and list(starts) == sorted(set(starts)) and 2 <= len(starts) <= 5
    assert all(f"{one:.1e}"[1:3] in (".0", ".5") or str(one)[0] == "1" for one in starts[1:])
    assert breaks([]) == (0.0,) == breaks([0.0, 0.0])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_begins_with_whom_to_ask_for_what_first(language):
    told = [one.value for one in opened("supply", language).markdown]
    asked = tables.requests(run()).query("is_clear").head(3)
    assert text("supply.first", language, pools=50, assumed=50, n=3) in "".join(told)
    for row in asked.to_dict("records"):
        whom = catalog.attributes()[row["attribute"]].whom[language]
        assert any(row[f"name_{language}"] in one and whom in one for one in told)


@pytest.mark.slow
def test_the_filter_keeps_one_prefecture_and_the_sort_reorders():
    page = opened("supply")
    code = "420700"
    page.pills[0].set_value([code]).run()
    table = page.dataframe[0].value
    assert set(table["city"]) == {run().region.names[code].zh}
    page.selectbox(key="supply-sort-zh").set_value("ask").run()
    land = page.dataframe[0].value["ask"].head(len(table) // 3).dropna().tolist()
    assert land == sorted(land)
    assert land


def test_numbers_to_phone_about_are_marked_as_the_list_has_them():
    page = opened("supply")
    asked = tables.requests(run()).reset_index(drop=True)
    table = page.dataframe[0].value
    first = asked[asked["attribute"] == "available_land_ha"].iloc[0]
    place = asked.index[(asked["attribute"] == "available_land_ha")][0] + 1
    row = table[
        (table["label"] == first["subject_zh"])
        & (table["resource_label"] == catalog.resources()["land"].offer_title("zh"))
    ]
    assert row["ask"].tolist() == [place]


def test_the_request_list_is_the_study_s_and_can_be_taken_along():
    page = at("requests")
    asked = tables.requests(run())
    shown = page.dataframe[0].value
    clear = asked[asked["is_clear"]]
    assert shown["col.subject"].tolist() == clear["subject_zh"].tolist()
    assert page.dataframe[1].value["col.subject"].tolist() == asked[~asked["is_clear"]]["subject_zh"].tolist()
    assert shown["col.question"].tolist() == clear["question_zh"].tolist()
    csv, xlsx = cached.phone_files(catalog.scenario().model_dump_json(), "zh")
    assert csv.startswith(b"\xef\xbb\xbf")
    table = pd.read_csv(io.BytesIO(csv))
    questions, later = structural_questions(run().region), asked[~asked["is_clear"]]
    in_order = pd.concat([clear, questions, later])
    assert table["问询内容"].tolist() == in_order["question_zh"].tolist()
    assert table["备注"].notna().sum() == len(later), "what can wait says so"
    assert table["问询对象"].notna().all()
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx)).active
    assert [cell.value for cell in sheet["B"][1:]] == in_order["subject_zh"].tolist()


def take(page, low, likely, high, said):
    numbers = page.number_input
    for field, value in zip(numbers, (low, likely, high), strict=False):
        field.set_value(value)
    page.text_input(key="supply-said").set_value(said)
    labelled(page, "button", "supply.take").click().run()
    return page


@pytest.mark.slow
def test_a_number_known_better_replaces_the_prior_and_can_be_taken_back():
    page = take(at("requests"), 300.0, 330.0, 360.0, "园区管委会")
    assert not page.exception
    assert not page.error
    (known,) = page.session_state["work"].scenario.known
    assert known.attribute == "available_land_ha"
    assert (known.low * MU_PER_HA, known.likely * MU_PER_HA) == pytest.approx((300, 330))
    region = prepare(page.session_state["work"].scenario, {name: Layers().read(name) for name in LAYERS})
    row = region.observations.set_index(["attribute", "site_id"]).loc[("available_land_ha", known.subject)]
    assert (row["basis"], row["source"]) == ("reported", "园区管委会")
    page = take(page, 310.0, 310.0, 310.0, "园区管委会，二次核实")
    (again,) = page.session_state["work"].scenario.known
    assert again.source == "园区管委会，二次核实"
    labelled(page, "button", "supply.drop").click().run()
    assert page.session_state["work"].scenario.known == ()
    assert not page.exception


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_number_without_source_or_out_of_order_is_refused_in_words(language):
    page = at("requests", language)
    for field, value in zip(page.number_input, (5.0, 3.0, 4.0), strict=False):
        field.set_value(value)
    labelled(page, "button", "supply.take", language).click().run()
    assert not page.exception
    assert text("supply.no_source", language) in page.error[0].value
    assert text("supply.no_order", language) in page.error[0].value
    assert page.session_state["work"].scenario.known == ()


@pytest.mark.slow
def test_hostile_sources_stay_text():
    known = (KnownBetter(subject="H01", attribute="spare_mva", low=1, likely=2, high=3, source=HOSTILE),)
    known = (
        known[0].model_copy(update={"subject": "G04"}),
        known[0].model_copy(update={"attribute": "available_land_ha"}),
    )
    work = Work(catalog.scenario().model_copy(update={"known": known}))
    for tab in ("offers", "requests", "network"):
        page = at(tab, work=work)
        assert not page.exception
        read_as_markup = [page.markdown, page.caption, page.info, page.subheader, page.success]
        assert not [one for kind in read_as_markup for one in kind if "onerror" in one.value]
        assert not [one for one in page.get("html") if "onerror" in one.proto.body]
    assert HOSTILE[:60] in "\n".join(one.value for one in at("requests", work=work).text)


@pytest.mark.slow
def test_what_rules_take_adds_up_and_the_sample_is_labelled():
    page = at("losses")
    assert text("supply.losses_sample", "zh") in "\n".join(says(page))
    table = page.dataframe[0].value
    ends = ("col.site", "supply.gross", "supply.net", "supply.offered")
    losses = table.drop(columns=[text(end, "zh") for end in ends])
    assert (table[text("supply.gross", "zh")] - losses.sum(axis=1)).to_numpy() == pytest.approx(
        table[text("supply.net", "zh")].to_numpy(), abs=1
    )
    assert "永久基本农田" in table


@pytest.mark.slow
def test_an_own_survey_takes_the_place_of_the_sample(tmp_path):
    found = land_survey.sample()
    land = found.land.assign(site=HOSTILE[:60]).rename(columns={"lost_water_ha": "lost_<b>河</b>_ha"})
    land_survey.write(land_survey.Survey(land, found.sites, found.fits), tmp_path, source="test")
    page = at("losses", work=Work(catalog.scenario(), {LAND: (tmp_path / "land.csv").read_bytes()}))
    assert not page.exception
    assert text("supply.losses_sample", "zh") not in "\n".join(says(page))
    assert page.dataframe[0].value[text("col.site", "zh")].tolist() == [HOSTILE[:60]]
    assert "<b>河</b>" in page.dataframe[0].value


def test_a_spoilt_survey_is_refused_in_words():
    page = at("losses", work=Work(catalog.scenario(), {LAND: b"site,gross_ha\nA,1\n"}))
    assert not page.exception
    assert "net" in page.error[0].value


def test_the_network_s_table_names_every_site_once():
    page = at("network")
    table = page.dataframe[0].value
    told = "; ".join(table[text("supply.drawers", "zh")])
    for name in run().sites["name_zh"]:
        assert name in told
    assert "nan" not in told
    assert table[text("supply.sharers", "zh")].sum() == len(run().sites)


def test_every_station_is_listed_with_its_place_or_none():
    page = at("network")
    listed = page.dataframe[1].value
    stations = Layers().read("substations").set_index("id")
    assert set(listed["编号"]) == set(stations.index)
    place = listed.set_index("编号")[text("supply.place", "zh")]
    nowhere = stations.index[stations.geometry.isna()]
    assert set(place.index[place == text("supply.place_unknown", "zh")]) == set(nowhere)
    assert {"G01", "G10"} <= set(nowhere)


def test_the_bill_follows_capacity_and_energy():
    page = at("tariff", **{"supply-way": "load"})
    before = {metric.label: metric.value for metric in page.metric}
    page.number_input(key="supply-gwh").set_value(120.0).run()
    after = {metric.label: metric.value for metric in page.metric}
    assert not page.exception
    label = text("supply.bill", "zh")
    assert float(after[label].replace(",", "")) > 1.5 * float(before[label].replace(",", ""))
    page.number_input(key="supply-gwh").set_value(900.0).run()
    assert not page.exception
    assert "20 MVA" in page.error[0].value


def test_the_bill_of_a_segment_begins_at_its_load_factor_and_the_energy_follows():
    page = at("tariff", "zh")
    key = next(iter(catalog.segments()))
    load = page.slider(key=f"supply-load-{key}")
    assert load.value == catalog.segments()[key].load_factor
    before = next(one.value for one in page.caption if "MVA" in one.value)
    assert "样本少（1个）" in before
    load.set_value((0.2, 0.3)).run()
    after = next(one.value for one in page.caption if "MVA" in one.value)
    assert not page.exception
    power, energy = (re.findall(pattern, after) for pattern in (r"报装容量 ([\d.–-]+) MVA", r"用电量 ([\d.–-]+) GWh"))
    assert power[0] in before and energy[0] not in before


def test_the_bill_names_its_notice():
    page = at("tariff", "en")
    told = "\n".join(says(page)).replace("\\", "")
    for notice in (toml.table("tariffs")["tariff"][-1], toml.table("tariffs")["network"][0]):
        assert notice["title_en"] in told
        assert notice["source"] not in told, "people see who published it, not the address of a copy"
    assert any("none is known to be in force" in one.value for one in page.warning)
    assert "agency purchase" in told


def test_what_is_on_offer_stands_beside_net_land():
    table = at("losses").dataframe[0].value.set_index(text("col.site", "zh"))
    offer = cached.land_on_offer(None)
    assert table[text("supply.offered", "zh")].to_dict() == pytest.approx(offer.round(1).to_dict())
    assert (table[text("supply.offered", "zh")] < table[text("supply.net", "zh")]).all()
