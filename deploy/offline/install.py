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
GLIBC = (2, 28)
SPARE_MB = 100
WARM = "import streamlit.web.cli, geo_cluster.export.bundle, app.cached; from geo_cluster.matching.solve import warm; warm()"


class Refused(Exception):
    """Why it can't be installed: in Chinese, in English."""

    def __init__(self, zh, en):
        super().__init__("✗ %s\n✗ %s" % (zh, en))


def main():
    try:
        check_python()
        if "--fits" in sys.argv[1:]:
            return 0
        install()
    except Refused as why:
        print(why, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("✗ 已中断，未改动原有安装\n✗ stopped; what was installed before is as it was", file=sys.stderr)
        return 130
    return 0


def check_python():
    """Refuse a Python for which there are no wheels here."""
    version = "%d.%d" % sys.version_info[:2]
    held = sorted(path.stem.partition("-")[2] for path in HERE.glob("requirements-*.txt"))
    system = "windows" if sys.platform == "win32" else sys.platform
    made_for = "windows" if (HERE / "install.bat").exists() else "linux"
    if system != made_for:
        raise Refused(
            "此安装包用于 %s，本机是 %s" % (made_for, system), "this archive is for %s, not %s" % (made_for, system)
        )
    if platform.machine().lower() not in MACHINES:
        raise Refused(
            "处理器为 %s，安装包只用于 x86-64" % platform.machine(),
            "the processor is %s; the archive is for x86-64" % platform.machine(),
        )
    if struct.calcsize("P") != 8:
        raise Refused(
            "这是 32 位 Python %s，请装 64 位的" % version, "this is a 32-bit Python %s; install a 64-bit one" % version
        )
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise Refused(
            "需要标准的 CPython（不是 PyPy，也不是无 GIL 版）",
            "it needs the usual CPython, neither PyPy nor one without GIL",
        )
    if version not in held:
        raise Refused(
            "Python %s 不合适，安装包只有 %s 的文件" % (version, "、".join(held)),
            "Python %s does not fit; the archive is for %s" % (version, ", ".join(held)),
        )
    if system == "linux":
        name, number = platform.libc_ver()
        if name != "glibc" or tuple(map(int, number.split(".")[:2])) < GLIBC:
            raise Refused(
                "系统库 %s %s 太旧或不是 glibc，需要 glibc %d.%d 以上" % ((name or "libc", number) + GLIBC),
                "the system has %s %s; it needs glibc %d.%d or later" % ((name or "another libc", number) + GLIBC),
            )


def install():
    """Check what lies here, then put it into `venv`; on failure `venv` is what it was."""
    requirements = HERE / ("requirements-%d.%d.txt" % sys.version_info[:2])
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
            raise Refused(
                "原有程序正在使用，请先停止再安装", "what is installed is in use, or may not be changed: stop it first"
            )
    try:
        fill(requirements)
        (VENV / COMPLETE).write_text(requirements.read_text().partition(" ")[0] + "\n")
    except BaseException:
        restore()
        raise
    remove(OLD)
    start = "start.bat" if sys.platform == "win32" else "./start.sh"
    say("安装完成。启动：%s" % start, "installed. To start: %s" % start)


def check_files():
    """Refuse a folder from which a file is missing, or in which one isn't what it was."""
    lines = (HERE / "SHA256SUMS").read_text(encoding="utf-8").splitlines() if (HERE / "SHA256SUMS").exists() else []
    if not lines:
        raise Refused("缺少 SHA256SUMS，请重新解压安装包", "SHA256SUMS is missing: unpack the archive again")
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
        raise Refused(
            "文件损坏或缺失，请重新拷贝并解压安装包：%s" % names,
            "damaged or missing, copy and unpack the archive again: %s" % names,
        )


def check_room(requirements):
    """Refuse a disk that is too full, and a folder that may not be written."""
    names = [line.split(" ")[0].replace("-", "_").lower().split("==") for line in requirements.read_text().splitlines()]
    wanted = {tuple(name) for name in names}
    size = 0
    for path in WHEELS.glob("*.whl"):
        if tuple(path.name.lower().split("-")[:2]) in wanted:
            with zipfile.ZipFile(str(path)) as wheel:
                size += sum(member.file_size for member in wheel.infolist())
    needed, free = int(size / 1e6) + SPARE_MB, int(shutil.disk_usage(str(HERE)).free / 1e6)
    if free < needed:
        raise Refused(
            "磁盘空间不足：需要 %d MB，只剩 %d MB" % (needed, free),
            "the disk is too full: %d MB needed, %d MB free" % (needed, free),
        )
    try:
        probe = HERE / "venv.probe"
        probe.mkdir(exist_ok=True)
        probe.rmdir()
    except OSError as why:
        raise Refused(
            "不能写入本文件夹（%s）：请放到自己有权写入的位置" % why.strerror,
            "this folder can't be written (%s): put it where you may write" % why.strerror,
        )


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
        raise Refused("磁盘已满", "the disk is full")
    last = "\n".join(done.stdout.strip().splitlines()[-8:])
    raise Refused("这一步没有成功：%s" % command[1:3], "a step failed, with exit code %d:\n%s" % (done.returncode, last))


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
    print("· %s / %s" % (zh, en), flush=True)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a terminal that knows no Chinese still gets the English
    sys.exit(main())
