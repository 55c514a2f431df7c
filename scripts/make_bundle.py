"""Make archives that install geo_cluster on a machine without any network: dist/geo-cluster-VERSION-offline-PLATFORM.*

    python scripts/make_bundle.py [--platform linux|windows] [--python 3.11 ...] [--out dist]

Each holds the wheels of all that a run needs, in the versions and with the hashes of uv.lock, for every Python that has
them; our own wheel; checksums; and what lies in deploy/offline: scripts to install and to start, and how to. Downloads
stay in .cache/bundle. The same lock and code give the same bytes. Run by `make bundle`, which sets up what this needs.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bundle"
EPOCH = os.environ.get("SOURCE_DATE_EPOCH", "1767225600")
"""The date of every file in an archive: 2026-01-01."""

PYTHONS = ("3.11", "3.12", "3.13")
GLIBC = 28
"""Linux of 2018 or later (glibc 2.28): Debian 10, RHEL 8, Kylin V10, UOS 20, openEuler."""

PLATFORMS = {
    "linux": [f"manylinux_2_{minor}_x86_64" for minor in range(GLIBC, 4, -1)]
    + ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"],
    "windows": ["win_amd64"],
}
MARKERS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
}
SCRIPTS = {
    "linux": ["install.sh", "start.sh", "geo-cluster"],
    "windows": ["install.bat", "start.bat", "geo-cluster.bat"],
}
PAPERS = [
    "LICENSE",
    "LICENSE-DATA.md",
    "README.md",
    "README.zh-CN.md",
    "docs/operations.md",
    "docs/operations.zh-CN.md",
]
"""What goes along as it is; on Linux also the rest of deploy/."""


@dataclass(frozen=True)
class Wheel:
    """A wheel to ship: which requirement it meets, its name and what its bytes add up to."""

    needs: str
    name: str
    sha256: str
    path: Path

    @property
    def line(self) -> str:
        """As pip wants it under --require-hashes."""
        return f"{self.needs} --hash=sha256:{self.sha256}"


Package = tuple[Requirement, dict[str, Any]]
"""A requirement with its markers, and the entry of uv.lock that meets it."""


def main() -> int:
    """Make what was asked for; 0 if each archive was made, even where a Python had to be left out."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    asked.add_argument("--platform", choices=[*PLATFORMS, "all"], default="all")
    asked.add_argument("--python", choices=PYTHONS, nargs="+", default=PYTHONS)
    asked.add_argument("--out", type=Path, default=ROOT / "dist")
    told = asked.parse_args()
    platforms = list(PLATFORMS) if told.platform == "all" else [told.platform]
    pythons = tuple(python for python in PYTHONS if python in told.python)

    CACHE.mkdir(parents=True, exist_ok=True)
    told.out.mkdir(parents=True, exist_ok=True)
    try:
        locked = packages()
        with tempfile.TemporaryDirectory() as folder:
            own = _own_wheel(Path(folder))
            made = [_bundle(platform, pythons, locked, own, told.out) for platform in platforms]
    except subprocess.CalledProcessError as failed:
        sys.exit(
            f"not made: {' '.join(failed.cmd[:4])} … ended with {failed.returncode}: {failed.stderr or 'see above'}"
        )
    return 0 if all(made) else 1


def _bundle(platform: str, pythons: tuple[str, ...], locked: list[Package], own: Wheel, out: Path) -> bool:
    """One archive; False where no Python has all wheels."""
    began = time.monotonic()
    wheels: dict[str, Path] = {}
    files: dict[str, bytes | Path] = {}
    for python in pythons:
        chosen, lacking = choose(platform, python, locked)
        if lacking:
            print(f"left out: {platform}, Python {python}: no wheel of {', '.join(lacking)}")
            continue
        _download([wheel for wheel in chosen if not _is_there(wheel)], platform, python)
        installed = [own, *(wheel for wheel in chosen if not wheel.needs.startswith("pip=="))]
        files[f"requirements-{python}.txt"] = "".join(f"{wheel.line}\n" for wheel in installed).encode()
        wheels |= {wheel.name: wheel.path for wheel in [*chosen, own]}
    if not files:
        print(f"not made: {platform}: no Python has all wheels")
        return False
    files |= {f"wheels/{name}": path for name, path in wheels.items()}
    files |= papers(platform)
    files["SHA256SUMS"] = "".join(f"{_sha256(files[name])}  {name}\n" for name in sorted(files)).encode()
    stem = f"{own.needs.replace('==', '-')}-offline-{platform}"
    if pythons != PYTHONS:
        stem += "-py" + "-".join(pythons)
    archive = _pack(stem, files, out, platform)
    size, of_wheels = archive.stat().st_size / 1e6, sum(path.stat().st_size for path in wheels.values()) / 1e6
    print(f"{archive}: {size:.0f} MB, {len(wheels)} wheels of {of_wheels:.0f} MB, {time.monotonic() - began:.1f} s")
    return True


def packages() -> list[Package]:
    """What a run needs and the pip that installs it: each requirement with its entry in the lock."""
    uv = os.environ.get("UV") or shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")
    command = [uv, "export", "--frozen", "--no-dev", "--group", "bundle", "--no-emit-project"]
    command += ["--no-hashes", "--no-annotate", "--no-header", "--quiet"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    entries = {f"{package['name']}=={package['version']}": package for package in lock["package"]}
    found = [Requirement(line) for line in done.stdout.splitlines() if line.strip()]
    # setuptools builds; nothing that runs needs it
    return [(each, entries[f"{each.name}{each.specifier}"]) for each in found if each.name != "setuptools"]


def choose(platform: str, python: str, locked: list[Package]) -> tuple[list[Wheel], list[str]]:
    """The wheels for a platform and a Python, and the packages that have none."""
    environment = MARKERS[platform] | {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_version": "",
    }
    ranks = {tag: rank for rank, tag in enumerate(_tags(platform, python))}
    found, lacking = [], []
    for each, package in locked:
        if each.marker and not each.marker.evaluate(environment):
            continue
        wheel = _best(package, ranks) if package.get("wheels") else _built(package)
        if wheel is None:
            lacking.append(f"{each.name}{each.specifier}")
        else:
            found.append(wheel)
    return found, lacking


def _tags(platform: str, python: str) -> Iterator:
    """What such a Python can install, the best first."""
    version = tuple(map(int, python.split(".")))
    yield from cpython_tags(version, platforms=PLATFORMS[platform])
    yield from compatible_tags(version, interpreter=f"cp{version[0]}{version[1]}", platforms=PLATFORMS[platform])


def _best(package: dict, ranks: dict) -> Wheel | None:
    """The wheel of a package that fits best."""
    fitting = []
    for wheel in package.get("wheels", []):
        name = wheel["url"].rpartition("/")[2]
        rank = min((ranks[tag] for tag in parse_wheel_filename(name)[3] if tag in ranks), default=None)
        if rank is not None:
            fitting.append((rank, name, wheel["hash"].removeprefix("sha256:")))
    if not fitting:
        return None
    _, name, sha256 = min(fitting)
    return Wheel(f"{package['name']}=={package['version']}", name, sha256, CACHE / name)


def _is_there(wheel: Wheel) -> bool:
    return wheel.path.is_file() and _sha256(wheel.path) == wheel.sha256


def _download(wheels: list[Wheel], platform: str, python: str) -> None:
    """Fetch wheels into the cache, from wherever pip is told to; a hash that differs ends it."""
    if not wheels:
        return
    print(f"fetching {len(wheels)} wheels for {platform}, Python {python}", flush=True)
    for wheel in wheels:
        wheel.path.unlink(missing_ok=True)  # a damaged one
    command = [*_PIP, "download", "--no-deps", "--only-binary=:all:", "--python-version", python, "--dest", str(CACHE)]
    for name in PLATFORMS[platform]:
        command += ["--platform", name]
    _pip([*command, "--require-hashes"], [wheel.line for wheel in wheels])


def _built(package: dict) -> Wheel:
    """The wheel of a package that is published as source alone: pure Python, built once."""
    needs, sha256 = f"{package['name']}=={package['version']}", package["sdist"]["hash"]
    built = CACHE / sha256.removeprefix("sha256:")[:16]  # a folder of its own for each source
    if not list(built.glob("*-none-any.whl")):
        print(f"building {needs}", flush=True)
        command = [*_PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(built)]
        _pip([*command, "--require-hashes"], [f"{needs} --hash={sha256}"])
    (path,) = built.glob("*-none-any.whl")
    return Wheel(needs, path.name, _sha256(path), path)


_PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


def _pip(command: list[str], lines: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "requirements.txt"
        wanted.write_text("\n".join(lines), encoding="utf-8")
        subprocess.run(
            [*command, "--requirement", str(wanted)], check=True, env=os.environ | {"SOURCE_DATE_EPOCH": EPOCH}
        )


def _own_wheel(folder: Path) -> Wheel:
    """geo_cluster itself, as the working tree has it."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    environment = os.environ | {"SOURCE_DATE_EPOCH": EPOCH}
    subprocess.run(command, cwd=ROOT, check=True, env=environment)
    (path,) = folder.glob("*.whl")
    version = parse_wheel_filename(path.name)[1]
    return Wheel(f"geo-cluster=={version}", path.name, _sha256(path), path)


def papers(platform: str) -> dict[str, bytes | Path]:
    """Scripts and papers, with the line ends that the platform wants."""
    folder = ROOT / "deploy" / "offline"
    files: dict[str, bytes] = {
        name: (folder / name).read_bytes() for name in ["install.py", "no-python.txt", "INSTALL.txt", "安装说明.txt"]
    }
    files |= {name: (folder / name).read_bytes() for name in SCRIPTS[platform]}
    files |= {name: (ROOT / name).read_bytes() for name in PAPERS}
    if platform == "linux":
        files |= {f"deploy/{path.name}": path.read_bytes() for path in (ROOT / "deploy").glob("*.*") if path.is_file()}
    # the Notepad and cmd of older Windows want CRLF, bash wants LF, whatever git made of them here
    end = b"\r\n" if platform == "windows" else b"\n"
    return {name: re.sub(rb"\r?\n", end, text) for name, text in files.items()}


def _pack(stem: str, files: dict[str, bytes | Path], out: Path, platform: str) -> Path:
    """A tar for Linux, which keeps what may be executed; a zip for Windows. Wheels are packed already."""
    path = out / f"{stem}.{'tar' if platform == 'linux' else 'zip'}"
    part = path.with_suffix(".part")  # one that was stopped is not taken for a bundle
    pack = _tar if platform == "linux" else _zip
    pack(part, {f"{stem}/{name}": files[name] for name in sorted(files)})
    return part.replace(path)


def _tar(path: Path, files: dict[str, bytes | Path]) -> None:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, held in files.items():
            content = _bytes(held)
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), int(EPOCH)
            member.mode = 0o755 if Path(name).name in SCRIPTS["linux"] else 0o644
            archive.addfile(member, io.BytesIO(content))


def _zip(path: Path, files: dict[str, bytes | Path]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, held in files.items():
            member = zipfile.ZipInfo(name, time.gmtime(int(EPOCH))[:6])
            member.create_system = 3  # else it says on what system it was made
            archive.writestr(member, _bytes(held))


def _bytes(content: bytes | Path) -> bytes:
    return content.read_bytes() if isinstance(content, Path) else content


def _sha256(content: bytes | Path) -> str:
    return hashlib.sha256(_bytes(content)).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
