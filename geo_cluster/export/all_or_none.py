"""A folder of results: whether it can be written to, and files that get there all or none."""

from __future__ import annotations

import contextlib
import errno
import tempfile
from collections.abc import Callable
from pathlib import Path

from geo_cluster.errors import Fault, InputError, reason_of


def check_writable(out: Path) -> None:
    """Refuse a folder that can't be written to, before any work is done."""
    if out.exists() and not out.is_dir():
        raise InputError(Fault("export.no_folder", out))
    try:
        nearest = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
        with tempfile.TemporaryDirectory(dir=nearest):
            pass
    except OSError as problem:
        raise _refusal(out, problem) from None


def write_files(out: Path, make: Callable[[Path], None]) -> list[Path]:
    """Let `make` write files into a folder, and move them into `out` when all of them are there.

    All files are made in a hidden folder inside it first; only when each of them is there do they take the place
    of earlier ones. Other files in `out` are left alone.

    Parameters
    ----------
    out : Path
        Made when it isn't there.
    make : callable
        Called with the folder to write into.

    Returns
    -------
    list of Path
        What was written, by name.

    Raises
    ------
    InputError
        The folder can't be written to or the disk is full; what was there before is still there.
    """
    check_writable(out)
    missing = [folder for folder in (out.absolute(), *out.absolute().parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=".draft-") as draft:
            new, earlier = Path(draft, "new"), Path(draft, "earlier")
            new.mkdir()
            earlier.mkdir()
            make(new)
            return _swap(new, out, earlier)
    except BaseException as problem:
        for folder in missing:
            with contextlib.suppress(OSError):
                folder.rmdir()
        if isinstance(problem, OSError):
            raise _refusal(out, problem) from None
        raise


def _refusal(out: Path, problem: OSError) -> InputError:
    if isinstance(problem, IsADirectoryError):
        return InputError(Fault("export.folder_in_the_way", out, name=problem.filename))
    return InputError(Fault("export.not_written", out, reason=reason_of(problem)))


def _swap(new: Path, out: Path, earlier: Path) -> list[Path]:
    """Put new files where earlier ones are; when one can't be put there, put all back."""
    names = sorted(path.relative_to(new) for path in new.rglob("*") if path.is_file())
    folders = sorted({above for name in names for above in name.parents[:-1] if not (out / above).exists()})
    try:
        for folder in folders:
            (out / folder).mkdir()
        for name in names:
            if (out / name).is_dir():
                raise IsADirectoryError(errno.EISDIR, "is a folder", str(name))
            if (out / name).exists():
                (earlier / name).parent.mkdir(parents=True, exist_ok=True)
                (out / name).rename(earlier / name)
            (new / name).rename(out / name)
    except BaseException:
        for name in names:
            if not (new / name).exists():
                (out / name).unlink()
            if (earlier / name).exists():
                (earlier / name).rename(out / name)
        for folder in reversed(folders):
            with contextlib.suppress(OSError):
                (out / folder).rmdir()
        raise
    return [out / name for name in names]
