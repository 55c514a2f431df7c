"""Files as planners hand them over: read, every fault found at once, taken over, reverted."""

from __future__ import annotations

import csv
import datetime
import io
import re
import zipfile

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box
from shapely.affinity import translate

from geo_cluster import study, toml
from geo_cluster.domain import KnownBetter
from geo_cluster.errors import MOST, InputError, Place
from geo_cluster.imports import effect, files, headings, ledger, templates
from geo_cluster.imports.cells import unit_factor
from geo_cluster.imports.check import check_file, guess
from geo_cluster.imports.checked import KINDS, fault_table
from geo_cluster.region import prepare
from geo_cluster.report import tables
from geo_cluster.workspace.repository import Work
from geo_cluster.world import catalog, portfolio, tabular
from geo_cluster.world.coordinates import MU_PER_HA, convert_geometry
from geo_cluster.world.layers import Layers

SAMPLE = toml.PACKAGE.parent / "data" / "sample"
NOW = datetime.datetime(2026, 11, 23, 9, 30)
HEADS = ("对象", "指标", "下限", "最可能", "上限", "单位", "依据", "来源", "时点")
GOOD = ("H01", "可供工业用地", "300", "350", "420", "亩", "上报", "经开区招商局", "2026-10")
HOSTILE = ("</script><b>", "\"quoted\", 'twice'", "😀 笑", "甲" * 500, "=HYPERLINK(1)", "a*b_[c](d)$e$:smile:")


@pytest.fixture(scope="module")
def region():
    scenario = catalog.scenario()
    return prepare(scenario, Layers())


def as_csv(*rows, heads=HEADS, encoding="utf-8"):
    text = io.StringIO()
    csv.writer(text).writerows([heads, *rows])
    return text.getvalue().encode(encoding)


def as_xlsx(*rows, heads=HEADS):
    book = openpyxl.Workbook()
    for row in (heads, *rows):
        book.active.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def changed(**cells):
    names = dict(
        zip(("subject", "attribute", "low", "likely", "high", "unit", "basis", "source", "as_of"), HEADS, strict=True)
    )
    row = dict(zip(HEADS, GOOD, strict=True)) | {names[key]: value for key, value in cells.items()}
    return tuple(row.values())


def read(region, content, name="numbers.csv", kind="observations", **more):
    return check_file(content, name, kind=kind, region=region, **more)


def cells(checked):
    table = fault_table(checked.faults)
    return list(zip(table["row"], table["column"], strict=True))


def prepared(held, folder):
    """The region of a work that holds these numbers and files."""
    row = catalog.scenario().model_dump() | {"known": [one.model_dump() for one in held.known]}
    scenario = Work(catalog.scenario_from(row), held.files).settled(folder)
    return prepare(scenario, Layers(scenario.layers))


def parcels(sites=("H01", "H01"), at=(115.08, 30.15), **columns):
    """Squares of 200 m near a place, in the zone of 114° E; every name of a column as it is given."""
    point = gpd.GeoSeries.from_xy([at[0]], [at[1]], crs=4326).to_crs(4547).iloc[0]
    shapes = [box(point.x + 250 * k, point.y, point.x + 250 * k + 200, point.y + 200) for k in range(len(sites))]
    names = {"site": list(sites), "parcel": [f"p{k}" for k in range(len(sites))]} | columns
    return gpd.GeoDataFrame(names, geometry=shapes, crs=4547)


def packed(frame, suffix=".geojson", **options):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"parcels{suffix}"
        frame.to_file(path, **options)
        if suffix != ".shp":
            return path.read_bytes()
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for one in Path(folder).iterdir():
                archive.write(one, one.name)
        return out.getvalue()


# ---- tables -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_table_is_read_in_the_encodings_of_spreadsheets(region, encoding):
    found = read(region, as_csv(GOOD, encoding=encoding))
    assert found.faults == ()
    (known,) = found.known
    assert (known.subject, known.attribute, known.basis, known.as_of) == (
        "H01",
        "available_land_ha",
        "reported",
        "2026-10",
    )
    assert (known.low, known.likely, known.high) == pytest.approx((20, 350 / 15, 28))
    assert known.source == "经开区招商局"
    assert any("换算" in note.zh for note in found.notes)


@pytest.mark.slow
def test_english_and_bilingual_headings_and_a_title_above_do_as_well(region):
    english = as_csv(GOOD, heads=("subject", "attribute", "low", "likely", "high", "unit", "basis", "source", "as of"))
    both = as_csv(GOOD, heads=[templates.heading(c) for c in toml.table("imports")["observations"]["columns"].values()])
    titled = "黄石市上报表,,,,,,,,\r\n\r\n".encode() + as_csv(GOOD)
    expected = read(region, as_csv(GOOD)).known
    for content in (english, both, titled, as_xlsx(GOOD)):
        assert read(region, content, "t.xlsx" if content[:2] == b"PK" else "t.csv").known == expected
    bad = read(region, "黄石市上报表,,,,,,,,\r\n\r\n".encode() + as_csv(changed(unit="斤")))
    assert cells(bad) == [(4, "单位")], "the row in the file, title and blank row counted"


def test_a_range_in_one_cell_is_an_interval(region):
    (known,) = read(region, as_csv(changed(low="", likely="25-35", high="", unit="公顷"))).known
    assert (known.low, known.likely, known.high) == (25, 30, 35)


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ({"subject": "H99"}, "对象", "unknown_subject"),
        ({"subject": ""}, "对象", "empty"),
        ({"subject": "G10"}, "对象", "wrong_subject"),
        ({"attribute": "beauty"}, "指标", "unknown_attribute"),
        ({"likely": "plenty"}, "最可能", "not_a_number"),
        ({"likely": ""}, "最可能", "empty"),
        ({"low": "400"}, "下限", "out_of_order"),
        ({"high": "10"}, "上限", "out_of_order"),
        ({"low": "-5", "likely": "-1", "high": "0"}, "最可能", "below_zero"),
        ({"unit": "kVA"}, "单位", "unknown_unit"),
        ({"unit": ""}, "单位", "empty"),
        ({"basis": "听说"}, "依据", "unknown_basis"),
        ({"source": ""}, "来源", "empty"),
        ({"as_of": "last year"}, "时点", "not_a_date"),
        ({"as_of": "2026-13"}, "时点", "not_a_date"),
    ],
)
def test_each_fault_of_a_number_names_its_cell(region, row, column, code):
    found = read(region, as_csv(GOOD, changed(**{"attribute": "工业地价", "unit": "万元/亩"} | row)))
    assert (f"imports.{code}", 3, column) in [(fault.code, fault.row, fault.column) for fault in found.faults]
    assert not found.is_ready
    with pytest.raises(InputError):
        ledger.accept((), {}, found, when=NOW)


def test_all_faults_come_at_once(region):
    found = read(
        region, as_csv(changed(subject="H99", unit="斤"), GOOD, GOOD, changed(subject="H02", basis="?", as_of="soon"))
    )
    assert set(cells(found)) == {(2, "对象"), (2, "单位"), (4, "对象"), (5, "依据"), (5, "时点")}
    (again,) = (fault for fault in found.faults if fault.code == "imports.same_number")
    assert again.values == {"subject": "H01", "earlier": 3}


def test_missing_and_doubled_columns_are_named(region):
    missing = read(region, as_csv(GOOD[:-3], heads=HEADS[:-3])).faults
    assert [(fault.code, fault.place) for fault in missing] == [
        ("imports.no_column", Place("numbers.csv", column="依据")),
        ("imports.no_column", Place("numbers.csv", column="来源")),
    ]
    doubled = read(region, as_csv((*GOOD, "x"), heads=("园区", *HEADS[1:], "site"))).faults
    assert [(fault.code, fault.column) for fault in doubled] == [("sheets.second_column", "site")]
    beside = read(region, as_csv((*GOOD, "x"), heads=(*HEADS, "site")))
    assert beside.is_ready and any("site" in note.zh for note in beside.notes), "ours counts, the other is told"


def test_units_are_converted():
    for attribute, one in catalog.attributes().items():
        assert unit_factor(attribute, one.unit.zh) == 1, attribute
    one_mu = 10_000 / MU_PER_HA
    assert unit_factor("available_land_ha", "亩") == pytest.approx(1 / MU_PER_HA)
    assert unit_factor("land_price_10k_yuan_per_mu", "元/平方米") == pytest.approx(one_mu / 10_000)
    assert unit_factor("spare_mva", "kVA") == 1e-3


@pytest.mark.slow
def test_formulas_count_by_their_value_and_are_refused_without_one(region):
    unsaved = as_xlsx(changed(likely="=300+50"))  # openpyxl writes formulas without values
    found = read(region, unsaved, "t.xlsx")
    assert cells(found) == [(2, "最可能")]
    assert "formula without a value" in found.faults[0].what
    broken = as_xlsx(changed(likely="#REF!"))
    assert "#REF!" in read(region, broken, "t.xlsx").faults[0].what


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"", "a.csv", "is empty"),
        (b"\x00\x01\x02\xff\xfe\x00", "a.csv", "is not text"),
        (b"one column\n1\n2\n", "a.csv", "no heading row"),
        (b"PK\x03\x04 not an archive", "a.xlsx", "damaged archive"),
    ],
)
def test_what_is_no_table_is_a_fault_like_any_other(region, content, name, says):
    (fault,) = read(region, content, name).faults
    assert says in fault.what
    assert "/tmp" not in str(fault)


@pytest.mark.slow
def test_too_big_is_told_in_words(region, limited):
    limited(megabytes=1)
    (fault,) = read(region, as_csv(*[GOOD] * 20000)).faults
    assert "MB" in fault.what
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sheet.xml", b"0" * 30_000_000)
    limited(unpacked_megabytes=10)
    assert "unpacks to" in read(region, bomb.getvalue(), "a.xlsx").faults[0].what
    rows = toml.table("imports")["observations"]["most_rows"] + 1
    assert read(region, as_csv(*[GOOD] * rows)).faults[0].code == "imports.too_many_rows"


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    low=st.floats(0, 1000), more=st.floats(0, 1000), most=st.floats(0, 1000),
    source=st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=40),
    excel=st.booleans(),
)  # fmt: skip
def test_whatever_is_written_is_read_again(region, low, more, most, source, excel):
    row = changed(
        low=f"{low:.3f}", likely=f"{low + more:.3f}", high=f"{low + more + most:.3f}", unit="公顷", source=f"源{source}"
    )
    content = as_xlsx(row) if excel else as_csv(row)
    found = read(region, content, "t.xlsx" if excel else "t.csv")
    assert found.faults == ()
    (known,) = found.known
    assert [known.low, known.likely, known.high] == [float(row[k]) for k in (2, 3, 4)]
    assert known.source == f"源{source}"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_filled_template_is_taken_over_and_its_example_is_not(region, kind, tmp_path):
    for make, name in ((templates.as_xlsx, "t.xlsx"), (templates.as_csv, "t.csv")):
        content = make(kind)
        assert guess(content, name) == kind
        bare = read(region, content, name, kind)
        assert bare.faults == ()
        assert not bare.is_ready, "the example row is nobody's datum"
        table = tabular.read(content, name)
        table[:] = table.replace(headings.EXAMPLE, "某园区管委会")
        found = read(region, as_csv(*table.to_numpy().tolist(), heads=list(table.columns)), kind=kind)
        assert found.faults == ()
        assert found.is_ready


def test_templates_say_what_may_be_written():
    book = openpyxl.load_workbook(io.BytesIO(templates.as_xlsx("observations")))
    said = {str(cell.value) for row in book["取值 values"].iter_rows() for cell in row if cell.value}
    assert {f"{one.name.zh} / {one.name.en}" for one in catalog.attributes().values()} <= said
    assert book.worksheets[0].data_validations.dataValidation


# ---- taking over and reverting ------------------------------------------------------------------------------


def test_what_holds_is_compared_with_what_would(region):
    published = region.observations.query("basis == 'published' and attribute == 'approved_ha'").iloc[0]
    rows = (
        GOOD,
        changed(subject=published["site_id"], attribute="核准面积（2018）", basis="推算", unit="公顷"),
        changed(subject="H02", attribute="largest_piece_ha", unit="ha"),
    )
    found = read(region, as_csv(*rows)).preview
    assert found["effect"].tolist() == ["replaces", "weaker", "new"]
    assert found.loc[0, "old_basis"] == "assumed"


@pytest.mark.slow
def test_land_reaches_the_scores_and_goes_again(region, tmp_path):
    held = ledger.accept((), {}, read(region, as_csv(GOOD)), when=NOW)
    after = prepared(held, tmp_path)
    row = after.observations.query("site_id == 'H01' and attribute == 'available_land_ha'").iloc[0]
    assert (row["likely"], row["source"]) == (pytest.approx(350 / 15), "经开区招商局")
    changes = effect.changes(region, after, portfolio.read("sample"))
    assert (changes["most_points"] > 1).any()
    assert changes["order_changes"].any()
    back = ledger.revert(held.known, held.files, "1")
    assert back == ledger.WorkData((), {})


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 1, 3), (2, 3, 1), (1, 3, 2)])
def test_each_import_is_reverted_on_its_own(region, order):
    by_hand = KnownBetter(subject="H01", attribute="available_land_ha", low=1, likely=1, high=1, source="手填")
    known, kept = (by_hand,), {"projects.csv": b"before"}
    for number in (100, 200, 300):
        found = read(region, as_csv(changed(low="", likely=str(number), high="", unit="公顷")))
        known, kept = ledger.accept(known, kept, found, when=NOW)
    left = {1: 100, 2: 200, 3: 300}
    for one in order:
        known, kept = ledger.revert(known, kept, str(one))
        del left[one]
        (now,) = known
        assert now.likely == (left[max(left)] if left else 1)
    assert known == (by_hand,)
    assert kept == {"projects.csv": b"before"}


def test_a_number_set_by_hand_since_is_left_alone(region):
    held = ledger.accept((), {}, read(region, as_csv(GOOD)), when=NOW)
    own = held.known[0].model_copy(update={"likely": 25.0, "source": "手改"})
    assert ledger.revert((own,), held.files, "1").known == (own,)


def test_the_ledger_says_what_was_taken_over(region):
    content = as_csv(GOOD)
    held = ledger.accept((), {}, read(region, content, "黄石.csv"), when=NOW)
    (entry,) = ledger.accepted(held.files)
    assert (entry.kind, entry.name, entry.rows, entry.when) == ("observations", "黄石.csv", 1, "2026-11-23T09:30:00")
    assert entry.sha256 == files.digest(content)
    with pytest.raises(InputError) as refusal:
        ledger.revert(held.known, held.files, "7")
    assert [(fault.code, fault.values) for fault in refusal.value.faults] == [
        ("imports.no_such_import", {"number": "7"})
    ]
    with pytest.raises(InputError) as refusal:
        ledger.accepted({"imports.json": b"{"})
    (fault,) = refusal.value.faults
    assert (fault.code, fault.place.name) == ("imports.damaged_ledger", "imports.json")
    assert fault.words("zh").what == "读不了", "what the library says is in English only"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_survive(region, name):
    found = read(region, as_csv(changed(source=name)), f"{name[:40]}.csv")
    held = ledger.accept((), {}, found, when=NOW)
    assert held.known[0].source == name
    assert ledger.accepted(held.files)[0].known[0]["source"] == name
    rows = as_csv(("甲", name, "光纤激光器", "5", name), heads=("编号", "名称", "细分环节", "年产值(亿元)", "备注"))
    projects = read(region, rows, kind="projects")
    again = portfolio.check(tabular.read(projects.files["projects.csv"], "p.csv"))
    assert (again["name"].iloc[0], again["notes"].iloc[0]) == (name, name)


# ---- projects -----------------------------------------------------------------------------------------------


def test_projects_replace_the_portfolio_and_come_back(region, tmp_path):
    heads = ("编号", "名称", "segment", "年产值", "用地(亩)")
    first = read(region, as_csv(("A", "甲", "光纤激光器", "5", "25-35"), heads=heads), kind="projects")
    assert first.preview["land_mu_given"].tolist() == [True]
    assert first.preview["power_mva_given"].tolist() == [False]
    second = read(region, as_csv(("B", "乙", "光纤激光器", "7", ""), heads=heads), kind="projects")
    held = ledger.accept((), {}, first, when=NOW)
    held = ledger.accept(held.known, held.files, second, when=NOW)
    scenario = Work(catalog.scenario(), held.files).settled(tmp_path)
    assert portfolio.read(scenario.portfolio).index.tolist() == ["B"]
    middle = ledger.revert(held.known, held.files, "2")
    assert portfolio.check(tabular.read(middle.files["projects.csv"], "p.csv")).index.tolist() == ["A"]
    last = ledger.revert(held.known, held.files, "1")
    assert ledger.revert(last.known, last.files, "2").files == {}


def test_investment_in_another_unit_is_converted_and_said_or_refused_by_name(region):
    heads = ("细分环节", "年产值", "计划总投资（万元）", "税收", "需电年份", "投产年份")
    checked = read(region, as_csv(("激光雷达", "5", "45000", "0.3", "2029", "2028"), heads=heads), kind="projects")
    assert checked.is_ready
    assert checked.preview["investment_100m_yuan_likely"].tolist() == [4.5]
    assert b"4.5" in checked.files["projects.csv"] and b"45000" not in checked.files["projects.csv"]
    said = " ".join(note.zh for note in checked.notes)
    assert all(word in said for word in ("计划总投资", "换算", "“税收”没有写单位", "2029"))
    heads = ("细分环节", "年产值(亿元)", "总投资(万美元)")
    refused = read(region, as_csv(("激光雷达", "5", "700"), heads=heads), kind="projects")
    assert [(one.code, one.column) for one in refused.faults] == [("sheets.unit_not_understood", "总投资(万美元)")]


def test_faults_of_projects_are_in_the_row_and_column_of_the_file(region):
    heads = ("id", "名称", "segment", "年产值", "land_mu")
    rows = (("A", "甲", "光纤激光器", "5", ""), ("",) * 5, ("A", "乙", "???", "", "plenty"))
    found = read(region, as_csv(*rows, heads=heads), kind="projects")
    assert set(cells(found)) == {(4, "id"), (4, "segment"), (4, "年产值"), (4, "land_mu")}


# ---- substations --------------------------------------------------------------------------------------------

STATION = ("id", "name", "voltage_kv", "transformers_mva", "peak_mva", "commissioned", "lon", "lat", "feeds")


@pytest.mark.slow
def test_the_sample_stations_stand_beside_the_shipped_ones_and_feed_sites(region, tmp_path):
    content = (SAMPLE / "sample_substations.csv").read_bytes()
    found = read(region, content, "sample_substations.csv", "substations")
    assert found.faults == ()
    first = found.preview.iloc[0]
    assert [first["low"], first["likely"], first["high"]] == [0, 2, 6], "50 left of 2x50 less 53, 48 and 44 MVA"
    assert found.preview["sites"].eq("").all(), "nobody says that they feed a site: distance alone chooses none"
    assert found.notes
    content = content.replace(b",upstream,", b",upstream,feeds,", 1)
    lines = content.decode().splitlines()
    fields = [line.rsplit(",", 2) for line in lines[1:]]
    said = [",".join((head, "H08" if "示例变甲2" in head else "", *at)) for head, *at in fields]
    found = read(region, "\n".join([lines[0], *said]).encode(), "sample_substations.csv", "substations")
    assert found.faults == ()
    held = ledger.accept((), {}, found, when=NOW)
    assert all("示例" in one.source for one in held.known), "what is made up says so"
    after = prepared(held, tmp_path)
    fed = dict(zip(after.sites["id"], after.sites["station"], strict=True))
    assert fed["H08"] == "U02"
    result = study.run(after.scenario.model_copy(update={"draws": 20}))
    pools = (
        tables.pools(result).query("resource == 'power'")
        if "resource" in tables.pools(result)
        else tables.pools(result)
    )
    assert "U02" in pools.to_string()
    own = Layers(after.scenario.layers).read("substations").set_index("id")
    assert own.loc["U02", "feeds_sites"] == "H08"
    assert "示例" in own.loc["U02", "publisher"]
    assert set(Layers().read("substations")["id"]) < set(own.index)
    registered = Layers(after.scenario.layers).registry["substations"]
    assert "sample_substations.csv" in registered.producer
    assert ledger.revert(held.known, held.files, "1") == ledger.WorkData((), {})


@pytest.mark.slow
def test_a_known_station_is_updated_and_a_stated_feed_counts(region, tmp_path):
    rows = (
        ("G10", "鸭儿湖220千伏变电站", "220", "2x180", "100", "2024", "", "", ""),
        ("", "新港110千伏变电站", "110/10", "2x63", "40", "2020", "115.2", "30.2", "H01;H03"),
    )
    found = read(region, as_csv(*rows, heads=STATION), kind="substations", source="供电公司")
    assert found.faults == ()
    assert found.preview["is_new"].tolist() == [False, True]
    held = ledger.accept((), {}, found, when=NOW)
    after = prepared(held, tmp_path)
    fed = dict(zip(after.sites["id"], after.sites["station"], strict=True))
    assert fed["H01"] == fed["H03"] == "U01"
    station = Layers(after.scenario.layers).read("substations").set_index("id").loc["G10"]
    assert (station["transformer_mva"], station["status"], station["source"]) == (360, "operating", "供电公司")
    assert (station["in_service_from"], station["planned_from"]) == ("2024", ""), "what was a plan is one no more"
    assert station["publisher"] == "供电公司"
    assert station.geometry is None, "its place stays unknown"
    spare = after.observations.query("site_id == 'G10' and attribute == 'spare_mva'").iloc[0]
    assert (spare["likely"], spare["basis"]) == (80, "derived")
    on_top = read(
        after, as_csv(changed(subject="U01", attribute="可开放容量", unit="kVA", low="", likely="20000", high=""))
    )
    assert on_top.known[0].likely == 20
    more = ledger.accept(held.known, held.files, on_top, when=NOW)
    without_number = ledger.revert(more.known, more.files, "2")
    assert without_number == held
    other = as_csv(changed(subject="U01", attribute="可开放容量", unit="MVA", low="", likely="20", high=""))
    stray = [*held.known, *read(after, other).known]
    with pytest.raises(InputError, match="goes with this import"):
        ledger.revert([one for one in stray if one.source == "经开区招商局"], held.files, "1")


@pytest.mark.parametrize(
    ("cell", "column", "says"),
    [
        ({"name": ""}, "name", "is empty"),
        ({"voltage_kv": "high"}, "voltage_kv", "is no voltage"),
        ({"transformers_mva": "two"}, "transformers_mva", "can't be read"),
        ({"peak_mva": "many"}, "peak_mva", "is not a number"),
        ({"peak_mva": "900"}, "peak_mva", "below peak load"),
        ({"commissioned": "soon"}, "commissioned", "is no date"),
        ({"lon": "", "lat": ""}, "lon", "needed for a new station"),
        ({"lon": "30.2", "lat": "115.2"}, "lon", "swapped"),
        ({"lon": "100", "lat": "30"}, "lon", "outside Hubei"),
        ({"feeds": "H99"}, "feeds", "is no site"),
    ],
)
def test_each_fault_of_a_station_names_its_cell(region, cell, column, says):
    good = dict(zip(STATION, ("", "新站", "110/10", "2x63", "40", "2020", "115.2", "30.2", ""), strict=True))
    found = read(region, as_csv((good | cell).values(), heads=STATION), kind="substations")
    assert (2, column) in cells(found)
    assert any(says in fault.what for fault in found.faults)


@pytest.mark.slow
def test_a_date_to_come_is_a_plan_and_no_service(region, tmp_path):
    row = ("", "新站", "110/10", "2x63", "40", "2099", "115.2", "30.2", "")
    found = read(region, as_csv(row, heads=STATION), kind="substations", source="供电公司")
    after = prepared(ledger.accept((), {}, found, when=NOW), tmp_path)
    station = Layers(after.scenario.layers).read("substations").set_index("id").loc["U01"]
    assert (station["status"], station["in_service_from"], station["planned_from"][:4]) == ("planned", "", "2099")


def test_what_a_station_to_come_can_spare_is_what_it_will_have(region):
    row = ("", "新站", "110/10", "2x63", "40", "2099", "115.2", "30.2", "")
    found = read(region, as_csv(row, heads=STATION), kind="substations")
    assert found.known[0].high == 63 - 40, "it counts from its date on"


def test_shifted_stations_are_told_and_can_be_brought_home(region):
    from geo_cluster.world.coordinates import convert

    places = Layers().read("geonames")
    few = places[places.geometry.notna()].head(12)
    counties = Layers().read("counties")
    at = gpd.sjoin(few[["geometry"]], counties[["code", "geometry"]], predicate="within")
    lon, lat = convert(at.geometry.x, at.geometry.y, source="wgs84", target="gcj02")
    rows = [
        (f"站{k}", "110", f"{x:.7f}", f"{y:.7f}", code)
        for k, (x, y, code) in enumerate(zip(lon, lat, at["code"], strict=True))
    ]
    content = as_csv(*rows, heads=("name", "voltage_kv", "lon", "lat", "县区"))
    told = read(region, content, kind="substations")
    assert any("looks shifted" in fault.what and "GCJ02" in fault.what for fault in told.faults)
    assert read(region, content, kind="substations", crs="gcj02").faults == ()


# ---- parcels ------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".shp"])
def test_parcels_become_land_of_their_site(region, suffix):
    name = "parcels.zip" if suffix == ".shp" else f"parcels{suffix}"
    frame = parcels(status=["净地", "已供"], use=["M1", "M1"])
    found = read(region, packed(frame, suffix), name, "parcels", source="招商局")
    assert found.faults == ()
    known = {one.attribute: one for one in found.known}
    assert known["available_land_ha"].likely == pytest.approx(4, rel=1e-3), "the granted one is not on offer"
    assert known["available_land_ha"].source == "招商局"
    held = ledger.accept((), {}, found, when=NOW)
    land = tabular.read(held.files["land/land.csv"], "land.csv")
    assert len(land) == 2
    assert tabular.read(held.files["land/sites.csv"], "sites.csv")["site"].tolist() == ["H01"]


def test_chinese_attributes_of_a_shapefile_without_its_code_page(region):
    frame = parcels().rename(columns={"parcel": "地块"})
    archive = io.BytesIO(packed(frame, ".shp", encoding="gb18030"))
    bare = io.BytesIO()
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(bare, "w") as new:
        for one in old.namelist():
            if not one.endswith(".cpg"):
                new.writestr(one, old.read(one))
    found = read(region, bare.getvalue(), "p.zip", "parcels")
    assert found.faults == ()
    assert "地块" in found.table.columns


@pytest.mark.slow
def test_without_a_crs_a_file_is_refused_until_one_is_chosen(region):
    frame = parcels()
    frame = frame.set_crs(None, allow_override=True)
    content = packed(frame, ".gpkg")
    refused = read(region, content, "p.gpkg", "parcels")
    assert [fault.code for fault in refused.faults] == ["imports.no_crs_but"]
    assert refused.extra["offered"] == ("EPSG:4547",), "the one in which it lies near a site"
    for row in toml.table("imports")["crs"]:
        if row["code"].startswith("EPSG"):
            zone = packed(gpd.GeoDataFrame(parcels().to_crs(row["code"])).set_crs(None, allow_override=True), ".gpkg")
            chosen = read(region, zone, "p.gpkg", "parcels", crs=row["code"])
            assert chosen.faults == (), row["code"]
            assert chosen.known[0].likely == pytest.approx(8, rel=2e-3)
    metres = re.sub(rb'"crs":\s*\{.*?\}\s*\},', b"", packed(parcels(), ".geojson"))
    assert read(region, metres, "p.geojson", "parcels").faults[0].code == "imports.lies_elsewhere"


@pytest.mark.slow
def test_parcels_in_gcj02_are_brought_home(region):
    home = parcels().to_crs(4326)
    shifted = convert_geometry(home, source="wgs84", target="gcj02")
    found = read(region, packed(shifted), "地块_高德.geojson", "parcels")
    assert any("GCJ-02" in note.zh for note in found.notes), "the name of the file is a hint"
    land = read(region, packed(shifted), "p.geojson", "parcels", crs="gcj02").extra["gross"]
    back = land.to_crs(4547).geometry.centroid
    assert np.allclose(back.distance(home.to_crs(4547).geometry.centroid.set_axis(back.index)), 0, atol=0.5)


def test_faults_of_parcels_come_with_row_and_column(region):
    frame = parcels(
        ("H01", "H01", "H01"), 状态=["净地", "怪地", "净地"], 用途=["M1", "M1", "?"], parcel=["a", "a", "b"]
    )
    frame.loc[2, "geometry"] = frame.geometry[0].buffer(-20)
    found = read(region, packed(frame), "p.geojson", "parcels")
    assert {(2, "状态"), (3, "用途")} <= set(cells(found))
    assert any("name of an earlier row" in fault.what for fault in found.faults)
    assert any("overlaps" in fault.what for fault in found.faults)


@pytest.mark.slow
def test_parcels_find_their_site_by_place_and_far_ones_are_refused(region):
    near = read(region, packed(parcels(("", ""))), "p.geojson", "parcels")
    assert set(near.extra["belongs"]["by"]) == {"place"}
    far = read(region, packed(parcels(at=(112.0, 30.0))), "p.geojson", "parcels")
    assert far.faults[0].code == "imports.far_from_site"
    assert far.faults[0].values["site"] == "H01"
    assert far.faults[0].values["km"] > 100
    named = read(region, packed(parcels(("某园", "某园"))), "p.geojson", "parcels", belongs={"某园": "H02"})
    assert named.extra["belongs"][["site", "by"]].to_numpy().tolist() == [["H02", "chosen"]]


@pytest.mark.slow
def test_rules_take_what_they_take(region):
    rules = ((SAMPLE / "sample_rules.csv").read_bytes(), (SAMPLE / "sample_exclusions.gpkg").read_bytes())
    content = (SAMPLE / "sample_parcels.geojson").read_bytes()
    bare = read(region, content, "sample_parcels.geojson", "parcels").extra["sites"].set_index("site")
    found = read(region, content, "sample_parcels.geojson", "parcels", rules=rules)
    sites = found.extra["sites"].set_index("site")
    lost = sites[[column for column in sites if column.startswith("lost_")]].sum(axis=1)
    assert np.allclose(sites["net_ha"] + lost, bare["net_ha"], atol=1e-3)
    assert lost.min() > 1
    assert "示例" in found.source
    spoilt = read(region, content, "p.geojson", "parcels", rules=(b"name,layer,buffer_m\na,nowhere,x\n", rules[1]))
    assert len(spoilt.faults) == 2
    assert "/tmp" not in "".join(map(str, spoilt.faults))


def test_a_list_of_areas_will_do(region):
    rows = (("黄石经济技术开发区·铁山区", "a", "净地", "150"), ("H01", "b", "已供", "90"), ("H03", "c", "闲置", "30"))
    content = as_csv(*rows, heads=("所属园区", "地块", "状态", "面积(亩)"))
    found = read(region, content, "地块.csv", "parcels")
    assert found.faults == ()
    land = {one.subject: one for one in found.known if one.attribute == "available_land_ha"}
    assert (land["H01"].likely, land["H03"].likely, land["H01"].basis) == (10, 2, "reported")
    again = ("黄石经济技术开发区·铁山区", "a", "净地", "1亩")
    rows = (("H99", "a", "?", "many"), ("H01", "a", "净地", ""), again)
    bad = as_csv(*rows, heads=("site", "parcel", "status", "area"))
    assert {(2, "site"), (2, "status"), (2, "area"), (3, "area"), (4, "parcel")} == set(
        cells(read(region, bad, kind="parcels"))
    )


@pytest.mark.slow
def test_outlines_in_a_table(region):
    shape = parcels(("H01",)).to_crs(4490).geometry[0]
    content = as_csv(("H01", "a", shape.wkt), ("H01", "b", "POLYGON (("), heads=("site", "parcel", "wkt"))
    assert cells(read(region, content, kind="parcels", crs="EPSG:4490")) == [(3, "wkt")]
    good = as_csv(("H01", "a", shape.wkt), heads=("site", "parcel", "wkt"))
    assert read(region, good, kind="parcels", crs="EPSG:4490").known[0].likely == pytest.approx(4, rel=1e-3)
    open_ = read(region, good, kind="parcels")
    assert [fault.code for fault in open_.faults] == ["imports.no_crs_but"]
    assert open_.extra["offered"] == ("EPSG:4326", "EPSG:4490")


@pytest.mark.slow
def test_the_latest_survey_of_a_site_counts(region):
    first = read(region, packed(parcels(("H01", "H03"), at=(115.09, 30.16))), "1.geojson", "parcels", belongs={})
    held = ledger.accept((), {}, first, when=NOW)
    second = read(region, packed(parcels(("H01",))), "2.geojson", "parcels")
    held = ledger.accept(held.known, held.files, second, when=NOW)
    land = tabular.read(held.files["land/land.csv"], "l.csv")
    assert sorted(land["site"]) == ["H01", "H03"]
    back = ledger.revert(held.known, held.files, "2")
    assert len(tabular.read(back.files["land/land.csv"], "l.csv")) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sample_parcels.geojson", "parcels"),
        ("sample_substations.csv", "substations"),
        ("sample_rules.csv", "rules"),
        ("sample_exclusions.gpkg", "exclusions"),
    ],
)
def test_the_kind_of_a_file_is_seen(name, kind):
    assert guess((SAMPLE / name).read_bytes(), name) == kind


# ---- files of earlier versions ------------------------------------------------------------------------------


def test_words_of_earlier_versions_are_still_understood(region):
    old = read(region, as_csv(changed(attribute="最大连片净地", basis="公开")), "a.csv")
    new = read(region, as_csv(changed(attribute="最大连片可建设用地", basis="公布")), "a.csv")
    assert old.faults == new.faults == ()
    assert old.known == new.known
    assert (old.known[0].attribute, old.known[0].basis) == ("largest_piece_ha", "published")
    tonnes = [
        read(region, as_csv(changed(subject="420200", attribute="能耗指标余量", unit=unit)), "a.csv").known
        for unit in ("吨标煤/年", "吨标准煤/年")
    ]
    assert tonnes[0] == tonnes[1] != ()


@pytest.mark.parametrize("power", ["受电容量(MVA)", "报装容量(MVA)"])
def test_projects_with_headings_of_earlier_versions_are_read(region, power):
    heads = ("环节", "年产值(亿元)", power, "最长车程(分钟)")
    checked = read(region, f"{','.join(heads)}\n激光雷达,3,5,90\n".encode(), "p.csv", kind="projects")
    assert checked.faults == ()
    (row,) = checked.preview.itertuples()
    assert (row.segment, row.power_mva_likely, row.max_minutes) == ("lidar", 5, 90)
    assert "环节" not in checked.files["projects.csv"].decode("utf-8-sig").replace("细分环节", "")


# ---- in the reader's language -------------------------------------------------------------------------------


def test_a_fault_of_a_cell_is_told_in_both_languages(region):
    (fault,) = read(region, as_csv(changed(low="x")), "a.csv").faults
    assert str(fault.words("zh")) == "a.csv 第 2 行“下限”列: 'x' 不是数 → 写 30，或区间 25-35"
    (fault,) = read(region, as_csv(changed(subject="G10")), "a.csv").faults
    assert fault.words("zh").what == "可供工业用地属于园区，而 G10 是变电站"
    land = catalog.attributes()["available_land_ha"].name.en
    assert fault.words("en").what == f"{land} belongs to a site, and G10 is a substation"


NAMES = ["row 99.csv", "a, row 5, column x.csv", "x row 7, column 名称.csv", "row 2 (x).csv"]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_names_that_speak_of_rows_and_columns_are_only_names(region, name):
    heads = ("id", "名称", "segment", "年产值", "land_mu, column y")
    rows = (("A", "row 8", "光纤激光器", "5", ""), ("A", "column z", "???", "", "plenty"))
    found = read(region, as_csv(*rows, heads=heads), name, kind="projects")
    assert set(cells(found)) == {(3, "id"), (3, "segment"), (3, "年产值")}
    assert {fault.place.name for fault in found.faults} == {name}
    frame = parcels(("H01", "H01"), 状态=["净地", "怪地"], parcel=["row 1", ", row 9, column 用途"])
    assert cells(read(region, packed(frame), f"{name}.geojson", kind="parcels")) == [(2, "状态")]
    (empty,) = read(region, b"", name).faults
    assert (empty.row, empty.column) == (0, "")
    assert empty.place.name == name
    stations = as_csv(("S1", "row 4", "x", "50", "30", "", "114.9", "30.4", ""), heads=STATION)
    assert set(cells(read(region, stations, name, kind="substations"))) == {(2, "voltage_kv")}


def test_a_heading_that_speaks_of_a_column_is_only_a_heading(region):
    heads = tuple("最可能 / likely, column y" if head == "最可能" else head for head in HEADS)
    heads = tuple("下限(x, column y)" if head == "下限" else head for head in heads)
    found = read(region, as_csv(changed(low="x"), heads=heads), "a.csv")
    assert (2, "下限(x, column y)") in cells(found)
    assert found.faults[-1].place.name == "a.csv"


def test_what_a_file_is_its_content_says():
    assert tabular.read("编号,名称\n1,a\n".encode(), "really a text.xlsx")["名称"].tolist() == ["a"]
    assert tabular.read(as_xlsx(GOOD), "really a workbook.csv")["对象"].tolist() == ["H01"]
    with pytest.raises(InputError, match="no heading row"):
        tabular.read(b"this is not a table", "junk.xlsx")


# ---- hostile files ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_of_very_many_faults_the_first_are_kept_and_the_others_counted(region):
    bad = changed(subject="nowhere", likely="x")
    checked = read(region, as_csv(*[bad] * 3_000))
    assert len(checked.faults) == MOST + 1
    assert (checked.faults[-1].code, checked.faults[-1].values) == ("common.more", {"count": 5_000})
    table = "细分环节,年产值(亿元)\n" + "x,y\n" * 3_000
    checked = read(region, table.encode(), name="p.csv", kind="projects")
    assert len(checked.faults) == MOST + 1
    assert (checked.faults[-1].code, checked.faults[-1].values) == ("common.more", {"count": 5_000})


@pytest.mark.slow
def test_very_many_parcels_with_words_of_their_own_are_counted(region):
    content = parcels(["H01"] * 1_500, at=(115.0, 30.15), status=["whatever"] * 1_500, use=["?"] * 1_500)
    content.geometry = [
        translate(one, -25_000 * (k // 100), 250 * (k // 100)) for k, one in enumerate(content.geometry)
    ]
    checked = read(region, packed(content), name="p.geojson", kind="parcels")
    assert len(checked.faults) == MOST + 1
    assert checked.faults[0].row == 1
    assert checked.faults[-1].code == "common.more"


TRIANGLE = "POLYGON ((115.08 30.15, 115.081 30.15, 115.081 30.151, 115.08 30.15))"


@pytest.mark.slow
@pytest.mark.parametrize(
    "outline",
    [
        "LINEARRING (0 0, 1 0, 1 1, 0 0)",
        "CIRCULARSTRING (0 0, 1 0, 1 1)",
        "CURVEPOLYGON (CIRCULARSTRING (0 0, 1 0, 1 1, 0 1, 0 0))",
        "MULTISURFACE (((0 0, 1 0, 1 1, 0 0)))",
        "GEOMETRYCOLLECTION (LINEARRING (0 0, 1 0, 1 1, 0 0))",
    ],
)
def test_an_outline_with_a_curve_is_told_with_its_row(region, outline):
    content = as_csv(("H01", "a", TRIANGLE), ("H01", "b", outline), heads=("site", "parcel", "outline"))
    checked = read(region, content, name="p.csv", kind="parcels", crs="EPSG:4326")
    assert [(fault.row, fault.code) for fault in checked.faults] == [(3, "imports.not_an_outline")]


@pytest.mark.slow
@pytest.mark.parametrize("crs", ["EPSG:1", 'LOCAL_CS["x",UNIT["m",1]]', "IAU_2015:30100", "EPSG:5703", "EPSG:4978"])
@pytest.mark.parametrize("name", ["p.csv", "p.geojson"])
def test_a_chosen_crs_that_places_nothing_is_told(region, crs, name):
    table = as_csv(("H01", "a", TRIANGLE), heads=("site", "parcel", "outline"))
    content = table if name == "p.csv" else packed(parcels().to_crs(4326))
    checked = read(region, content, name=name, kind="parcels", crs=crs)
    assert checked.faults
    assert not checked.is_ready


def test_land_on_the_other_side_of_the_world_is_told(region):
    checked = read(region, packed(parcels().to_crs(4326).translate(-230)), name="p.geojson", kind="parcels")
    assert "longitude -114.9" in checked.faults[0].what
    assert "经度" in checked.faults[0].words("zh").what


@pytest.mark.parametrize("transformers", ["0x63", "-2x50", "999999999x1"])
def test_no_and_too_many_transformers_are_told(region, transformers):
    heads = ("name", "voltage_kv", "transformers_mva", "peak_mva", "lon", "lat")
    row = ("新站", "110", transformers, "20", "115.08", "30.15")
    checked = read(region, as_csv(row, heads=heads), name="s.csv", kind="substations")
    (fault,) = checked.faults
    assert (fault.row, fault.column, fault.values["value"]) == (2, "transformers_mva", transformers)
