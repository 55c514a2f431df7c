"""Install geo_cluster from this folder into `venv` beside it; called by install.sh and install.bat.

Nothing is asked of a network and nothing outside this folder is touched: works are kept in the user's data folder, see
INSTALL.txt. What was installed before is set aside and comes back where an installation fails.

    python install.py          install
    python install.py --fits   say whether this Python can take what this folder holds; exit code 0 if so
"""

import contextlib
import errno
import hashlib
import os
import platform
import shutil
import signal
import struct
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
WHEELS = HERE / "wheels"
VENV, OLD = HERE / "venv", HERE / "venv.old"
COMPLETE = "complete"
"""A file in `venv`, written last: what starts the app looks for it."""

MACHINES = ("x86_64", "amd64")
GLIBC = 28
"""The least 2.x that the wheels were chosen for."""

SPARE_MB = 100
WINDOWS_PATH = 259
"""Characters that a path may have there, unless somebody switched that off."""

WARM = """
import streamlit.web.cli, geo_cluster.export.bundle, app.cached
from geo_cluster.matching.solve import warm
warm()
"""


class InstallError(Exception):
    """Why it can't be installed: in Chinese, in English."""

    def __init__(self, zh, en):
        super().__init__(f"✗ {zh}\n✗ {en}")


def main():
    try:
        check_python()
        if "--fits" in sys.argv[1:]:
            return 0
        install()
    except InstallError as why:
        print(why, file=sys.stderr)
        return 2
    except OSError as why:
        print(f"✗ 读写出错：{why}\n✗ reading or writing failed: {why}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("✗ 已中断，未改动原有安装\n✗ stopped; what was installed before is as it was", file=sys.stderr)
        return 130
    return 0


def check_python():
    """Refuse a Python for which there are no wheels here."""
    version = "{}.{}".format(*sys.version_info)
    held = sorted(path.stem.partition("-")[2] for path in HERE.glob("requirements-*.txt"))
    system = "windows" if sys.platform == "win32" else sys.platform
    made_for = "windows" if (HERE / "install.bat").exists() else "linux"
    if system != made_for:
        raise InstallError(f"此安装包用于 {made_for}，本机是 {system}", f"this archive is for {made_for}, not {system}")
    if platform.machine().lower() not in MACHINES:
        raise InstallError(
            f"处理器为 {platform.machine()}，安装包只用于 x86-64",
            f"the processor is {platform.machine()}; the archive is for x86-64",
        )
    if struct.calcsize("P") != 8:
        raise InstallError(
            f"这是 32 位 Python {version}，请装 64 位的", f"this is a 32-bit Python {version}; install a 64-bit one"
        )
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise InstallError(
            "需要标准的 CPython（不是 PyPy，也不是无 GIL 版）",
            "it needs the usual CPython, neither PyPy nor one without GIL",
        )
    if version not in held:
        raise InstallError(
            f"Python {version} 不合适，安装包只有 {'、'.join(held)} 的文件",
            f"Python {version} does not fit; the archive is for {', '.join(held)}",
        )
    if system == "linux":
        name, number = platform.libc_ver()
        if name != "glibc" or int(number.split(".")[1]) < GLIBC:
            raise InstallError(
                f"系统库太旧或不是 glibc（{name} {number}），需要 glibc 2.{GLIBC} 以上",
                f"the system's C library ({name} {number}) won't do: glibc 2.{GLIBC} or later is needed",
            )


def install():
    """Check what lies here, then put it into `venv`; on failure `venv` is what it was."""
    requirements = HERE / "requirements-{}.{}.txt".format(*sys.version_info)
    say("校验文件", "checking the files")
    check_files()
    restore()  # an installation that was killed
    check_room(requirements)
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(number, signal.default_int_handler)  # as Ctrl+C: ends what it began
    if VENV.exists():
        try:
            VENV.rename(OLD)
        except OSError:
            zh, en = "原有程序正在使用，请先停止再安装", "what is installed is in use: stop it first"
            raise InstallError(zh, en) from None
    try:
        fill(requirements)
        (VENV / COMPLETE).write_text(requirements.read_text().partition(" ")[0] + "\n")
    except BaseException:
        restore()
        raise
    remove(OLD)
    start = "start.bat" if sys.platform == "win32" else "./start.sh"
    say(f"安装完成。启动：{start}", f"installed. To start: {start}")


def check_files():
    """Refuse a folder from which a file is missing, or in which one isn't what it was."""
    lines = (HERE / "SHA256SUMS").read_text(encoding="utf-8").splitlines() if (HERE / "SHA256SUMS").exists() else []
    if not lines:
        raise InstallError("缺少 SHA256SUMS，请重新解压安装包", "SHA256SUMS is missing: unpack the archive again")
    bad = []
    for line in lines:
        wanted, name = line.split("  ", 1)
        try:
            if hashlib.sha256((HERE / name).read_bytes()).hexdigest() != wanted:
                bad.append(name)
        except OSError:
            bad.append(name)
    if bad:
        names = ", ".join(bad[:5]) + (" …" if len(bad) > 5 else "")
        raise InstallError(
            f"文件损坏或缺失，请重新拷贝并解压安装包：{names}",
            f"damaged or missing, copy and unpack the archive again: {names}",
        )


def check_room(requirements):
    """Refuse a disk that is too full, a path that is too long, and a folder that may not be written."""
    names = [line.split(" ")[0].replace("-", "_").lower().split("==") for line in requirements.read_text().splitlines()]
    wanted = {tuple(name) for name in names}
    size = longest = 0
    for path in WHEELS.glob("*.whl"):
        if tuple(path.name.lower().split("-")[:2]) in wanted:
            with zipfile.ZipFile(str(path)) as wheel:
                size += sum(member.file_size for member in wheel.infolist())
                longest = max([longest, *(len(member.filename) for member in wheel.infolist())])
    over = len(str(VENV / "Lib" / "site-packages")) + 1 + longest - WINDOWS_PATH
    if sys.platform == "win32" and over > 0:
        raise InstallError(
            f"文件夹路径太长（超出 {over} 个字符），请移到较短的路径，例如 D:\\geo",
            f"the path of this folder is {over} characters too long: move it to a shorter one, e.g. D:\\geo",
        )
    needed, free = int(size / 1e6) + SPARE_MB, int(shutil.disk_usage(str(HERE)).free / 1e6)
    if free < needed:
        raise InstallError(
            f"磁盘空间不足：需要 {needed} MB，只剩 {free} MB",
            f"the disk is too full: {needed} MB needed, {free} MB free",
        )
    try:
        OLD.mkdir()
        OLD.rmdir()
    except OSError:
        zh, en = (
            "不能写入本文件夹，请放到自己有权写入的位置",
            "this folder can't be written: put it where you may write",
        )
        raise InstallError(zh, en) from None


def fill(requirements):
    """Make `venv`, install the wheels and compile the engine."""
    say("安装", "installing")
    run([sys.executable, "-m", "venv", "--without-pip", str(VENV)])
    python = str(VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
    (pip,) = WHEELS.glob("pip-*.whl")
    command = [python, str(pip / "pip"), "--isolated", "--no-cache-dir", "--disable-pip-version-check", "install"]
    command += ["--no-index", "--find-links", str(WHEELS), "--only-binary=:all:", "--require-hashes", "--no-compile"]
    run([*command, "--quiet", "--no-warn-script-location", "--requirement", str(requirements)])
    say("编译计算引擎（约一分钟，仅此一次）", "compiling the engine (a minute, once)")
    run([python, "-c", WARM])


def run(command):
    """Run a step; its words become ours where it fails."""
    # whatever pip of this machine is told of indexes and folders counts for nothing here
    environment = dict(os.environ, PIP_CONFIG_FILE=os.devnull, PYTHONSAFEPATH="1", PYTHONUTF8="1")
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace"
    )
    if done.returncode == 0:
        return
    if os.strerror(errno.ENOSPC) in done.stdout or shutil.disk_usage(str(HERE)).free < 1e6:
        raise InstallError("磁盘已满", "the disk is full")
    last = "\n".join(done.stdout.strip().splitlines()[-8:])
    raise InstallError("有一步没有成功，见下", f"a step failed, with exit code {done.returncode}:\n{last}")


def restore():
    """Take away what isn't complete, and bring back what was there before."""
    if VENV.exists() and not (VENV / COMPLETE).exists():
        remove(VENV)
    if OLD.exists() and not VENV.exists():
        OLD.rename(VENV)
    remove(OLD)


def remove(folder):
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(str(folder))


def say(zh, en):
    print(f"· {zh} / {en}", flush=True)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a terminal that knows no Chinese still gets the English
    sys.exit(main())
