import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from geo_cluster import cli, terminal
from geo_cluster.access import osm_servers
from geo_cluster.errors import Fault
from geo_cluster.export import bundle
from geo_cluster.report import explanation
from geo_cluster.world import catalog
from geo_cluster.world.layers import Layers
from tests import own
from tests.studies import OWN, write_own

ENGLISH = re.compile(r"[A-Za-z']+(?:\s+[A-Za-z']+){2,}")
"""Three words of English in a row."""

BIN = [sys.executable, "-m", "geo_cluster.cli"]


def geo_cluster(*arguments, **more):
    return subprocess.run([*BIN, *arguments], capture_output=True, text=True, encoding="utf-8", timeout=120, **more)


@pytest.fixture
def scenario(tmp_path):
    """Write a scenario file; what is not given is as in a sound one."""

    def write(text="", name="mine.toml"):
        path = tmp_path / name
        heading = "" if "name =" in text else 'name = { zh = "我的", en = "Mine" }\n'
        path.write_text(heading + text, encoding="utf-8")
        return path

    return write


def refused(told, out, *parts):
    """Exit code 2; every part is named, each line has place and remedy; no traceback, nothing written."""
    code, printed, complaint = told
    assert code == 2, complaint
    assert "Traceback" not in printed + complaint
    lines = [line for line in complaint.splitlines() if line.startswith("✗ ")]
    assert lines, complaint
    for line in lines:
        where, _, remedy = line.removeprefix("✗ ").partition(" → ")
        assert ": " in where, f"no place in: {line}"
        assert len(remedy) > 5, f"no remedy in: {line}"
    for part in parts:
        assert any(part in line for line in lines), f"{part!r} is not named in:\n{complaint}"
    assert not out.is_dir(), f"left behind: {list(out.iterdir())}"


# ---- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_faults_of_a_scenario_come_all_at_once(tmp_path, scenario):
    path = scenario('colour = "red"\nplanning_level = "wild"\n[weights]\nrd_minutes = -3\nbeauty = 1\n')
    done = geo_cluster("study", str(path), "--out", str(tmp_path / "out"))
    told = done.returncode, done.stdout, done.stderr
    refused(told, tmp_path / "out", "colour", "planning_level", "weights.rd_minutes", "weights.beauty", "mine.toml")
    assert done.stderr.count("✗") == 4


def test_the_faults_of_out_and_scenario_come_together(tmp_path, scenario, call):
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    told = call("study", scenario('colour = "red"\n'), "--out", tmp_path / "out")
    refused(told, tmp_path / "out", "is a file, not a folder", "colour")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('sites = ["E01", "X99", "X98"]', ("X99", "X98")),
        ('anchor = "nowhere"', ("nowhere", "future_city")),
        ('locked = [{ project = "P01", site = "X1" }]', ("X1",)),
        ('forbidden = [{ project = "P77", site = "E01" }]', ("P77",)),
        ("draws = 3", ("draws",)),
        ("placing_bonus = -1", ("placing_bonus",)),
        ("placing_bonus = nan", ("placing_bonus",)),
        ("time_limit_s = 0", ("time_limit_s",)),
        ('portfolio = "absent.csv"', ("absent.csv",)),
        ('portfolio = ["a", "b"]', ("portfolio",)),
        ("[weights]\nrd_minutes = inf", ("weights.rd_minutes",)),
        (
            '[[known]]\nsubject = "E01"\nattribute = "charm"\nlow = 1\nlikely = 2\nhigh = 3\nsource = "x"',
            ("known.0.attribute",),
        ),
        ('[[known]]\nsubject = "E01"\nattribute = "spare_mva"\nlow = 5\nlikely = 2\nhigh = 3\nsource = "x"', ("5",)),
        ("name = { zh = '', en = 'x' }", ("name",)),
        ('portfolio = "a\\u0000b"', ("portfolio: can't be read (embedded null byte)",)),
        (f'portfolio = "{"a" * 5000}"', ("portfolio: can't be read (File name too long)",)),
        ('layers = "a\\u0000b"', ("layers: can't be read (embedded null byte)",)),
        (f'layers = "{"a" * 5000}"', ("layers: can't be read (File name too long)",)),
        ("sites = [[1]]", ("sites",)),
        ("sites = 3", ("sites",)),
        ("anchor = []", ("anchor",)),
        ("anchor = " + "9" * 5000, ("is too large",)),
        (".".join("a" * 30_000) + " = 1", ("is nested too deeply",)),
    ],
)
def test_what_a_scenario_may_not_say(text, named, tmp_path, scenario, call):
    refused(call("study", scenario(text + "\n"), "--out", tmp_path / "out"), tmp_path / "out", *named)


def test_a_scenario_that_is_not_there_or_no_toml(tmp_path, scenario, call):
    out = tmp_path / "out"
    refused(call("study", tmp_path / "absent.toml", "--out", out), out, "absent.toml", "no such file")
    refused(call("study", scenario("draws = = 3\n"), "--out", out), out, "mine.toml", "not valid TOML", "line 2")
    refused(call("study", tmp_path, "--out", out), out, "is no file")
    (tmp_path / "binary.toml").write_bytes(bytes(range(256)))
    refused(call("study", tmp_path / "binary.toml", "--out", out), out, "binary.toml", "UTF-8")
    (tmp_path / "empty.toml").write_text("", encoding="utf-8")
    refused(call("study", tmp_path / "empty.toml", "--out", out), out, "empty.toml, name")


PORTFOLIOS = {
    "empty": (b"", ("bad.csv",)),
    "headings only": ("编号,名称,细分环节,年产值(亿元)\n".encode(), ("no project", "at least one row")),
    "no column": ("编号,名称\nA,甲\n".encode(), ("细分环节", "年产值")),
    "unknown segment": (
        "细分环节,年产值(亿元)\n炼金,5\n光纤激光器,-3\n光纤激光器,若干\n".encode(),
        ("炼金", "-3", "若干", "row 4"),
    ),
    "binary": (bytes(range(256)) * 40, ("bad.csv",)),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(2000), ("bad.csv",)),
    "ragged": (
        "细分环节,年产值(亿元)\n\n光纤激光器,5,6,7\n光纤激光器,5\n光纤激光器,5,,8\n".encode(),
        ("bad.csv, row 3: has more cells", "bad.csv, row 5: has more cells"),
    ),
    "a quote left open": ('细分环节,年产值(亿元)\n光纤激光器,"5\n光纤激光器,6\n'.encode(), ("bad.csv",)),
}


@pytest.mark.parametrize("kind", PORTFOLIOS)
def test_a_portfolio_that_is_none(kind, tmp_path, scenario, call):
    raw, named = PORTFOLIOS[kind]
    (tmp_path / "bad.csv").write_bytes(raw)
    told = call("study", scenario('portfolio = "bad.csv"\n'), "--out", tmp_path / "out")
    refused(told, tmp_path / "out", *named)
    assert max(map(len, told[2].splitlines())) < 1500, "a line nobody reads to its end"


def test_a_workbook_that_is_none(tmp_path, scenario, call):
    (tmp_path / "bad.xlsx").write_bytes(b"not a workbook")
    told = call("study", scenario('portfolio = "bad.xlsx"\n'), "--out", tmp_path / "out")
    refused(told, tmp_path / "out", "bad.xlsx: has no heading row")


SAMPLE = catalog.sample_dir()
SURVEY = ["land", SAMPLE / "sample_parcels.geojson", "--rules", SAMPLE / "sample_rules.csv"]
SURVEY += ["--layers", SAMPLE / "sample_exclusions.gpkg"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no limits on Windows")
@pytest.mark.parametrize(("arguments", "most"), [(["study"], 1_000_000), (SURVEY, 60_000), (SURVEY, 120_000)])
def test_a_full_disk_leaves_earlier_results_as_they_were(arguments, most, tmp_path):
    """Files can grow so far and no further, as on a full disk."""
    (tmp_path / "ranking.csv").write_text("earlier", encoding="utf-8")
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))\n"
    limited += "import runpy; runpy.run_module('geo_cluster.cli', run_name='__main__')"
    command = [sys.executable, "-c", limited, *map(str, arguments), "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "✗" in done.stderr
    assert str(tmp_path) in done.stderr
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {"ranking.csv": "earlier"}


def test_a_folder_that_cannot_be_made(tmp_path, call):
    (tmp_path / "file").write_text("in the way")
    refused(call("study", "--out", tmp_path / "file" / "out"), tmp_path / "file" / "out", "--out")


SCORE = ["score", "{bad}", "--scenario", "{nope}"]
LAND = ["land", "{bad}", "--rules", "{rules}", "--layers", "{nope}", "--hall", "0x0"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (SCORE, ("is a file, not a folder", "炼金", "nope: no such file")),
        (["score", "--json", '{"segment": "炼金"}', "--scenario", "{nope}"], ("年产值", "nope: no such file")),
        (LAND, ("not a folder", "bad.csv: is of a kind", "rules.csv: no such file", "nope: no such file", "--hall")),
    ],
)
def test_the_faults_of_all_files_come_at_once(arguments, named, tmp_path, call):
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    (tmp_path / "bad.csv").write_text("细分环节,年产值(亿元)\n炼金,5\n", encoding="utf-8")
    there = {"bad": tmp_path / "bad.csv", "rules": tmp_path / "rules.csv", "nope": tmp_path / "nope"}
    filled = [there.get(one.strip("{}"), one) for one in arguments]
    refused(call(*filled, "--out", tmp_path / "out"), tmp_path / "out", *named)


@pytest.mark.parametrize("text", ["[1]", "null", '"x"', "{", "[" * 30_000, "1" * 5000])
def test_json_that_is_no_project(text, call, tmp_path):
    refused(call("score", "--json", text), tmp_path / "out", "--json")


def test_a_null_is_as_good_as_nothing(call, tmp_path):
    told = call("score", "--json", '{"segment": null, "output_100m_yuan": null, "name": "x"}')
    refused(told, tmp_path / "out", "年产值(亿元): is empty")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--hall", "²x5", "--need", "9"], "²x5"),
        (["--hall", "60x", "--need", "9"], "60x"),
        (["--hall", "0x0", "--need", "9"], "0x0"),
        (["--hall", "60x120"], "add --need"),
        (["--need", "-1"], "--need"),
        (["--need", "nan"], "--need"),
        (["--need", "inf"], "--need"),
    ],
)
def test_what_room_can_not_be_looked_for(options, named, call, tmp_path):
    folder = catalog.sample_dir()
    given = [folder / "sample_parcels.geojson", "--rules", folder / "sample_rules.csv"]
    given += ["--layers", folder / "sample_exclusions.gpkg", "--out", tmp_path / "out"]
    refused(call("land", *given, *options), tmp_path / "out", named)


def test_refresh_says_which_server_it_tries(call, tmp_path, monkeypatch):
    monkeypatch.setattr(osm_servers, "KNOCK_PAUSE_S", 0)
    told = call("refresh-osm", "--area", "[/nope]", "--nominatim", "http://127.0.0.1:9", "--out", tmp_path / "out")
    refused(told, tmp_path / "out", "127.0.0.1:9: can't be reached")
    assert "0% [/nope]: trying 127.0.0.1:9" in told[2]


def test_usage_errors_end_with_2(call):
    for arguments in (["nonsense"], ["study", "--lang", "fr"], ["study", "--nope"], ["app", "--port", "99999999"]):
        code, _, complaint = call(*arguments)
        assert code == 2, arguments
        assert "Traceback" not in complaint


# ---- in the reader's language -------------------------------------------------------------------------------

LOCALES = ("GEO_CLUSTER_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.mark.parametrize(
    ("surroundings", "arguments", "language"),
    [
        ({}, [], "en"),
        ({"LANG": "C"}, [], "en"),
        ({"LANG": "zh_CN.UTF-8"}, [], "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, [], "en"),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "zh_CN"}, [], "zh"),
        ({"LANG": "zh_CN.UTF-8", "GEO_CLUSTER_LANG": "en"}, [], "en"),
        ({"LANG": "en_GB.UTF-8", "GEO_CLUSTER_LANG": "zh"}, [], "zh"),
        ({"LANG": "zh_CN.UTF-8"}, ["--lang", "en"], "en"),
        ({"GEO_CLUSTER_LANG": "en"}, ["--lang", "zh"], "zh"),
    ],
    ids=str,
)
def test_refusals_are_in_the_readers_language(surroundings, arguments, language, call, monkeypatch):
    for name in LOCALES:
        monkeypatch.delenv(name, raising=False)
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)
    code, _, complaint = call("score", "--json", "[1]", *arguments)
    assert code == 2
    assert complaint == f"✗ {Fault('cli.not_one_project', '--json').words(language)}\n"


def test_a_language_is_asked_for_one_run(call, monkeypatch):
    for name in LOCALES:
        monkeypatch.delenv(name, raising=False)
    assert "不是一个项目" in call("score", "--json", "[1]", "--lang", "zh")[2]
    assert "not of one project" in call("score", "--json", "[1]")[2]


@pytest.mark.parametrize(
    ("arguments", "where", "code"),
    [
        (["study", "--nosuch"], "--nosuch", "cli.no_such_option"),
        (["nosuch"], "nosuch", "cli.no_such_command"),
        (["policy", "nonsense"], "nonsense", "cli.no_such_command"),
        (["policy", "money", "--nosuch"], "--nosuch", "cli.no_such_option"),
        (["study", "--out"], "--out", "cli.option_without_value"),
        (["land"], "parcels", "cli.argument_missing"),
        (["study", "--lang", "fr"], "--lang", "cli.value_refused"),
        (["app", "--port", "99999"], "--port", "cli.value_refused"),
        (["study", "a", "b", "c"], "geo-cluster study", "cli.misused"),
    ],
    ids=str,
)
def test_a_command_line_that_is_none_is_refused_in_the_readers_language(arguments, where, code, call, monkeypatch):
    refusals = []
    monkeypatch.setattr(terminal, "refuse", refusals.extend)
    assert call(*arguments) == (2, "", "")
    (fault,) = refusals
    assert (fault.code, fault.where) == (code, where)
    assert ENGLISH.search(fault.words("zh").what + fault.words("zh").remedy) is None


def test_a_mistake_before_the_language_is_told_in_it_all_the_same(call):
    assert call("study", "--nosuch", "--lang", "zh")[2].startswith("✗ --nosuch: 没有这个选项")


# ---- what works ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_study_of_ones_own_in_english(tmp_path, call):
    path = write_own(tmp_path / "mine")
    code, printed, _ = call("study", path, "--out", tmp_path / "out", "--lang", "en", "--profile")
    assert code == 0
    for part in ("Plan", "placed 2/2", "violations 0", "imports", "matching", "export", "total"):
        assert part in printed
    assert "sample" not in printed
    assert "甲厂" in printed
    assert json.loads((tmp_path / "out" / "study.json").read_text(encoding="utf-8"))["projects"] == len(OWN)
    assert '"lang":"en"' in (tmp_path / "out" / "map.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_match_names_each_step_as_it_is_done(tmp_path, call):
    path = write_own(tmp_path / "mine")
    code, _, complaint = call("match", path, "--out", tmp_path / "out", "--lang", "en")
    assert code == 0, complaint
    done = [line.strip() for line in complaint.splitlines() if "✓" in line]
    besides = (explanation.OPENINGS, explanation.PARTS)
    assert [line.split(" s ", 1)[1].strip(" ✓") for line in done] == [
        en for name, (_, en) in terminal.STEPS.items() if name not in besides
    ]
    assert {f"{name}.csv" for name in terminal.STEPS if name not in ("export", *besides)} <= {
        one.name for one in (tmp_path / "out").iterdir()
    }


MARKUP = "[bold]rich[/bold] [/nope] :factory:"


@pytest.mark.slow
@pytest.mark.parametrize("command", ["study", "match"])
def test_names_are_not_taken_for_markup(command, tmp_path, call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    path = write_own(tmp_path / "mine")
    portfolio = path.with_name("own.csv")
    portfolio.write_text(portfolio.read_text(encoding="utf-8-sig").replace("甲厂", MARKUP), encoding="utf-8")
    out = tmp_path / "[out" / "b]"
    code, printed, complaint = call(command, path, "--out", out)
    assert code == 0, complaint
    assert MARKUP in printed
    assert f"→ {out}" in printed


def test_scoring_leaves_aside_what_a_scenario_says_of_its_own_projects(call, scenario):
    path = scenario('locked = [{ project = "P01", site = "E01" }]\n')
    code, printed, complaint = call(
        "score", "--scenario", path, "--json", '{"segment": "fiber_laser", "output_100m_yuan": 6}'
    )
    assert code == 0, complaint
    assert json.loads(printed)["verdict"]["project"] == "P01"


@pytest.mark.slow
def test_stopped_while_explaining_nothing_is_left_behind(tmp_path, call, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(explanation, "explain", stopped)
    out = tmp_path / "out"
    assert call("match", write_own(tmp_path / "mine"), "--out", out)[0] == 130
    assert not out.exists()
    out.mkdir()
    (out / "ranking.csv").write_text("earlier", encoding="utf-8")
    assert call("match", write_own(tmp_path / "mine"), "--out", out)[0] == 130
    assert [path.read_text(encoding="utf-8") for path in out.iterdir()] == ["earlier"]


@pytest.mark.slow
def test_study_of_the_sample_says_so(tmp_path):
    done = geo_cluster("study", "--out", str(tmp_path / "out"), env=os.environ | {"COLUMNS": "140"})
    assert done.returncode == 0, done.stderr
    assert "示例项目，非任何企业的计划" in done.stdout
    assert f"{len(bundle.FILES)} files" in done.stdout
    assert "HiGHS" not in done.stdout + done.stderr, "the solver talks to the user"
    assert "Warning" not in done.stderr


def test_layers_lists_every_layer():
    for language, key in (("zh", "title_zh"), ("en", "title_en")):
        told = CliRunner().invoke(cli.cli, ["layers", "--lang", language])
        assert told.exit_code == 0
        for name, layer in Layers().registry.items():
            assert name in told.output
            assert getattr(layer, key) in told.output


@pytest.mark.slow
def test_check_data_passes_what_is_shipped(call):
    code, printed, _ = call("check-data")
    assert code == 0
    assert printed.count("ok  ") == len(Layers().registry)
    told = printed[printed.rindex("ok  ") :]
    for part in ("100.0%", "G05=G09", "没有具名的发布者", "without a place", "sites not looked into"):
        assert part in told


@pytest.mark.slow
def test_check_data_looks_at_own_layers_too(tmp_path, call):
    folder = own.register(tmp_path / "own", sites=own.sites())
    code, printed, _ = call("check-data", folder)
    assert code == 0
    assert f"{len(own.sites()):>6}" in printed
    twice = own.sites().replace({"name_zh": {"自有园区": "鄂城区滨江科技新城（自有）"}})
    folder = own.register(tmp_path / "twice", sites=twice)
    refused(call("check-data", folder), tmp_path / "out", f"layer sites, row {len(twice) + 1}", "possibly_same_as")


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of the shipped data that may be spoilt."""
    folder = tmp_path / "geo"
    shutil.copytree(catalog.data_dir(), folder)
    monkeypatch.setattr(catalog, "data_dir", lambda: folder)
    return folder


@pytest.mark.slow
def test_check_data_names_every_layer_that_was_tampered_with(copied, call):
    sites = (copied / "sites.csv").read_text(encoding="utf-8")
    (copied / "sites.csv").write_text(sites.replace("黄石", "黄土", 1), encoding="utf-8")
    roads = (copied / "roads.geojson").read_bytes()
    (copied / "roads.geojson").write_bytes(roads[: len(roads) // 2])
    (copied / "ports.csv").unlink()
    (copied / "mine.csv").write_text("a\n1\n", encoding="utf-8")
    named = ("sites.csv", "SHA-256", "roads.geojson", "bytes", "ports.csv", "is missing", "mine.csv", "not registered")
    refused(call("check-data"), copied / "out", *named)


def test_check_data_of_a_broken_registry(copied, call):
    (copied / "sources.toml").write_text("[layers.sites\n", encoding="utf-8")
    refused(call("check-data"), copied / "out", "sources.toml")
    (copied / "sources.toml").unlink()
    refused(call("check-data"), copied / "out", "sources.toml")


def test_study_on_a_spoilt_layer_is_refused(copied, tmp_path, call):
    (copied / "substations.csv").write_text("id\nG01\n", encoding="utf-8")
    refused(call("study", "--out", tmp_path / "out"), tmp_path / "out", "substations.csv", "make data")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no terminals of this kind on Windows")
def test_the_app_asks_nothing_of_somebody_at_a_terminal(tmp_path):
    """An empty home, a terminal, a browser to be opened: streamlit would ask for an e-mail address."""
    import pty

    terminal, end = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("STREAMLIT", "XDG"))}
    environment |= {"HOME": str(tmp_path), "BROWSER": "true", "PATH": os.environ["PATH"]}
    told = ""
    with subprocess.Popen([*BIN, "app", "--port", "0"], stdin=end, stdout=end, stderr=end, env=environment) as app:
        os.close(end)
        while "URL" not in told and "mail" not in told.lower():
            try:
                told += os.read(terminal, 4096).decode("utf-8", errors="replace")
            except OSError:  # it ended
                break
        app.terminate()
    os.close(terminal)
    assert "mail" not in told.lower(), told
    assert "URL" in told, told


SIGN_IN = """
[auth]
cookie_secret = "kurz"
client_id = "siting"
client_secret = "geheim"
server_metadata_url = "https://login.example/.well-known/openid-configuration"
"""


@pytest.mark.parametrize(
    ("secrets", "named"),
    [
        (SIGN_IN, ("redirect_uri", "cookie_secret")),
        (SIGN_IN + '[roles]\nboss = "x"\n', ("redirect_uri", "boss: is no role", "boss: is no list")),
        ('auth = "yes"\n', ("[auth]: is no section",)),
        ('[roles]\nboss = "x"\n', ("boss: is no role", "boss: is no list", "[roles]: stands alone")),
        ('[Auth]\nclient_id = "x"\n', ("[Auth]: is no section known here",)),
        ("[role]\nadmin = []\n", ("[role]: is no section known here",)),
        ("[auth\n", ("is not valid TOML",)),
    ],
)
def test_the_app_does_not_start_with_faults_in_how_to_sign_in(secrets, named, call, monkeypatch, tmp_path):
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text(secrets, encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "elsewhere"))
    monkeypatch.chdir(tmp_path)
    told = call("app", "--headless")
    refused(told, tmp_path / "out", *named)
    assert "geheim" not in str(told)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--address", "0.0.0.0"], "--host siting.example"),
        (["--host", "https://siting.example"], "is no name of a machine"),
        (["--prefix", "siting"], "write e.g. /siting"),
        (["--proxy", "*"], "is no address"),
    ],
)
def test_the_app_does_not_start_where_it_would_serve_anybody_by_any_name(arguments, named, call, monkeypatch, tmp_path):
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    refused(call("app", "--headless", *arguments), tmp_path / "out", named)


@pytest.mark.slow
def test_a_port_that_is_taken_is_said_in_words(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [*BIN, "app", "--headless", "--port", str(taken.getsockname()[1])]
        environment = os.environ | {"HOME": str(tmp_path), "GEO_CLUSTER_WORKSPACE": str(tmp_path / "kept.sqlite")}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, encoding="utf-8")
    assert done.returncode == 2
    assert "can't be listened at" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("spoil", ["pipe", "device", "nested", "huge", "folder"])
def test_a_scenario_that_never_ends_is_told_at_once(spoil, tmp_path, call):
    file = tmp_path / "s.toml"
    if spoil == "pipe":
        os.mkfifo(file)
    elif spoil == "device":
        file.symlink_to("/dev/zero")
    elif spoil == "folder":
        file.mkdir()
    else:
        file.write_text("a = " + "[" * 30_000 if spoil == "nested" else "#" * 11_000_000)
    refused(call("study", file, "--out", tmp_path / "out"), tmp_path / "out", "s.toml")


# ---- terminals and pipes ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "gbk"])
def test_no_terminal_lacks_the_characters_to_end_well(encoding, tmp_path):
    """Results were written and the exit code was 1, for want of an arrow."""
    for arguments, shown in (
        (
            ["study", str(write_own(tmp_path)), "--lang", "en", "--out", str(tmp_path / "out")],
            f"{len(bundle.FILES) + 1} files",
        ),
        (["layers"], "prefectures"),
        (["study", str(tmp_path / "no.toml")], ": "),
    )[0 if encoding == "ascii" else 1 :]:
        environment = os.environ | {"PYTHONIOENCODING": encoding, "LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0"}
        done = subprocess.run([*BIN, *arguments], capture_output=True, env=environment, timeout=120)
        assert b"Traceback" not in done.stderr
        assert done.returncode == (2 if "no.toml" in arguments[-1] else 0), done.stderr
        told = (done.stdout + done.stderr).decode(encoding)
        assert shown in told
    assert ("->" in told) == (encoding == "ascii")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_nobody_reads_on_or_the_disk_is_full():
    for arguments in (["layers"], ["--help"]):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run([*BIN, *arguments], stdout=write, stderr=subprocess.PIPE, timeout=60)
        os.close(write)
        assert done.stderr == b"", "a pipe that is read no further is no fault"
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run([*BIN, *arguments], stdout=full, stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == 2
        assert done.stderr.decode().startswith("✗ output: can't be used (No space left on device) → free space")
        assert done.stderr.count(b"\n") == 1


# ---- help ---------------------------------------------------------------------------------------------------

HEAVY = {"streamlit", "geopandas", "pandas", "numpy", "scipy", "folium", "osmnx", "highspy", "rasterio", "numba"}
HEAVIER = HEAVY - {"geopandas", "pandas", "numpy"} | {"matplotlib", "openpyxl", "docx", "pptx", "sqlalchemy", "dask"}
"""Imported by no command that only shows its help; by none that refuses what it was given."""

ASKED = [(["--help"], 0, HEAVY), (["study", "--help"], 0, HEAVY), (["app", "--help"], 0, HEAVY)]
ASKED += [([name, "none.toml"], 2, HEAVIER) for name in ("study", "match", "validate", "suitability")]
ASKED += [(["study", "--out", "pyproject.toml"], 2, HEAVIER - {"scipy"})]
"""Arguments, exit code, and what hasn't been imported by then."""


@pytest.mark.slow
def test_help_and_refusals_import_nothing_heavy():
    code = "import sys\nfrom geo_cluster.cli import main\n"
    code += f"for arguments, expected, heavy in {ASKED!r}:\n"
    code += "    sys.argv = ['geo-cluster', *arguments]\n"
    code += "    try:\n        main()\n    except SystemExit as end:\n"
    code += "        print('ENDED', arguments, (end.code or 0) - expected, sorted(heavy & set(sys.modules)))\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    ended = [line for line in done.stdout.splitlines() if line.startswith("ENDED")]
    assert ended == [f"ENDED {arguments} 0 []" for arguments, *_ in ASKED]
    assert "geo-cluster" in done.stdout


@pytest.mark.slow
def test_a_study_imports_no_compiler_nor_plots(tmp_path):
    code = "import sys\nfrom geo_cluster.cli import cli\n"
    code += f"cli(['study', '--out', {str(tmp_path)!r}], standalone_mode=False)\n"
    unused = {"numba", "matplotlib", "osmnx", "rasterio", "openpyxl", "folium"}
    code += f"print('ENDED', sorted({unused!r} & set(sys.modules)))\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, encoding="utf-8")
    assert done.stdout.splitlines()[-1] == "ENDED []", done.stderr


def test_help_explains_every_command():
    told = CliRunner().invoke(cli.cli, ["--help"]).output
    for name in ("study", "check-data", "layers", "app"):
        assert name in told
