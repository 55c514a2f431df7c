"""The tables of an intake as files, a batch at a time: what is done is kept, and a second run goes on from there."""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import geo_cluster
from geo_cluster.domain import Language
from geo_cluster.errors import Fault, InputError, reason_of
from geo_cluster.export.all_or_none import check_writable, write_files
from geo_cluster.export.csv_tables import SAMPLE, dated
from geo_cluster.intake import appraise, runner
from geo_cluster.intake.appraise import TABLES, Appraisal
from geo_cluster.region import Region
from geo_cluster.world import rule_life
from geo_cluster.world.spreadsheet import as_csv, bared

Format = Literal["csv", "parquet"]
KEPT = ".intake-"
"""How the folder begins in which batches are kept until all are done."""


@dataclass(frozen=True, eq=False)
class Order:
    """What is to be made of each batch.

    Attributes
    ----------
    region : Region
    top : int
        As of `appraise.batch`.
    format : {"csv", "parquet"}
    sample : bool
        Mark every row as made up.
    """

    region: Region
    top: int = 0
    format: Format = "csv"
    sample: bool = False


class Progress(NamedTuple):
    """How far a run is: projects done and in all, and of those done how many an earlier run had done."""

    done: int
    total: int
    earlier: int


def encoded(part: Appraisal, order: Order, *, heading: bool = True) -> dict[str, bytes]:
    """The tables of a batch as files, by name.

    Parameters
    ----------
    part : Appraisal
    order : Order
    heading : bool
        Whether a CSV begins with its headings.
    """
    found = {}
    for name in TABLES:
        table = dated(getattr(part, name), part.day)
        table = table.assign(notice=SAMPLE) if order.sample else table
        found[f"{name}.{order.format}"] = (
            as_csv(table, heading=heading) if order.format == "csv" else _as_parquet(table)
        )
    return found


def _as_parquet(table: pd.DataFrame) -> bytes:
    """A table as Parquet, the types of whose columns do not depend on what stands in them."""
    types = [(str(name), _type_of(column)) for name, column in table.items()]
    content = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(table, schema=pa.schema(types), preserve_index=False), content)
    return content.getvalue()


def _type_of(column: pd.Series) -> pa.DataType:
    if pd.api.types.is_bool_dtype(column):
        return pa.bool_()
    if pd.api.types.is_integer_dtype(column):
        return pa.int64()
    return pa.float64() if pd.api.types.is_float_dtype(column) else pa.string()


def write_appraisal(parts: Iterable[Appraisal], out: Path, order: Order) -> list[Path]:
    """Write batches that are at hand: `appraise.TABLES` and their rules; see `all_or_none.write_files`.

    Parameters
    ----------
    parts : iterable of Appraisal
    out : Path
        Folder.
    order : Order
        Its format, and whether to mark every row as made up.
    """

    def make(folder: Path) -> None:
        for number, part in enumerate(parts):
            for name, content in encoded(part, order, heading=number == 0).items():
                with (folder / name).open("ab") as file:
                    file.write(content)
        (folder / f"rules.{order.format}").write_bytes(_rules(order))

    return write_files(out, make)


def _rules(order: Order) -> bytes:
    rules = rule_life.table(order.region.scenario.date)
    return as_csv(rules) if order.format == "csv" else _as_parquet(rules)


def batch_files(order: Order, piece: tuple[int, pd.DataFrame]) -> dict[str, bytes]:
    """The files of one batch: its number and its projects; done by whichever process it is handed to."""
    number, projects = piece
    return encoded(appraise.batch(order.region, projects, order.top), order, heading=number == 0)


def write(
    order: Order,
    projects: pd.DataFrame,
    out: Path,
    *,
    scheduler: str = "",
    workers: int = 0,
    on_done: Callable[[Progress], object] = lambda _: None,
) -> list[Path]:
    """Appraise checked projects and write `appraise.TABLES` and the rules that they go by.

    Batches are kept in a hidden folder of `out` as they are done; a run that ends before time leaves them there, and
    the next of the same order and projects begins behind them. The files are the same, however often it was stopped.

    Parameters
    ----------
    order : Order
    projects : DataFrame
        Checked projects (`portfolio.check`).
    out : Path
        Folder.
    scheduler, workers
        As of `runner.in_order`.
    on_done : callable
        Called with the `Progress` before the first batch and after each.

    Raises
    ------
    InputError
        The folder can't be written to or the disk is full; a cluster that isn't there, or went away.
    """
    check_writable(out)
    is_new = not out.exists()
    kept = out / f"{KEPT}{_key(order, projects)}"
    pieces = list(enumerate(appraise.pieces(projects, sites=len(order.region.sites), top=order.top)))

    if len(pieces) > runner.ALONE and not scheduler:
        appraise.batch(order.region, projects.head(1), order.top)  # compiled once, for every process

    def do(left: list[tuple[int, pd.DataFrame]]) -> Iterator[dict[str, bytes]]:
        return runner.in_order(batch_files, order, left, scheduler=scheduler, workers=workers)

    try:
        _keep(pieces, kept, do, on_done)
        written = write_files(out, lambda folder: _assemble(order, [kept / _name(n) for n, _ in pieces], folder))
    except OSError as problem:
        raise InputError(Fault("export.not_written", out, reason=reason_of(problem))) from None
    finally:
        _leave_nothing(kept, out if is_new else None)
    for folder in out.glob(f"{KEPT}*"):
        shutil.rmtree(folder, ignore_errors=True)
    return written


def _keep(
    pieces: Sequence[tuple[int, pd.DataFrame]],
    kept: Path,
    work: Callable[[list[tuple[int, pd.DataFrame]]], Iterator[dict[str, bytes]]],
    on_done: Callable[[Progress], object],
) -> None:
    """Do the batches that no earlier run has done, and keep each."""
    left = [(number, part) for number, part in pieces if not (kept / _name(number)).is_dir()]
    total = sum(len(part) for _, part in pieces)
    done = earlier = total - sum(len(part) for _, part in left)
    on_done(Progress(done, total, earlier))
    kept.mkdir(parents=True, exist_ok=True)
    for (number, part), files in zip(left, work(left), strict=True):
        draft = kept / f".{_name(number)}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        for name, content in files.items():
            (draft / name).write_bytes(content)
        draft.rename(kept / _name(number))  # all of a batch, or nothing of it
        done += len(part)
        on_done(Progress(done, total, earlier))


def _leave_nothing(kept: Path, new: Path | None) -> None:
    """Take away what a run began and did not finish; folders that have nothing in them, too."""
    for draft in kept.glob(".*"):
        shutil.rmtree(draft, ignore_errors=True)
    for folder in (kept, new):
        if folder is not None and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _name(number: int) -> str:
    return f"{number:06d}"


def first_sentences(out: Path, order: Order, language: Language, count: int) -> list[str]:
    """What the first few verdicts in a folder say.

    Parameters
    ----------
    out : Path
    order : Order
        That the folder was written by.
    language : {"zh", "en"}
    count : int
    """
    path, column = out / f"verdicts.{order.format}", f"sentence_{language}"
    if order.format == "parquet":
        return [str(one) for one in pq.ParquetFile(path).read_row_group(0, columns=[column])[column].slice(0, count)]
    return [*bared(pd.read_csv(path, usecols=[column], nrows=count, encoding="utf-8-sig"))[column]]


def _assemble(order: Order, parts: Sequence[Path], folder: Path) -> None:
    """One file a table of what the batches have."""
    for table in TABLES:
        name = f"{table}.{order.format}"
        if order.format == "parquet":
            with pq.ParquetWriter(folder / name, pq.read_schema(parts[0] / name)) as file:
                for part in parts:
                    file.write_table(pq.read_table(part / name))
            continue
        with (folder / name).open("wb") as whole:
            for part in parts:
                with (part / name).open("rb") as piece:
                    shutil.copyfileobj(piece, whole, 1 << 20)
    (folder / f"rules.{order.format}").write_bytes(_rules(order))


def _key(order: Order, projects: pd.DataFrame) -> str:
    """What tells this work from any other: projects, scenario, layers, what is asked for, and what does it."""
    own = Path(geo_cluster.__file__).parent
    stats = sorted(
        (str(one.relative_to(own)), one.stat().st_size, one.stat().st_mtime_ns)
        for one in own.rglob("*")
        if one.suffix in (".py", ".toml")
    )
    about = [
        pd.util.hash_pandas_object(projects, index=True).to_numpy().tobytes(),
        repr(list(projects.columns)).encode(),
        order.region.scenario.model_dump_json().encode(),
        order.region.layers.key.encode(),
        repr((order.top, order.format, order.sample, appraise.BATCH, appraise.MOST_PAIRS)).encode(),
        repr((order.region.scenario.date, stats)).encode(),
    ]
    return hashlib.sha256(b"\0".join(about)).hexdigest()[:16]
