import dataclasses
import datetime as dt
import errno
import hashlib
import html
import io
import json
import os
import re
import tomllib
import zipfile

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import tomli_w
from markdown_it import MarkdownIt

from app.texts import text
from geo_cluster import study
from geo_cluster.archive import zipped
from geo_cluster.errors import InputError
from geo_cluster.export import all_or_none, bundle, geopackage, preview
from geo_cluster.export.attribution import attribution, layers_attribution
from geo_cluster.export.csv_tables import SAMPLE as NOTICE
from geo_cluster.export.csv_tables import csv_tables
from geo_cluster.export.phone_list import phone_list
from geo_cluster.export.sheet import WORDS, sheet
from geo_cluster.export.workbook import SHEETS
from geo_cluster.region import pool_name
from geo_cluster.report import explanation
from geo_cluster.report import tables as report_tables
from geo_cluster.world import catalog, layers
from geo_cluster.world.layers import Layers, row_layers
from geo_cluster.world.spreadsheet import as_csv, as_xlsx
from tests.studies import run, write_own

SAMPLE = "示例"


@pytest.fixture(scope="module")
def default():
    return run()


@pytest.fixture(scope="module")
def out(default, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "deep" / "out"
    bundle.write(default, folder)
    return folder


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def table(folder, name):
    return pd.read_csv(folder / name, encoding="utf-8-sig")


# ---- the folder: all or nothing -----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_study_of_which_every_number_is_known_asks_for_none_and_is_handed_over_whole(default, language):
    seen = default.observations
    exact = dataclasses.replace(default.region, observations=seen.assign(low=seen["likely"], high=seen["likely"]))
    known = dataclasses.replace(default, region=exact)
    files = bundle.study_files(known, language=language)
    asked = pd.read_csv(io.BytesIO(files["data_request.csv"]))
    assert asked["low"].isna().all(), "only what is no number is asked, such as which station feeds a site"
    assert set(files) >= set(bundle.FILES)
    assert phone_list(report_tables.requests(known), language).empty


@pytest.mark.slow
def test_every_promised_file_is_there_and_nothing_else(out):
    assert {path.name for path in out.iterdir()} == set(bundle.FILES)
    assert [path.name for path in out.parent.iterdir()] == ["out"], "a draft folder was left behind"
    listed = json.loads((out / "study.json").read_text(encoding="utf-8"))["files"]
    assert {*listed, "study.json"} == set(bundle.FILES)


def coded(code):
    """Whether a refusal has one fault, of this code."""
    return lambda refusal: [fault.code for fault in refusal.faults] == [code]


STEPS = ("csv_tables", "write_geopackage", "scenario_toml", "attribution")


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_fails_leaves_no_trace(step, default, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    out = tmp_path / "new" / "out"
    monkeypatch.setattr(bundle, step, fail)
    with pytest.raises(InputError, check=coded("export.not_written")):
        bundle.write(default, out)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), ValueError("a bug")])
def test_a_step_that_fails_leaves_earlier_files_as_they_were(error, default, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise error

    (tmp_path / "ranking.csv").write_text("earlier", encoding="utf-8")
    (tmp_path / "notes.docx").write_text("somebody's own", encoding="utf-8")
    before = content(tmp_path)
    monkeypatch.setattr(bundle, "attribution", fail)
    with pytest.raises(InputError if isinstance(error, OSError) else ValueError):
        bundle.write(default, tmp_path)
    assert content(tmp_path) == before


@pytest.mark.slow
def test_a_file_that_cannot_be_replaced_puts_the_others_back(default, tmp_path):
    (tmp_path / "ATTRIBUTION.md").write_text("earlier", encoding="utf-8")
    (tmp_path / "study.json").mkdir()
    (tmp_path / "study.json" / "inside").write_text("kept", encoding="utf-8")
    with pytest.raises(InputError, check=coded("export.folder_in_the_way")):
        bundle.write(default, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"ATTRIBUTION.md", "study.json"}
    assert (tmp_path / "ATTRIBUTION.md").read_text(encoding="utf-8") == "earlier"
    assert (tmp_path / "study.json" / "inside").read_text(encoding="utf-8") == "kept"


@pytest.mark.slow
def test_new_files_take_the_place_of_earlier_ones_and_leave_foreign_ones_alone(default, out, tmp_path):
    (tmp_path / "ranking.csv").write_text("earlier", encoding="utf-8")
    (tmp_path / "notes.docx").write_text("somebody's own", encoding="utf-8")
    bundle.write(default, tmp_path)
    assert (tmp_path / "ranking.csv").read_bytes() == (out / "ranking.csv").read_bytes()
    assert (tmp_path / "notes.docx").read_text(encoding="utf-8") == "somebody's own"
    assert {path.name for path in tmp_path.iterdir()} == {*bundle.FILES, "notes.docx"}


def test_out_that_is_a_file_is_refused_and_kept(default, tmp_path):
    out = tmp_path / "out"
    out.write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, check=coded("export.no_folder")):
        bundle.write(default, out)
    assert out.read_text(encoding="utf-8") == "mine"


def test_out_below_a_file_is_refused(default, tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, check=coded("export.not_written")):
        bundle.write(default, tmp_path / "file" / "out")


def test_out_without_rights_is_refused(default, tmp_path, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(all_or_none.tempfile, "mkdtemp", denied)
    with pytest.raises(InputError, check=coded("export.not_written")):
        all_or_none.check_writable(tmp_path / "new")


@pytest.mark.slow
def test_a_geopackage_that_cannot_be_written_is_refused(default, tmp_path, monkeypatch):
    def full(*_, **__):
        raise pyogrio.errors.DataSourceError("disk I/O error")

    monkeypatch.setattr(geopackage.pyogrio, "write_dataframe", full)
    with pytest.raises(InputError, check=coded("export.not_written")):
        bundle.write(default, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


# ---- tables -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_tables_open_in_a_spreadsheet(out):
    for path in out.glob("*.csv"):
        raw = path.read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf"), f"{path.name}: no byte-order mark, so a spreadsheet garbles Chinese"
        assert raw.decode("utf-8-sig").count("\r\n") == len(pd.read_csv(path)) + 1


@pytest.mark.slow
def test_the_same_scenario_gives_the_same_bytes(default, out):
    again = study.run(catalog.scenario("default"))
    assert again is not default
    for name, raw in csv_tables(again).items():
        assert raw == (out / name).read_bytes(), name


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1"])
def test_formulas_of_a_table_are_inert(cell):
    raw = as_csv(pd.DataFrame({"name": [cell], "score": [-1.5]}))
    read = pd.read_csv(io.BytesIO(raw), encoding="utf-8-sig", dtype=str, lineterminator="\n")
    assert read["name"][0].startswith("'" + cell[0])
    assert read.iloc[0, 1].strip() == "-1.5", "numbers stay numbers"


def test_contributions_add_up_to_the_score(out):
    ranking, parts = table(out, "ranking.csv"), table(out, "contributions.csv")
    total = parts.groupby(["project", "site"])["points"].sum()
    scored = ranking.set_index(["project", "site"])["score"]
    assert len(scored) == len(ranking) == 30 * 33
    np.testing.assert_allclose(scored, total.loc[scored.index], atol=1e-3)
    np.testing.assert_allclose(parts["points"], 100 * parts["value"] * parts["weight"], atol=1e-3)


def test_ranking_has_the_promised_columns_and_order(out):
    ranking = table(out, "ranking.csv")
    promised = {"project", "site", "score", "low", "high", "rank", "eligible", "reason"}
    assert promised <= set(ranking.columns)
    refused = ranking[~ranking["eligible"]]
    short = refused["rule"].str.endswith("_short") if "rule" in refused else refused["reason"].str.contains("不足")
    assert refused.loc[short, "reason"].str.contains(r"\d", regex=True).all(), "a shortage names its number"
    assert refused["reason"].str.len().gt(5).all()
    assert ranking.loc[ranking["eligible"], "rank"].notna().all()
    between = ranking.dropna(subset=["score"])
    assert (between["low"] <= between["score"] + 1e-9).all()
    assert (between["score"] <= between["high"] + 1e-9).all()


@pytest.mark.slow
def test_assignment_and_unplaced_are_all_projects_once(tmp_path):
    found = csv_tables(run("cautious"))
    placed, left = (
        pd.read_csv(io.BytesIO(found[name]), encoding="utf-8-sig") for name in ("assignment.csv", "unplaced.csv")
    )
    assert sorted([*placed["project"], *left["project"]]) == sorted(run("cautious").projects.index)
    assert len(left), "the cautious scenario leaves somebody out"
    assert left["reason"].str.len().gt(5).all()
    assert left["reason_en"].str.contains("[a-z]").all()


# ---- the scenario goes round --------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_written_scenario_gives_the_study_again(default, out):
    again = study.run(catalog.scenario(out / "scenario.toml"))
    assert again.scenario == default.scenario
    assert csv_tables(again) == {name: (out / name).read_bytes() for name in csv_tables(again)}


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_portfolio_of_ones_own_goes_round(suffix, tmp_path):
    first = study.run(catalog.scenario(write_own(tmp_path / "mine", suffix)))
    bundle.write(first, tmp_path / "out")
    moved = (tmp_path / "out").rename(tmp_path / "elsewhere")
    for path in (tmp_path / "mine").iterdir():
        path.unlink()
    again = study.run(catalog.scenario(moved / "scenario.toml"))
    assert again.scenario.id == first.scenario.id
    assert csv_tables(again) == csv_tables(first)
    assert str(tmp_path) not in (moved / "scenario.toml").read_text(encoding="utf-8")


@pytest.mark.slow
def test_layers_of_ones_own_go_along_in_the_app(tmp_path):
    layer, path = Layers().registry["sites"], write_own(tmp_path / "mine")
    content = (catalog.data_dir() / layer.file).read_bytes().replace(b"E03", b"E93")
    row = layer.model_dump(mode="json") | {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    own = tmp_path / "mine" / "own"
    own.mkdir()
    (own / layer.file).write_bytes(content)
    (own / "sources.toml").write_text(tomli_w.dumps({"layers": {"sites": row}}), encoding="utf-8")
    (own / "private.key").write_text("nobody else's", encoding="utf-8")
    path.write_text(f'layers = "own"\n{path.read_text(encoding="utf-8")}', encoding="utf-8")
    first = study.run(catalog.scenario(path))
    zipfile.ZipFile(io.BytesIO(zipped(bundle.study_files(first)))).extractall(tmp_path / "elsewhere")
    handed = {one.name for one in (tmp_path / "elsewhere" / "layers").iterdir()}
    assert handed == {layer.file, "sources.toml"}, "a file that is not registered went along"
    (own / layer.file).unlink()
    again = study.run(catalog.scenario(tmp_path / "elsewhere" / "scenario.toml"))
    assert "E93" in set(again.sites["id"])
    assert again.scenario.id == first.scenario.id
    assert csv_tables(again) == csv_tables(first)
    assert str(tmp_path) not in (tmp_path / "elsewhere" / "scenario.toml").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_portfolio_named_like_a_result_is_refused(tmp_path):
    path = write_own(tmp_path)
    (tmp_path / "own.csv").rename(tmp_path / "ranking.csv")
    path.write_text(path.read_text(encoding="utf-8").replace("own.csv", "ranking.csv"), encoding="utf-8")
    with pytest.raises(InputError, check=coded("export.name_taken")):
        bundle.write(study.run(catalog.scenario(path)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_names_of_ones_own_cannot_be_formulas_or_markup(tmp_path):
    result = study.run(catalog.scenario(write_own(tmp_path)))
    bundle.write(result, tmp_path / "out")
    for path in (tmp_path / "out").glob("*.csv"):
        if path.name == "own.csv":
            continue  # the user's own file, byte for byte
        cells = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig").to_numpy().ravel()
        assert not [cell for cell in cells if cell[:1] in tuple("=@+")], path.name
    assert "</script><b>" not in (tmp_path / "out" / "map.html").read_text(encoding="utf-8")
    for name in ("ranking.csv", "study.json", "ATTRIBUTION.md", "map.html"):
        assert SAMPLE not in (tmp_path / "out" / name).read_text(encoding="utf-8"), f"{name} calls a real plan a sample"


# ---- layers.gpkg --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_geopackage_reads_back_with_every_layer(out, default):
    path = out / "layers.gpkg"
    found = dict(pyogrio.list_layers(path))
    assert set(found) == {*Layers().registry, "plan"}
    for name, kind in found.items():
        frame = pyogrio.read_dataframe(path, layer=name)
        if kind is None:
            assert Layers().registry[name].geometry == "none"
            assert len(frame) == Layers().registry[name].rows
            continue
        assert frame.crs.to_string() == "EPSG:4326", name
        assert len(frame) == (
            len(report_tables.assignment(default)) if name == "plan" else Layers().registry[name].rows
        ), name
        if name != "plan":
            same = Layers().read(name).geometry
            assert frame.geometry.isna().sum() == same.isna().sum()
            assert frame.geometry.geom_equals(same).sum() == same.notna().sum(), name


def test_each_layer_of_the_geopackage_names_its_source(out):
    for name, layer in Layers().registry.items():
        about = pyogrio.read_info(out / "layers.gpkg", layer=name)["layer_metadata"]
        assert about["source"] == layer.producer
        assert about["licence"] == layer.licence
        assert about["attribution"] == layer.attribution_en
        named = set(about["publishers"].split("；"))
        assert named == {part for cell in Layers().read(name)["publisher"] for part in cell.split("；")}
        assert "://" not in about["publishers"]


def test_plan_lines_run_from_the_anchor_to_the_sites(out, default):
    plan = gpd.read_file(out / "layers.gpkg", layer="plan").set_index("project")
    sites = default.sites.set_index("id").geometry
    for project, row in plan.iterrows():
        assert row.geometry.coords[0] == default.anchor.geometry.coords[0], project
        assert row.geometry.coords[-1] == sites[row["site"]].coords[0], project


@pytest.mark.slow
def test_a_plan_that_places_nobody_is_an_empty_layer(default, tmp_path):
    nobody = dataclasses.replace(default, plan=dataclasses.replace(default.plan, site=np.full(30, -1)))
    geopackage.write_geopackage(nobody, tmp_path / "layers.gpkg")
    plan = pyogrio.read_dataframe(tmp_path / "layers.gpkg", layer="plan")
    assert len(plan) == 0
    assert {"project", "site", "score", "notice"} <= set(plan.columns)


# ---- sources and the sample notice --------------------------------------------------------------------------


def test_every_file_about_the_sample_says_so(out):
    for name in ("ranking.csv", "assignment.csv", "unplaced.csv", "contributions.csv", "pools.csv"):
        heading, *rows = (out / name).read_text(encoding="utf-8-sig").splitlines()
        assert heading.endswith(",notice"), name
        assert all(SAMPLE in row for row in rows), name
    assert json.loads((out / "study.json").read_text(encoding="utf-8"))["notice"] == NOTICE
    assert NOTICE in (out / "ATTRIBUTION.md").read_text(encoding="utf-8")
    assert '"sample":"示例"' in (out / "map.html").read_text(encoding="utf-8")
    plan = pyogrio.read_dataframe(out / "layers.gpkg", layer="plan")
    assert plan["notice"].str.contains(SAMPLE).all()
    assert SAMPLE in pyogrio.read_info(out / "layers.gpkg", layer="plan")["layer_metadata"]["notice"]
    assert tomllib.loads((out / "scenario.toml").read_text(encoding="utf-8"))["portfolio"] == "sample"


def test_attribution_names_every_layer(default):
    text = attribution(default)
    for layer in Layers().registry.values():
        row = next(line for line in text.splitlines() if layer.title_zh in line and layer.sha256[:16] in line)
        for owed in (layer.title_en, layer.producer, layer.licence, layer.attribution_en, layer.as_of):
            assert owed.replace("|", "/") in row
    assert "审图号" in text
    rows = sum(len(Layers().read(name)) for name in row_layers(Layers().registry))
    assert f"{rows:,} 行" in text
    assert f"{rows:,} rows" in text
    links = re.findall(r"\]\((.*?)\)", text)
    assert set(links) <= {layer.licence_url for layer in Layers().registry.values()}, "no link but to a licence"


def test_study_json_says_what_was_run_and_proven(out, default):
    told = json.loads((out / "study.json").read_text(encoding="utf-8"))
    assert told["scenario_id"] == default.scenario.id
    assert told["violations"] == []
    assert told["status"] == "optimal"
    assert told["objective"] <= told["bound"] + 1e-6
    assert told["placed"] == len(table(out, "assignment.csv"))
    assert told["eligible_pairs"] == int(table(out, "ranking.csv")["eligible"].sum())
    for name, digest in told["inputs"].items():
        assert name == "portfolio" or digest == Layers().registry[name].sha256


ATTACK = "=cmd|' /C calc'!A0"


def test_a_spreadsheet_runs_no_formula():
    table = pd.DataFrame({"name": [ATTACK, "+1", "ok"], "n": [1, -2, 3]})
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx({"a": table})))
    assert [cell.value for cell in book["a"]["A"]] == ["name", f"'{ATTACK}", "'+1", "ok"]
    assert {cell.data_type for row in book["a"].iter_rows(min_row=2) for cell in row} == {"s", "n"}
    assert [cell.value for cell in book["a"]["B"]] == ["n", 1, -2, 3]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_list_to_telephone_with_has_question_interval_and_whom_to_ask(language):
    asked = report_tables.requests(run())
    table = phone_list(asked, language)
    assert len(table) == len(asked)
    assert table.iloc[:, 1].tolist() == asked[f"subject_{language}"].tolist()
    assert table.iloc[:, 4].str.len().gt(0).all()
    times = [15.0 if key == "available_land_ha" else 1.0 for key in asked["attribute"]]
    ends = asked[["low", "likely", "high"]].to_numpy(float) * np.array(times)[:, None]
    np.testing.assert_allclose(table.iloc[:, 5:8].to_numpy(float), ends, rtol=5e-4)


def test_intervals_are_told_in_the_unit_that_the_question_asks_for(default):
    asked = report_tables.requests(default).reset_index(drop=True)
    at = asked.index[asked["attribute"] == "available_land_ha"][0]
    assert "亩" in asked["question_zh"][at]
    low, high = (float(f"{asked[end][at] * 15:.4g}") for end in ("low", "high"))
    assert f"{low:,.12g}–{high:,.12g} 亩" in sheet(default)
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx({"a": phone_list(asked, "zh")})))["a"]
    row = [cell.value for cell in book[int(at) + 2]]
    assert (row[5], row[7], row[8]) == (low, high, "亩"), "no digits that nobody knows"
    csv = pd.read_csv(io.BytesIO(csv_tables(default)["data_request.csv"]))
    assert csv.loc[at, ["low", "high", "unit_en"]].tolist() == [low, high, "mu"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_sheet_tells_the_plan_and_needs_nothing_from_outside(language):
    result = run()
    page = sheet(result, language=language)
    names = result.region.names
    for row in report_tables.assignment(result).itertuples():
        assert f"{row.project_name} ({row.project})" in page
        assert names[row.site][language] in page
    assert SAMPLE in page
    assert result.scenario.id in page
    assert not re.search(r"<script|<link|<img|https?://|url\(", page)


@pytest.mark.slow
def test_hostile_names_on_the_sheet_are_escaped():
    result = run()
    attack = "</td></html><script>x</script>"
    hostile = dataclasses.replace(result, projects=result.projects.assign(name=attack))
    page = sheet(hostile)
    assert "<script" not in page
    assert html.escape(attack) in page


@pytest.mark.slow
def test_layers_go_out_with_their_registry_and_the_same_zip_twice():
    files = bundle.layer_files(Layers())
    for layer in Layers().registry.values():
        assert hashlib.sha256(files[layer.file]).hexdigest() == layer.sha256
        assert layer.licence in files["ATTRIBUTION.md"].decode()
    assert set(tomllib.loads(files["sources.toml"].decode())["layers"]) == set(Layers().registry)
    some = {name: files[name] for name in ("ATTRIBUTION.md", "ports.csv")}
    assert zipped(some) == zipped(some)
    assert zipfile.ZipFile(io.BytesIO(zipped(some))).read("ports.csv") == files["ports.csv"]


@pytest.mark.slow
def test_a_preview_is_a_table_or_none_and_what_is_spoilt_is_refused(tmp_path):
    files = bundle.layer_files(Layers())
    assert len(preview.table_of("ports.csv", files["ports.csv"])) == Layers().registry["ports"].rows
    assert "name_zh" in preview.table_of("province.geojson", files["province.geojson"])
    assert preview.table_of("map.html", files["map.html"]) is None
    with pytest.raises(InputError, match="can't be read"):
        preview.table_of("x.geojson", b"{")
    with pytest.raises(InputError, check=coded("export.unreadable")):
        preview.table_of("x.gpkg", b"no package")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_sheet_says_how_surely_the_plan_holds_and_when_it_was_made(language):
    result = dataclasses.replace(run(), day=dt.date(2026, 11, 5))
    page, found = sheet(result, language=language), explanation.feasibility_table(result)
    assert f"<b>{1 - found['breaks'].iloc[0]:.0%}</b>" in page
    assert html.escape(result.region.names[found["pool"].iloc[1]][language]) in page
    assert "2026-11-05" in page


@pytest.mark.slow
def test_a_plan_that_is_feasible_in_every_draw_names_no_pool():
    assert explanation.feasibility_table(run("cautious"))["breaks"].iloc[0] == 0
    assert "最先不足" not in sheet(run("cautious"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_sheet_speaks_in_the_words_of_the_app(language):
    said = WORDS[language]
    same = dict.fromkeys(("placed", "proof", "optimal", "feasible", "check", "assumed", "breaks_first", "level"))
    same |= {"objective": "", "feasible_in": "feasible_text", "no_violation": "check_ok", "violations": "check_bad"}
    assert {key: said[key] for key in same} == {key: text(f"match.{of or key}", language) for key, of in same.items()}
    assert layers.words("planning_level")["cautious"][language] in sheet(run("cautious"), language=language)


@pytest.mark.slow
def test_the_sheet_warns_of_a_plan_that_is_seldom_feasible():
    hopeful = study.run(catalog.scenario().model_copy(update={"planning_level": "hopeful", "draws": 200}))
    assert "<p class=warned>" in sheet(hopeful)
    assert "<p class=warned>" not in sheet(run("cautious"))


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_tables_for_people_are_in_their_language(default, language):
    made = bundle.study_files(default, language=language)
    book = openpyxl.load_workbook(io.BytesIO(made["tables.xlsx"]))
    assert book.sheetnames == [words[language == "en"] for words in SHEETS.values()]
    headings = [str(cell.value) for page in book for cell in page[1]]
    chinese = [bool(re.search(r"[\u4e00-\u9fff]", heading)) for heading in headings]
    assert all(chinese) if language == "zh" else not any(chinese)
    site = default.region.names[report_tables.assignment(default)["site"].iloc[0]][language]
    about, plan = book.worksheets[:2]
    assert site in [cell.value for cell in plan["D"]]
    count = len(report_tables.assignment(default))
    assert plan.max_row == count + 2, "headings, rows, total"
    assert plan.auto_filter.ref == plan.dimensions.replace(str(count + 2), str(count + 1))
    assert {cell.number_format for cell in plan["E"][1 : count + 1]} == {"#,##0.0"}
    told = {row[0].value: row[1].value for row in about}
    assert told[WORDS[language]["placed"]] == f"{len(report_tables.assignment(default))} / {len(default.projects)}"
    assert told[WORDS[language]["day"]] == default.day.isoformat()
    assert NOTICE in told.values()
    assert preview.table_of("tables.xlsx", made["tables.xlsx"]).columns[0] == headings[0]


@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://evil.example/x", "data:text/html,x) [y](z"])
def test_nothing_that_a_user_wrote_is_a_link_in_the_attribution(address, monkeypatch):
    evil = "[x](https://evil.example) | https://evil.example www.evil.example a@evil.example ![](//e/p) <b> `c`\n# d"
    shipped = Layers().registry
    given = {"licence_url": address, "title_zh": evil, "producer": evil, "licence": evil, "attribution_en": evil}
    own = shipped["sites"].model_copy(update=given)
    layers = Layers()
    monkeypatch.setattr(layers, "registry", {"sites": own, "ports": shipped["ports"]})
    monkeypatch.setattr(layers, "read", Layers().read)
    told = layers_attribution(layers)
    (row,) = [line for line in told.splitlines() if "evil" in line]
    assert row.count(" | ") == 5, "a name is one cell"
    assert not re.search(r"https?://|www\.|\w@\w", row), "an address would become a link"
    marks = [one for token in MarkdownIt().enable("table").parse(told) for one in token.children or ()]
    assert [one.attrs["href"] for one in marks if one.type == "link_open"] == [shipped["ports"].licence_url]
    assert {one.type for one in marks} <= {
        "text",
        "softbreak",
        "code_inline",
        "link_open",
        "link_close",
        "text_special",
    }


def test_pools_go_out_with_their_names(default, out):
    pools = table(out, "pools.csv")
    names = [pool_name(default.region, *key) for key in zip(pools["resource"], pools["pool"].astype(str), strict=True)]
    assert pools["pool_zh"].tolist() == [name.zh for name in names]
    assert pools["pool_en"].tolist() == [name.en for name in names]
