"""The briefing pack: what is in it, what it is called, and what is refused."""

import contextlib
import dataclasses
import io
import pickle
import subprocess
import threading
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from geo_cluster import study, toml
from geo_cluster.archive import file_name, zipped
from geo_cluster.box.limits import Limits, limits
from geo_cluster.errors import DataError, Fault, InputError
from geo_cluster.export import bundle, pack
from geo_cluster.export.beside import beside
from geo_cluster.export.briefing_tables import levels_of
from geo_cluster.export.outline import outline
from geo_cluster.export.template import Template
from geo_cluster.world import catalog, portfolio
from tests.studies import run

LANGUAGES = ("zh", "en")
ARCHIVED = {*bundle.FILES} - {*bundle.DRAWN} | {"holds.csv", "city_prices.csv", "alternatives.csv"}


@pytest.fixture(scope="module")
def small():
    scenario = catalog.scenario().model_copy(update={"sites": ("E01", "H01", "H04"), "draws": 30})
    return study.run(scenario, projects=portfolio.read("sample").iloc[:3])


def files_of(order, wanted):
    return {path: one for _, files in pack.made(order, wanted) for path, one in files.items()}


@pytest.fixture(scope="module")
def packed(small):
    return files_of(pack.Order(small), ("sheet", "tables", "archive"))


# ---- the registry --------------------------------------------------------------------------------------------------


def test_every_format_has_a_maker_a_group_and_words_in_both_languages():
    declared = toml.table("pack")["formats"]
    assert set(declared) == set(pack.MAKERS)
    for form, row in declared.items():
        assert row["group"] in pack.GROUPS, form
        assert row["icon"]
        assert all(row[key][language].strip() for key in ("name", "what") for language in LANGUAGES), form
    for group in toml.table("pack")["groups"].values():
        assert all(group[key][language] for key in ("name", "folder", "what") for language in LANGUAGES)


def test_formats_as_a_person_lists_them():
    assert pack.checked_formats("") == tuple(pack.formats())
    assert pack.checked_formats("Tables， sheet,") == ("sheet", "tables")
    with pytest.raises(InputError) as refusal:
        pack.checked_formats("tables,odt,ppt")
    assert [(one.code, one.values["value"]) for one in refusal.value.faults] == [
        ("export.no_format", "odt"),
        ("export.no_format", "ppt"),
    ]
    assert "slides" in refusal.value.faults[0].words("zh").remedy


# ---- names ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_are_safe_everywhere_and_in_the_language(small, packed, language):
    files = packed if language == "zh" else files_of(pack.Order(small, language), ("sheet",))
    parts = [part for path in files for part in path.split("/")]
    assert all(file_name(part) == part for part in parts)
    assert max(len(path) for path in files) < 100  # of the 260 that Windows has, folders above take some
    chinese = [part for part in parts if any(letter > "\u2e80" for letter in part)]
    assert bool(chinese) == (language == "zh")
    archive = zipfile.ZipFile(io.BytesIO(zipped({path: one.content for path, one in files.items()})))
    assert archive.testzip() is None
    assert archive.namelist() == list(files)


def test_the_slides_have_the_name_that_people_look_for():
    assert pack.Order(None).named("汇报.pptx") == "激光产业布局方案_汇报.pptx"


# ---- what is in it -------------------------------------------------------------------------------------------------


def test_each_group_has_its_folder_and_the_contents_name_every_file(small, packed):
    files = packed
    assert {path.partition("/")[0] for path in files} == {"1_汇报", "2_表格与图层", "3_存档", "说明.txt"}
    told = files["说明.txt"].content.decode("utf-8-sig")
    assert all(path.partition("/")[2] in told for path in files)
    assert small.scenario.id in told
    assert {path.partition("/")[2] for path, one in files.items() if one.group == "archive"} == ARCHIVED


def test_a_study_that_is_out_of_date_says_so_in_each_document(small):
    order = pack.Order(small, is_stale=True)
    files = files_of(order, ("sheet", "tables", "map"))
    assert order.stale and small.scenario.id in order.stale
    by_form = {one.form: one.content for one in files.values()}
    assert order.stale in by_form["sheet"].decode()
    assert order.stale in by_form["contents"].decode("utf-8-sig")
    assert order.stale in by_form["map"].decode()
    about = pd.read_excel(io.BytesIO(by_form["tables"]), dtype=str, keep_default_na=False, engine="openpyxl")
    assert order.stale in " ".join(about.iloc[:, 1])
    fresh = files_of(pack.Order(small), ("sheet",))
    assert not any("设置已改动" in one.content.decode("utf-8-sig") for one in fresh.values())


@pytest.mark.parametrize("version", ["0.0.9", ""])
def test_a_study_of_an_older_version_says_so(small, version):
    older = dataclasses.replace(small, version=version)
    order = pack.Order(older)
    assert (version or "未记录") in order.stale
    assert study.PROGRAM in order.stale
    assert older.summary()["versions"]["geo-cluster"] == version
    by_form = {one.form: one.content.decode("utf-8-sig") for one in files_of(order, ("sheet",)).values()}
    assert order.stale in by_form["sheet"]
    assert order.stale in by_form["contents"]
    assert not pack.Order(small).stale
    assert "已改动" in pack.Order(older, is_stale=True).stale


@pytest.mark.slow
def test_stopped_half_way_a_pack_leaves_no_file_and_no_process(small, tmp_path, monkeypatch):
    out, begun = tmp_path / "new" / "out", []

    class Noted(subprocess.Popen):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            begun.append((self, Path(options["env"]["TMPDIR"])))

    def sheet(_):
        process, folder = begun[0]
        while not list(folder.iterdir()):  # until the layers are on their way
            assert process.poll() is None
        return {"sheet.html": b"made"}

    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("geo_cluster.export.beside.subprocess.Popen", Noted)
    monkeypatch.setitem(pack.MAKERS, "sheet", sheet)
    with pytest.raises(KeyboardInterrupt):
        pack.write(pack.Order(small), out, wanted=("sheet", "layers"), on_done=stop)
    ((process, folder),) = begun
    assert process.poll() is not None
    assert not folder.exists()
    assert not list(tmp_path.iterdir())


def test_written_all_or_nothing_with_folders(small, tmp_path, monkeypatch):
    out = tmp_path / "out"
    (out / "3_存档").mkdir(parents=True)
    (out / "3_存档" / "mine.txt").write_text("stays")
    (out / "3_存档" / "study.json").write_text("before")
    monkeypatch.setitem(pack.MAKERS, "tables", lambda _: (_ for _ in ()).throw(InputError(Fault("app.run_failed", ""))))
    with pytest.raises(InputError):
        pack.write(pack.Order(small), out, wanted=("archive", "tables"))
    assert sorted(path.name for path in out.rglob("*")) == ["3_存档", "mine.txt", "study.json"]
    assert (out / "3_存档" / "study.json").read_text() == "before"
    done = []
    written = pack.write(pack.Order(small), out, wanted=("archive",), on_done=done.append)
    assert done == ["archive", "contents"]
    assert all(path.is_file() for path in written)
    assert (out / "3_存档" / "study.json").read_text() != "before"
    assert (out / "3_存档" / "mine.txt").read_text() == "stays"


def test_a_folder_where_a_file_has_to_be_leaves_everything(small, tmp_path):
    (tmp_path / "3_存档" / "study.json").mkdir(parents=True)
    with pytest.raises(InputError) as refusal:
        pack.write(pack.Order(small), tmp_path, wanted=("sheet", "archive"))
    assert refusal.value.faults[0].code == "export.folder_in_the_way"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["3_存档", "study.json"]


# ---- the second core -----------------------------------------------------------------------------------------------


class Next:
    """What stands in for the process next door."""

    def __init__(self, answers):
        self.answers, self.asked = answers, []

    def make(self, form):
        self.asked.append(form)
        answer = self.answers[form]
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def next_door(monkeypatch):
    """The formats of a pack are a, made here, and others, made next door."""

    def put(other, **makers):
        monkeypatch.setattr(pack, "beside", lambda _: contextlib.nullcontext(other))
        monkeypatch.setattr(pack, "replace", lambda order, **_: order)
        monkeypatch.setattr(pack, "MAKERS", makers)
        return dict(pack._together(None, tuple(makers), {*makers} - {"a"}))

    return put


@pytest.mark.parametrize("answer", [{"there": b"2"}, EOFError(), BrokenPipeError(), pickle.UnpicklingError()])
def test_what_is_next_door_comes_from_there_or_is_made_here(answer, next_door):
    other = Next({"b": answer})
    made = next_door(other, a=lambda _: wait_for(other) or {"a": b"1"}, b=lambda _: {"here": b"2"})
    assert made == {"a": {"a": b"1"}, "b": answer if isinstance(answer, dict) else {"here": b"2"}}


def test_what_nobody_has_begun_next_door_is_made_here(next_door):
    at, go = threading.Event(), threading.Event()

    class Slow(Next):
        def make(self, form):
            at.set()
            go.wait(10)
            return super().make(form)

    other = Slow({"b": {"b": b"there"}, "c": {"c": b"there"}})
    made = next_door(
        other, a=lambda _: at.wait(10) and {"a": b"1"}, b=lambda _: {}, c=lambda _: go.set() or {"c": b"here"}
    )
    assert other.asked == ["b"]
    assert made == {"a": {"a": b"1"}, "b": {"b": b"there"}, "c": {"c": b"here"}}


def test_a_refusal_next_door_is_one_here(next_door):
    other = Next({"b": DataError(Fault("app.run_failed", ""))})
    with pytest.raises(DataError):
        next_door(other, a=lambda _: wait_for(other) or {}, b=lambda _: {})


def wait_for(other):
    import time

    while not other.asked:
        time.sleep(0.001)


@pytest.mark.slow
def test_the_process_next_door_makes_the_same_refuses_the_same_and_may_be_killed(small):
    order = pack.Order(small, crs="nowhere")
    with beside(order) as other:
        assert other.make("sheet") == pack.MAKERS["sheet"](order)
        with pytest.raises(InputError) as refusal:
            other.make("layers")
        assert [one.code for one in refusal.value.faults] == ["export.no_such_crs"]
        other._process.kill()
        with pytest.raises((EOFError, OSError)):
            other.make("sheet")
    assert other._process.poll() is not None


# ---- the command ---------------------------------------------------------------------------------------------------


def test_what_is_wrong_is_said_at_once_and_nothing_is_written(call, tmp_path, monkeypatch):
    monkeypatch.setattr(study, "run", lambda *_, **__: pytest.fail("it ran"))
    no_deck = tmp_path / "letter.pptx"
    no_deck.write_text("dear")
    (tmp_path / "empty.csv").write_text("编号,名称,细分环节,年产值(亿元)\n", encoding="utf-8")
    (tmp_path / "empty.toml").write_text(
        'portfolio = "empty.csv"\nname = { zh = "空", en = "None" }\n', encoding="utf-8"
    )
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    options = ["--formats", "slides,odt", "--template-pptx", no_deck, "--template-docx", tmp_path / "none.docx"]
    options += ["--review-number", "no. 7", "--out", in_the_way, "--lang", "zh"]
    code, out, err = call("brief", tmp_path / "empty.toml", *options)
    assert code == 2
    assert out == ""
    for said in ("odt", "letter.pptx", "none.docx", "no. 7", "file", "empty.csv"):
        assert said in err
    assert len(err.splitlines()) == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.csv", "empty.toml", "file", "letter.pptx"]


@pytest.mark.slow
def test_the_command_writes_what_is_asked_for(call, tmp_path, monkeypatch):
    monkeypatch.setattr(study, "run", lambda *_, **__: run())
    code, out, err = call("brief", "--formats", "sheet,tables", "--out", tmp_path / "out", "--lang", "en")
    assert code == 0
    names = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert names == {
        "1_briefing/laser_siting_plan_brief.html",
        "2_tables_layers/laser_siting_plan_tables.xlsx",
        "contents.txt",
    }
    assert all(Path(name).name in out for name in names)
    assert "Briefing sheet ✓" in err
    assert "All tables ✓" in err
    assert out.rstrip().endswith("s")


def test_nobody_placed_is_a_pack_that_says_so(small, tmp_path):
    plan = dataclasses.replace(small.plan, site=small.plan.site * 0 - 1)
    nobody = dataclasses.replace(small, plan=plan)
    files = files_of(pack.Order(nobody), ("slides", "sheet", "tables"))
    assert all(one.content for one in files.values())


def test_an_empty_portfolio_is_refused_in_words_where_it_is_run():
    with pytest.raises(InputError) as refusal:
        study.run(catalog.scenario(), projects=portfolio.read("sample").iloc[:0])
    assert [one.code for one in refusal.value.faults] == ["world.no_project"]


def test_the_levels_of_the_order_are_those_that_the_briefing_tells_of(small):
    told = dataclasses.replace(small)
    list(pack.made(pack.Order(told, levels=(told,)), ("sheet",)))
    assert levels_of(told) == (told,)


def test_a_template_that_unpacks_to_too_much_is_refused(monkeypatch):
    few = Limits(**vars(limits()) | {"unpacked_megabytes": 1})
    monkeypatch.setattr("geo_cluster.export.template.limits", lambda: few)
    content = zipped({"a.xml": b"0" * (2 << 20)})
    for slides, paper in ((Template("a.pptx", content), None), (None, Template("a.docx", content))):
        with pytest.raises(InputError) as refusal:
            pack.check(slides, paper, "")
        assert [one.code for one in refusal.value.faults] == ["box.unpacks_too_large"]


@pytest.mark.slow
def test_the_review_number_stands_in_slides_and_papers(small):
    order = pack.Order(small, review="鄂S（2026）001号")
    assert "鄂S(2026)001号" in outline(small, **order.said).review
    assert "鄂S" not in outline(small).review
    (content,) = pack.MAKERS["slides"](order).values()
    deck = zipfile.ZipFile(io.BytesIO(content))
    slides = [deck.read(name).decode() for name in deck.namelist() if name.startswith("ppt/slides/slide")]
    assert sum("鄂S(2026)001号" in one for one in slides) == 2  # the cover and the map
    assert not any("未经审图" in one for one in slides)


def test_every_file_that_the_briefing_names_is_in_the_pack(packed):
    named = {file for row in toml.table("briefing")["tables"].values() for file in row["files"]}
    assert named - {*bundle.DRAWN} <= {path.rpartition("/")[2] for path in packed}
