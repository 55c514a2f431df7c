import ast
import importlib.metadata
import pkgutil
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import geo_cluster
from geo_cluster.world import catalog
from geo_cluster.world.layers import Layers

ROOT = Path(__file__).resolve().parent.parent


def tracked():
    """Files under version control; an unpacked archive has none to name."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    names = [name for name in done.stdout.decode().split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file()] or sorted(ROOT.glob("geo_cluster/**/*.*"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_carries_code_app_tables_assets_and_data(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, pattern in (
        ("geo_cluster", "**/*.py"),
        ("app", "**/*.py"),
        ("app/assets", "*"),
        ("geo_cluster/maps/assets", "*"),
        ("geo_cluster/tables", "**/*.toml"),
        ("geo_cluster/tables", "**/*.csv"),
        ("geo_cluster", "py.typed"),
        ("app", "py.typed"),
    ):
        files = [path.relative_to(ROOT).as_posix() for path in (ROOT / folder).glob(pattern) if path.is_file()]
        files = [name for name in files if "__pycache__" not in name]
        assert files, folder
        assert set(files) <= names
    shipped = {path.name for path in catalog.data_dir().iterdir() if not path.name.startswith(".")}
    assert {f"geo_cluster/_data/{name}" for name in shipped} <= names
    assert not [name for name in names if name.startswith(("tests/", "scripts/", "data/"))]
    assert not [name for name in names if "__pycache__" in name]
    about = next(name for name in names if name.endswith("dist-info/METADATA"))
    assert "License-File: LICENSE-DATA.md" in zipfile.ZipFile(wheel).read(about).decode()


@pytest.mark.slow
def test_the_wheel_finds_its_own_data(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = "import sys, geo_cluster\nfrom geo_cluster.world import catalog, layers\nimport app\n"
    code += "print(geo_cluster.__file__, catalog.data_dir(), app.__file__, sep='\\n')\n"
    code += "found = layers.Layers()\nassert not layers.check_all(found)\nprint(len(found.read('sites')))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    *places, rows = done.stdout.split()
    assert all(Path(place).is_relative_to(tmp_path) for place in places), places
    assert int(rows) == Layers().registry["sites"].rows


def test_the_lock_names_public_addresses_only():
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")
    hosts = set(re.findall(r'(?:url|registry) = "https?://([^/"]+)', lock))
    assert hosts == {"pypi.org", "files.pythonhosted.org"}
    packages = {package["name"]: package["source"] for package in tomllib.loads(lock)["package"]}
    assert packages.pop("geo-cluster") == {"editable": "."}
    assert {str(source) for source in packages.values()} == {"{'registry': 'https://pypi.org/simple'}"}


NAMED_ONLY = {"psycopg": "postgresql+psycopg", "pylopdf-fonts-zh-cn": "pylopdf_fonts_zh_cn"}
"""Dependencies that nothing imports, and the words by which another one is told to."""


def imported():
    """Modules from outside that our own code imports, or finds by name (`find_spec`, `files`)."""
    found = set()
    for path in (path for folder in ("geo_cluster", "app") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Import(names=names):
                    found |= {name.name.partition(".")[0] for name in names}
                case ast.ImportFrom(module=str(module), level=0):
                    found.add(module.partition(".")[0])
                case ast.Call(func=ast.Attribute(attr="find_spec" | "files"), args=[ast.Constant(value=str(module))]):
                    found.add(module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"geo_cluster", "app"}


@pytest.mark.slow
def test_every_dependency_is_used_and_everything_used_is_a_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = {re.match(r"[\w.-]+", line)[0] for line in project["project"]["dependencies"]}
    on_wish = {re.match(r"[\w.-]+", line)[0] for line in project["dependency-groups"]["cluster"]}
    owners = importlib.metadata.packages_distributions()
    used = {owner.lower().replace("_", "-") for module in imported() for owner in owners[module]}
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "geo_cluster").rglob("*.py"))
    used |= {name for name, words in NAMED_ONLY.items() if words in code}
    assert declared - used == set(), "declared, and used by nobody"
    assert used - declared - on_wish == set(), "used, and there only because something else brings it"


def test_streamlit_stays_where_it_was_read():
    """`app/streamlit_patches.py` wraps the insides of this release; a later one is read before it is taken."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "streamlit[auth]>=1.67,<1.68" in project["project"]["dependencies"]
    assert importlib.metadata.version("streamlit").startswith("1.67.")


@pytest.mark.slow
def test_no_machine_is_named():
    """Paths of whoever wrote this, and hosts that only they can reach."""
    places = [rf"/{name}/" for name in ("work", "root", "home")]
    wanted = re.compile("|".join([*(rf"(?<![\w.\-/]){place}[\w.]" for place in places), r"C:\\Users"]))
    own = Path(__file__).name
    found = []
    for path in tracked():
        if path.name == own:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {hit[0]}" for hit in wanted.finditer(text)]
    assert found == []


MODULES = sorted(module.name for module in pkgutil.walk_packages(geo_cluster.__path__, "geo_cluster."))


@pytest.mark.slow
def test_the_core_never_imports_the_screen():
    code = f"import importlib, sys\nfor name in {MODULES!r}:\n    importlib.import_module(name)\n"
    code += "found = [name for name in sys.modules if name.split('.')[0] in ('streamlit', 'streamlit_folium', 'app')]\n"
    code += "assert not found, found[:3]"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert len(MODULES) > 20


def test_only_two_files_touch_the_session_and_those_called_cached_cache():
    """Rules of the house: `app/session.py` (what widgets say), `app/state.py` (the work), `app/cached*.py`."""
    for path in (ROOT / "app").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert ("st.session_state" in text) == (path.name in ("state.py", "session.py")), path.name
        assert bool(re.search(r"@st\.cache_", text)) == path.name.startswith("cached"), path.name
