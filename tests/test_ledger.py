"""Projects under way: lights by hand, what is refused, lists, what changed, base rates, tables out and back."""

import datetime

import pandas as pd
import pytest

from geo_cluster import toml
from geo_cluster.errors import InputError, Place
from geo_cluster.export.ledger_book import ledger_book, statements_frame
from geo_cluster.export.weekly import Week, weekly_outline
from geo_cluster.imports.tables import TableChoice
from geo_cluster.imports.under_way import read_ledger, template
from geo_cluster.policy import durations, frames, lights, lists, stages, statements
from geo_cluster.policy.ledger import Entry, Point, duplicates, faults, promised_settings
from geo_cluster.policy.lit import lit, picked
from geo_cluster.policy.places import places
from geo_cluster.policy.typed import typed
from geo_cluster.world.layers import Layers
from geo_cluster.world.spreadsheet import as_xlsx
from tests.ledgers import sample
from tests.refusals import refusal_of

DAY = datetime.date(2026, 11, 30)


@pytest.fixture(scope="module")
def where():
    return places(Layers())


def colour(rule, day=DAY, **said):
    return lights.light(Entry(name="x", **said), day, rule).colour


# ---- lights, worked out by hand -----------------------------------------------------------------------------

HALF = {"planned": {"start": "2026-01-01", "production": "2026-12-31"}, "investment_100m_yuan": 10.0}
MID = datetime.date(2026, 7, 2)  # 182 of 364 days: half of the schedule


@pytest.mark.parametrize(
    ("rule", "done", "expected"),
    [
        ("wuhan", 4.0, "green"),  # 80 % of schedule is not below it
        ("wuhan", 3.99, "yellow"),
        ("wuhan", 3.0, "yellow"),  # 60 %
        ("wuhan", 2.99, "red"),
        ("yinchuan", 4.01, "green"),  # 9.9 points behind
        ("yinchuan", 4.0, "yellow"),  # 10
        ("yinchuan", 2.0, "yellow"),  # 30
        ("yinchuan", 1.99, "red"),
        ("sanya", 5.0, "green"),
        ("sanya", 4.99, "yellow"),
        ("sanya", 2.5, "yellow"),
        ("sanya", 2.49, "red"),
    ],
)
def test_progress_is_held_against_the_schedule(rule, done, expected):
    entry = Entry(name="x", **HALF, invested_100m_yuan=done)
    assert lights.progress(entry, MID).due == 0.5
    told = [one.colour for one in lights.light(entry, MID, rule).reasons if one.part == "progress"]
    assert told == [expected]


def test_the_years_plan_goes_before_the_whole():
    entry = Entry(name="x", **HALF, invested_100m_yuan=0.0, year_plan_100m_yuan=2.0, year_done_100m_yuan=1.0)
    found = lights.progress(entry, MID)
    assert (found.by, found.done) == ("year", 0.5)
    assert found.due == pytest.approx(183 / 365)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-03-31", "green"),  # the planned month is not over
        ("2026-04-01", "yellow"),
        ("2026-05-31", "yellow"),  # March and April missed
        ("2026-06-01", "red"),  # three months
    ],
)
def test_a_start_that_is_missed(day, expected):
    day = datetime.date.fromisoformat(day)
    assert colour("yinchuan", day, planned={"start": "2026-03-10"}) == expected
    assert colour("wuhan", day, planned={"start": "2026-03-10"}) == "none", "that rule says nothing of it"


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2026-04-09", "green"), ("2026-04-10", "yellow"), ("2026-05-10", "yellow"), ("2026-05-11", "red")],
)
def test_a_start_that_is_not_registered(day, expected):
    assert colour("yinchuan", datetime.date.fromisoformat(day), actual={"start": "2026-03-10"}) == expected


def test_the_worst_part_is_the_light_and_production_ends_it():
    bad = {"planned": {"start": "2026-01", "production": "2026-12"}, "investment_100m_yuan": 1.0}
    entry = Entry(name="x", **bad, invested_100m_yuan=0.95, actual={"start": "2026-01"})
    found = lights.light(entry, DAY, "yinchuan")
    assert found.colour == "red"
    assert found.reasons[0].part == "registration"
    done = entry.model_copy(update={"actual": {"start": "2026-01", "production": "2026-11"}})
    assert lights.light(done, DAY, "yinchuan").colour == "done"


def test_what_can_not_be_told_says_what_is_lacking():
    found = lights.light(Entry(name="x"), DAY)
    assert found.colour == "none"
    assert "投产" in found.why.zh
    assert "investment" in found.why.en


def test_every_rule_has_a_source_and_the_default_is_wuhans():
    assert next(iter(lights.rules())) == lights.DEFAULT == "wuhan"
    table = toml.table("lights")
    assert all(row["source"].startswith("http") for row in [*table["rule"], *table["uncounted"]])
    assert set(table["colours"]) == {"red", "yellow", "green", "done", "none"}


# ---- what is refused ----------------------------------------------------------------------------------------


def told(entry):
    found = faults(entry, lambda key: Place("", key=key), day=DAY)
    return {fault.code.partition(".")[2]: str(fault.place.key) for fault in found}


POINT = {"what": "线路未批", "unit": "供电公司", "deadline": "2026-12"}


@pytest.mark.parametrize(
    ("said", "code", "at"),
    [
        ({"actual": {"start": "2026-01", "signed": "2026-02"}}, "stages_out_of_order", "actual.start"),
        ({"planned": {"production": "2026", "start": "2027-01"}}, "stages_out_of_order", "planned.production"),
        ({"actual": {"start": "2026-12"}}, "not_yet", "actual.start"),
        ({"registered": "2027"}, "not_yet", "registered"),
        ({"actual": {"completion": "2026"}}, "unknown_stage", "actual.completion"),
        ({"stage": "竣工"}, "unknown_stage", "stage"),
        ({"stage": "signed", "actual": {"start": "2026"}}, "stage_left_behind", "stage"),
        ({"investment_100m_yuan": 5.0, "invested_100m_yuan": 5.1}, "invested_above_plan", "invested_100m_yuan"),
        ({"actual": {"start": "2026-06"}, "registered": "2026-05"}, "registered_before_start", "registered"),
        ({"points": (POINT | {"unit": " "},)}, "point_without_unit", "points.0.unit"),
        ({"points": (POINT, POINT | {"deadline": ""})}, "point_without_deadline", "points.1.deadline"),
        ({"points": (POINT | {"raised": "2027-01"},)}, "ends_before_start", "points.0.deadline"),
        ({"points": (POINT | {"raised": "2026-05", "closed": "2026-04"},)}, "ends_before_start", "points.0.closed"),
        ({"points": (POINT | {"kind": "weather"},)}, "unknown_point", "points.0.kind"),
    ],
)
def test_a_contradiction_is_named_at_its_field(said, code, at):
    assert told(Entry.model_validate({"name": "x", **said})) == {code: at}


def test_days_of_a_month_are_not_out_of_order_where_they_may_be_in_order():
    ordered = {"signed": "2026-03-20", "land": "2026-03", "start": "2026"}
    assert told(Entry(name="x", actual=ordered | {"start": "2026-03-21"})) == {}
    assert told(Entry(name="x", planned=ordered)) == {}
    assert all(told(one) == {} for week in (1, 2) for one in sample(week).values())


def test_one_project_twice_is_named():
    entries = [("a", Entry(name="扩产（二期）", city="1")), ("b", Entry(name="扩产 (二期)", city="1"))]
    (fault,) = duplicates(entries, Place)
    assert (fault.code, fault.place.name, fault.values["earlier"]) == ("policy.same_project", "b", "a")
    assert not list(duplicates([entries[0], ("c", Entry(name="扩产（二期）", city="2"))], Place))


def test_a_form_is_read_or_every_fault_told_at_once():
    said = {"name": " 甲 ", "actual": {"signed": "2026年3月"}, "planned": {"start": ""}, "land_mu": float("nan")}
    said["points"] = [{"kind": None, "what": "a", "unit": "b", "deadline": "2026.12.1"}, {"kind": "land", "what": None}]
    entry, wrong = typed(said, lambda key: Place(key), day=DAY)
    assert not wrong
    assert entry == Entry(
        name="甲", actual={"signed": "2026-03"}, points=(Point(what="a", unit="b", deadline="2026-12-01"),)
    )
    said |= {"name": "", "actual": {"signed": "开春"}, "land_mu": "-3", "points": [{"unit": "b"}]}
    entry, wrong = typed(said, lambda key: Place(key), day=DAY)
    assert entry is None
    assert {str(one.place.name): one.code for one in wrong} == {
        "actual.signed": "policy.not_a_date",
        "land_mu": "policy.not_an_amount",
        "points.0.what": "policy.point_without_text",
        "name": "policy.no_name",
    }


# ---- lists and changes --------------------------------------------------------------------------------------


def test_the_three_lists():
    found = lists.the_three(sample(1), datetime.date(2026, 11, 23))
    assert [(one.id, one.months) for one in found["not_started"]] == [("a2", 7), ("a7", 1)]
    assert {one.id for one in found["behind"]} == {"a1", "a2", "a3"}
    assert [(one.id, one.months) for one in found["unregistered"]] == [("a3", 3)]
    assert all(one.why.zh and one.why.en for listed in found.values() for one in listed)


def test_what_changed_in_a_week_is_told_once_and_nothing_else():
    days = (datetime.date(2026, 11, 23), DAY)
    found = lists.changes(sample(1), sample(2), days=days)
    assert [(one.id, one.kind) for one in found] == [
        ("a1", "closed"),
        ("a1", "money"),
        ("a1", "light"),
        ("a2", "stage"),
        ("a2", "point"),
        ("a2", "delivered"),
        ("a8", "new"),
    ]
    assert "签约 → 供地（2026-11-26）" in [one.what.zh for one in found]
    assert lists.changes(sample(1), sample(1), days=(days[0], days[0])) == []
    assert [one.kind for one in lists.changes(sample(2), sample(1), days=(DAY, DAY))].count("gone") == 1


def test_blocked_points_stand_by_their_deadline_the_late_ones_first():
    found = lists.open_points(sample(1) | sample(2), DAY)
    assert [(id_, point.kind) for id_, _, point in found] == [("a2", "environment")]
    early = sample(1)["a1"].points[0]
    assert early.is_late(DAY)
    assert not early.is_late(datetime.date(2026, 11, 20))


def test_rows_are_picked_by_what_is_asked():
    table = lit(sample(1), DAY, "wuhan").table
    assert list(picked(table, text="甲").index) == ["a1"]
    assert list(picked(table, cities=["420200"], stages=["start"]).index) == ["a1"]
    assert set(picked(table, colours=["none"]).index) == {"a4", "a7"}
    assert list(picked(table, blocked=True).index) == ["a1"]
    assert len(picked(table)) == len(table)


# ---- base rates ---------------------------------------------------------------------------------------------


def test_base_rates_are_those_of_the_layer_and_their_number_is_said():
    start = durations.rates()["signed", "start"]
    assert (start.low, start.high, start.count, start.ceremonies) == (0.6, 16.0, 4, 2)  # DU05, DU08, DU13, DU15
    build = durations.rates()["start", "production"]
    assert (build.low, build.middle, build.high, build.count) == (12.0, 18.0, 36.0, 4)  # DU04, DU07, DU10, DU12
    assert start.chance == pytest.approx(3 / 5)
    table = Layers().read("durations")
    used = {one for rate in durations.rates().values() for one in rate.ids}
    assert set(table[table["id"].isin(used)]["kind"]) <= {"actual", "actual_below"}, "a plan is no duration"


def test_expected_days_are_sums_of_steps_from_the_last_known_date():
    (start, production) = durations.expected(Entry(name="x", actual={"signed": "2026-01-01"}))
    assert (start.stage, production.stage) == ("start", "production")
    assert start.late == stages.after_months(datetime.date(2026, 1, 1), 16)
    assert production.early == stages.after_months(datetime.date(2026, 1, 1), 12.6)
    assert production.count == 4
    assert "n=4" in production.basis.zh
    assert "no forecast" in production.basis.en
    assert durations.expected(Entry(name="x", stage="signed")) == [], "no date, no interval"
    land = durations.expected(Entry(name="x", actual={"signed": "2026-01", "land": "2026-06"}))
    assert [(one.stage, one.since) for one in land] == [("start", "signed"), ("production", "signed")]


def test_the_conversion_is_53_to_71_percent_and_said_to_be_a_base_rate():
    shares = [round(one.share, 2) for one in durations.conversions()]
    assert (min(shares), max(shares)) == (0.53, 0.71)
    count, low, high = durations.starts_among(list(sample(1).values()))
    assert count == 3
    assert (low, high) == (pytest.approx(3 * 1553 / 2910), pytest.approx(3 * 1617 / 2274))
    assert "基率" in durations.conversion_note().zh


# ---- the policy's own projects ------------------------------------------------------------------------------


def test_a_ceremony_is_no_stage_and_every_statement_has_its_source():
    table = statements.statements().set_index("id")
    assert table.loc["P004", "is_ceremony"], "集中开工"
    assert table.loc["P017", "is_ceremony"], "投产仪式"
    assert not table.loc["P013", "is_ceremony"], "进场施工"
    assert (table["source"].str.startswith("http")).all()
    for language, word in (("zh", "仪式，不是阶段"), ("en", "ceremony, no stage")):
        shown = statements_frame(language)
        assert len(shown) == len(table)
        assert shown.iloc[:, 2].str.contains(word).sum() == table["is_ceremony"].sum()


# ---- tables out and back ------------------------------------------------------------------------------------


def book(projects, where, language="zh"):
    table = frames.ledger_frame(projects, where, language)
    return as_xlsx({"台账": table, "卡点": frames.points_frame(projects, language)})


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_ledger_that_goes_out_comes_back(where, language):
    projects = {id_: one.model_copy(update={"source": "示例"}) for id_, one in sample(2).items()}
    read = read_ledger(book(projects, where, language), "a.xlsx", places=where, day=DAY, known={})
    assert [str(one) for one in read.faults] == []
    assert read.entries == projects


def test_the_book_with_lights_and_lists_comes_back_too(where):
    week = Week(sample(2), (), DAY, DAY, where)
    read = read_ledger(ledger_book(week), "a.xlsx", places=where, day=DAY, known=sample(2))
    assert not read.faults
    assert read.entries == sample(2)
    assert not read.fresh


def test_a_template_is_filled_in_and_its_example_left_out(where):
    for language in ("zh", "en"):
        with pytest.raises(InputError):
            read = read_ledger(template(language), "t.xlsx", places=where, day=DAY, known={})
            raise InputError(list(read.faults))
        assert [one.code for one in read.faults] == ["policy.no_project"]


def csv(*rows):
    return "\n".join(rows).encode()


def test_what_a_file_has_no_column_for_stays(where):
    known = {"a1": sample(1)["a1"]}
    content = csv("项目名称,市州,累计完成投资(万元),计划投产日期", "示例 光纤激光器扩产,黄石,34000,2027年9月")
    read = read_ledger(content, "a.csv", places=where, day=DAY, known=known)
    assert not read.faults
    expected = known["a1"].model_copy(
        update={"invested_100m_yuan": 3.4, "planned": known["a1"].planned | {"production": "2027-09"}}
    )
    assert read.entries == {"a1": expected}


def test_a_stage_that_only_went_along_gives_way_to_a_new_date(where):
    known = {"a2": sample(1)["a2"]}
    content = csv("编号,项目名称,市州,当前阶段,实际开工日期", "a2,示例 激光切割设备,鄂州市,签约,2026-11-28")
    read = read_ledger(content, "a.csv", places=where, day=DAY, known=known)
    assert not read.faults
    assert read.entries["a2"].at == "start"


def test_every_fault_of_a_file_is_told_at_once_with_its_cell(where):
    content = as_xlsx(
        {
            "台账": pd.DataFrame(
                [
                    ["甲", "黄石", "", "2026-05", "2026-03", "5", "6", "40-50", "是"],
                    ["乙", "杭州", "H99", "明年春天", "", "5", "", "", "也许"],
                    ["乙", "", "", "", "", "很多", "", "", ""],
                    ["丙", "", "", "", "", "", "", "", ""],
                    ["丙", "", "", "", "", "", "", "", ""],
                    ["", "黄石", "", "", "", "", "", "", ""],
                ],
                columns=[
                    "项目名称", "市州", "园区", "实际签约日期", "实际开工日期", "总投资（亿元）",
                    "累计完成投资（亿元）", "承诺用地（亩）", "计入资源池",
                ],
            ).assign(**{"计划竣工日期": ""}),
            "卡点": pd.DataFrame(
                [["甲", "线路未批", "", "2026-12"], ["丁", "a", "b", "2026-12"], ["甲", "x", "y", "尽快"]],
                columns=["项目", "卡点", "责任单位", "完成时限"],
            ),
        }
    )  # fmt: skip
    read = read_ledger(content, "a.xlsx", places=where, day=DAY, known={})
    assert read.entries == {}
    codes = {one.code.partition(".")[2] for one in read.faults}
    assert codes >= {"one_number", "unknown_city", "unknown_site", "not_a_date", "yes_or_no", "no_name"}
    assert codes >= {"not_an_amount", "unknown_stage", "point_of_nobody", "same_project"}
    at = {(one.code, one.row, one.column) for one in read.faults}
    assert ("policy.not_a_date", 3, "实际签约日期") in at
    assert ("policy.same_project", 6, "项目名称") in at
    alone = [(one.place.sheet, one.row) for one in read.faults if one.code == "policy.point_of_nobody"]
    assert alone == [("卡点", 3)], "not that of a project with faults of its own"
    for fault in read.faults:
        assert fault.words("zh").remedy
        assert fault.words("en").remedy


def test_contradictions_of_a_file_are_at_their_cells_and_mended_in_place(where):
    rows = ["项目名称,实际签约日期,实际开工日期,计划总投资(亿元),累计完成投资(亿元)", "甲,2026-05,2026-03,5,6"]
    read = read_ledger(csv(*rows), "a.csv", places=where, day=DAY, known={})
    found = {(one.code, one.row, one.column) for one in read.faults}
    assert found == {
        ("policy.stages_out_of_order", 2, "实际开工日期"),
        ("policy.invested_above_plan", 2, "累计完成投资(亿元)"),
    }
    mended = {"ledger": TableChoice(mended={(2, 1): "2026-02", (2, 4): "4"})}
    read = read_ledger(csv(*rows), "a.csv", places=where, day=DAY, known={}, choices=mended)
    assert not read.faults
    (entry,) = read.entries.values()
    assert (entry.actual, entry.invested_100m_yuan) == ({"signed": "2026-02", "start": "2026-03"}, 4.0)


# ---- own stages, the paper, the command ---------------------------------------------------------------------

OWN = """
[[stage]]
key = "talks"
name = { zh = "洽谈", en = "in talks" }
[[stage]]
key = "signed"
name = { zh = "签约", en = "signed" }
[[stage]]
key = "permit"
name = { zh = "领证", en = "permit" }
[[stage]]
key = "start"
name = { zh = "开工", en = "started" }
[[stage]]
key = "production"
name = { zh = "投产", en = "in production" }
[roles]
signed = "signed"
start = "start"
production = "production"
"""


def test_stages_of_ones_own(tmp_path, monkeypatch, where):
    file = tmp_path / "stages.toml"
    file.write_text(OWN, encoding="utf-8")
    monkeypatch.setenv(stages.ENVIRONMENT, str(file))
    assert list(stages.stages()) == ["talks", "signed", "permit", "start", "production"]
    read = read_ledger(csv("项目名称,实际领证日期", "甲,2026-05"), "a.csv", places=where, day=DAY, known={})
    (entry,) = read.entries.values()
    assert entry.at == "permit"
    file.with_name("odd.toml").write_text(OWN.replace('"permit"', '"start"').replace("start = ", "begin = "))
    monkeypatch.setenv(stages.ENVIRONMENT, str(file.with_name("odd.toml")))
    with pytest.raises(InputError) as refusal:
        stages.stages()
    assert {one.code for one in refusal.value.faults} == {"policy.stage_odd", "policy.stage_role"}
    monkeypatch.setenv(stages.ENVIRONMENT, str(tmp_path / "none.toml"))
    with refusal_of("common.no_such_file", error=InputError):
        stages.stages()


def test_the_paper_says_what_the_ledger_says(where):
    days = (datetime.date(2026, 11, 23), DAY)
    changed = lists.changes(sample(1), sample(2), days=days)
    for language in ("zh", "en"):
        made = weekly_outline(Week(sample(2), changed, *days, where), language)
        said = {part.key: part for part in made.parts}
        assert "8" in said["state"].message
        assert "7" in said["changed"].message
        assert len(said["not_started"].blocks[0].texts) == 2
        assert "http" in said["notes"].message
    empty = weekly_outline(Week({}, [], *days, where), "zh")
    assert all(not part.blocks for part in empty.parts if part.key != "state")


@pytest.mark.slow
def test_the_command_makes_the_workbook_and_the_paper(call, tmp_path, where):
    for week in (1, 2):
        (tmp_path / f"w{week}.xlsx").write_bytes(book(sample(week), where))
    out = tmp_path / "out"
    options = ["--before", tmp_path / "w1.xlsx", "--day", "2026-11-30", "--out", out]
    code, said, _ = call("policy", "ledger", tmp_path / "w2.xlsx", *options)
    assert code == 0
    assert "应开未开 2 · 进度滞后 3 · 未入库 1" in said
    assert {path.name for path in out.iterdir()} == {"ledger.xlsx", "weekly.docx"}
    code, _, _ = call("policy", "ledger", "--out", tmp_path / "empty")
    assert {path.name for path in (tmp_path / "empty").iterdir()} == {"ledger_template.xlsx", "policy_projects.xlsx"}
    code, _, wrong = call("policy", "ledger", tmp_path / "w2.xlsx", "--rule", "x", "--out", tmp_path / "no")
    assert code == 2
    assert "wuhan" in wrong
    (tmp_path / "bad.csv").write_bytes(csv("项目名称,计划总投资(亿元),累计完成投资(亿元)", "甲,5,6"))
    code, _, wrong = call("policy", "ledger", tmp_path / "bad.csv", "--out", tmp_path / "no")
    assert code == 2
    assert "bad.csv" in wrong
    assert not list((tmp_path / "no").glob("*"))


# ---- what counts in pools -----------------------------------------------------------------------------------


def test_only_what_names_a_site_and_counts_is_promised():
    projects = sample(1)
    found = promised_settings(projects.values())
    assert [(one["project"], one["site"], one["amounts"]) for one in found] == [
        ("示例 光纤激光器扩产", "H01", {"land": 60.0, "power": 12.0, "energy": 2600.0}),
        ("示例 激光切割设备", "E01", {"land": 40.0, "power": 6.0}),
    ]
    assert promised_settings(projects.values(), but=["示例光纤激光器扩产"]) == found[1:]
    out = projects["a2"].model_copy(update={"counts": False})
    assert promised_settings([out]) == []
