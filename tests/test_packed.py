"""Names of files and ZIPs: safe on every system, inside their folder, the same from run to run."""

import dataclasses
import hashlib
import io
import sys
import zipfile

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as some

from geo_cluster import cli, study
from geo_cluster.archive import MOST_BYTES, file_name, path_faults, zipped
from geo_cluster.domain import Layer
from geo_cluster.errors import DataError, InputError
from geo_cluster.export import bundle
from geo_cluster.world import catalog
from geo_cluster.world.layers import Layers
from tests.studies import write_own

RESERVED = ["CON", "con", "NUL.txt", "aux.tar.gz", "COM1", "lpt9.csv", "COM¹.csv", "PRN .txt", "CONIN$", "nul."]
LEADING_OUT = ["../../../etc/passwd", "..", ".", "/etc/passwd", "a/../b", "C:\\x", "..\\x", "\\\\server\\x", "~root/x"]
ODD = [
    "a:b",
    'a?*<>|"b',
    "a\x00b",
    "a\nb",
    "x.",
    "x ",
    ".hidden",
    "-rf",
    "\u202egpj.exe",
    "\u200b",
    "",
    "a\tb",
    "e\u0301",
]
LONG = ["a" * 300, "庚" * 300 + ".xlsx", "😀" * 100 + ".csv", "x." + "y" * 300]
TEXTS = some.text(max_size=300) | some.sampled_from([*RESERVED, *LEADING_OUT, *ODD, *LONG])
FORBIDDEN = set('<>:"/\\|?*') | {chr(n) for n in range(32)}


def is_safe(name):
    stem = name.split(".")[0].rstrip().upper()
    reserved = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"}
    reserved |= {f"{port}{n}" for port in ("COM", "LPT") for n in "0123456789¹²³"}
    return (
        0 < len(name.encode()) <= MOST_BYTES
        and not FORBIDDEN & set(name)
        and not name.endswith((".", " "))
        and not name.startswith((".", "-", " "))
        and stem not in reserved
        and not {"\u202e", "\u200b", "\ufeff"} & set(name)
    )


@pytest.mark.slow
@given(TEXTS)
def test_any_text_makes_a_safe_name_that_stays_as_it_is(text):
    name = file_name(text, "work")
    assert is_safe(name)
    assert file_name(name) == name
    assert is_safe(f"{name[:20]}.zip")


def test_a_usual_name_stays_and_a_long_one_keeps_its_ending():
    for name in ("项目 2026（终稿）.xlsx", "own.csv", "Ünï cödé.v2.csv", "a - b_c+d,e.csv"):
        assert file_name(name) == name
    assert file_name("庚" * 300 + ".xlsx").endswith("庚.xlsx")
    assert file_name("CON.xlsx") == "_CON.xlsx"
    assert file_name("...", "work") == "work"


@pytest.mark.parametrize("path", [*RESERVED, *LEADING_OUT, *(one for one in ODD if one != "a:b"), "a//b", "x/"])
def test_an_archive_refuses_what_leads_out_of_it_or_is_no_name_somewhere(path):
    with pytest.raises(InputError) as refusal:
        zipped({"a.csv": b"", path: b""})
    assert [fault.code for fault in refusal.value.faults] == ["world.path_unsafe"]


@pytest.mark.parametrize("paths", [("a.csv", "A.CSV"), ("ß/x", "SS/X"), ("a", "a/b"), ("a/b", "A")])
def test_an_archive_refuses_names_that_clash_where_case_does_not_count(paths):
    assert len(path_faults(paths)) == 1


def test_members_are_the_same_whoever_packs_them():
    (about,) = zipfile.ZipFile(io.BytesIO(zipped({"a/b.csv": b"x"}))).infolist()
    assert (about.date_time, about.create_system, about.external_attr) == ((1980, 1, 1, 0, 0, 0), 3, 0o644 << 16)


# ---- layers of one's own ------------------------------------------------------------------------------------


def own_layers(folder, **changes):
    """A folder with the shipped sites as a layer of one's own; its registry entry may lie."""
    folder.mkdir(exist_ok=True)
    layer = Layers().registry["sites"]
    content = (catalog.data_dir() / layer.file).read_bytes()
    (folder / layer.file).write_bytes(content)
    row = layer.model_dump(mode="json") | {"sha256": hashlib.sha256(content).hexdigest()} | changes
    (folder / "sources.toml").write_text(tomli_w.dumps({"layers": {"sites": row}}), encoding="utf-8")
    return str(folder)


@pytest.mark.parametrize("file", [*LEADING_OUT, *RESERVED[:3], "sub/a.csv", "a\x00b", ""])
def test_a_registry_names_plain_files_beside_it(tmp_path, file):
    folder = own_layers(tmp_path / "own", file=file)
    for read in (Layers, lambda one: bundle.layer_files(Layers(one)), lambda one: Layers(one).read("sites")):
        with pytest.raises(DataError) as refusal:
            read(folder)
        (fault,) = refusal.value.faults
        assert (fault.code, fault.where) == ("world.not_a_file_name", "sources.toml, [sites], file")


def test_a_link_out_of_the_folder_is_refused_everywhere(tmp_path):
    (tmp_path / "secret.csv").write_bytes((catalog.data_dir() / Layers().registry["sites"].file).read_bytes())
    folder = own_layers(tmp_path / "own")
    place = tmp_path / "own" / Layers().registry["sites"].file
    place.unlink()
    place.symlink_to(tmp_path / "secret.csv")
    for read in (lambda one: bundle.layer_files(Layers(one)), lambda one: Layers(one).read("sites")):
        with pytest.raises(DataError) as refusal:
            read(folder)
        assert [fault.code for fault in refusal.value.faults] == ["world.link_elsewhere"]


def test_two_layers_cannot_be_one_file_of_an_archive(tmp_path):
    folder = own_layers(tmp_path / "own", file="Map.html")
    with pytest.raises(DataError) as refusal:
        bundle.layer_files(Layers(folder))
    assert [fault.code for fault in refusal.value.faults] == ["world.path_taken"]


def test_a_scenario_whose_layers_lead_out_is_refused_in_words(tmp_path, monkeypatch, capsys):
    own_layers(tmp_path / "own", file="../../../etc/passwd")
    (tmp_path / "s.toml").write_text('layers = "own"\nname = { zh = "a", en = "a" }\n', encoding="utf-8")
    command = ["geo-cluster", "study", str(tmp_path / "s.toml"), "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert "sources.toml, [sites], file: is no plain file name (got '../../../etc/passwd')" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# ---- a portfolio of one's own -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A scenario with a portfolio of one's own, and its study."""
    path = write_own(tmp_path_factory.mktemp("mine"))
    return path, study.run(catalog.scenario(path))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names to begin with")
def test_a_portfolio_is_handed_over_under_a_name_that_every_system_has(mine, tmp_path):
    path, result = mine
    own = path.with_name("a:b|c .csv")
    own.write_bytes(path.with_name("own.csv").read_bytes())
    scenario = result.scenario.model_copy(update={"portfolio": str(own)})
    bundle.write(dataclasses.replace(result, scenario=scenario), tmp_path / "out")
    assert (tmp_path / "out" / "a-b-c.csv").read_bytes() == own.read_bytes()
    assert catalog.scenario(tmp_path / "out" / "scenario.toml").id == result.scenario.id


@pytest.mark.parametrize("name", ["RANKING.csv", "Tables.XLSX", "sheet.html", "alternatives.csv", "layers"])
def test_a_portfolio_is_not_named_like_a_result(mine, name, tmp_path):
    scenario = mine[1].scenario.model_copy(update={"portfolio": str(tmp_path / name)})
    with pytest.raises(InputError, check=lambda refusal: refusal.faults[0].code == "export.name_taken"):
        bundle.write(dataclasses.replace(mine[1], scenario=scenario), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_these_refusals_are_said_in_chinese(tmp_path):
    with pytest.raises(DataError) as refusal:
        Layers(own_layers(tmp_path / "own", file="../x"))
    (fault,) = refusal.value.faults
    assert str(fault.words("zh")).endswith("不是普通文件名（'../x'） → 写 sources.toml 旁的文件名，如 sites.csv")
    assert [one.code for one in path_faults(["..", "a", "A"])] == ["world.path_unsafe", "world.path_taken"]


def test_every_shipped_layer_has_a_plain_name():
    assert all(Layer.model_validate(one.model_dump()) == one for one in Layers().registry.values())
