"""The briefing pack: all that is handed over of a study, for leaders, for colleagues and for the archive.

Which formats there are, for whom, what each is and what its files are called is declared in `tables/pack.toml`; what
makes each is in `pack_makers`. They are made on two cores.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.errors import Fault, GeoClusterError, InputError, refuse_if
from geo_cluster.export import bundle
from geo_cluster.export.beside import Beside
from geo_cluster.export.csv_tables import SAMPLE
from geo_cluster.export.pack_makers import MAKERS, Order, said

GROUPS: tuple[str, ...] = tuple(toml.table("pack")["groups"])
NEWLINE = "\r\n"
"""Of texts: what Windows' own editor takes too."""


class Packed(NamedTuple):
    """A file of the pack: for whom (`group`), of which format, what it is in a few words, and what it holds."""

    group: str
    form: str
    name: str
    content: bytes


def formats() -> dict[str, dict[str, Any]]:
    """The formats that there are, as declared, in their order."""
    return toml.table("pack")["formats"]


def name_of(form: str, language: Language) -> str:
    """What a format is called."""
    return formats()[form]["name"][language] if form in formats() else said("contents", language)


def checked_formats(text: str, where: str = "--formats") -> tuple[str, ...]:
    """Formats as a person lists them, with commas; all of them where none is named. In the order of the pack.

    Raises
    ------
    InputError
        With each that there is not, and those there are.
    """
    named = {one.strip().lower() for one in text.replace("，", ",").split(",") if one.strip()}
    known = formats()
    faults = [Fault("export.no_format", where, value=one[:40], known=list(known)) for one in sorted(named - {*known})]
    refuse_if(faults)
    return tuple(form for form in known if form in named or not named)


def check(slide_template: Path | None, paper_template: Path | None, review: str) -> None:
    """Refuse what can be refused before any work is done, all at once.

    Parameters
    ----------
    slide_template, paper_template : Path, optional
        A house's own .pptx and .docx.
    review : str
        Map review number.

    Raises
    ------
    InputError
        A template is missing or none, or the number has another form.
    """
    faults: list[Fault] = []
    looks = (lambda: _slide_base(slide_template), lambda: _paper_base(paper_template), lambda: _reviewed(review))
    for look in looks:
        try:
            look()
        except InputError as refusal:
            faults += refusal.faults
    refuse_if(faults)


def _slide_base(template: Path | None) -> None:
    if template is not None:
        from geo_cluster.export.slide_template import opened

        _is_a_file(template)
        opened(template)


def _paper_base(template: Path | None) -> None:
    if template is not None:
        from geo_cluster.export.paper_style import opened

        _is_a_file(template)
        opened(template, "zh")


def _is_a_file(template: Path) -> None:
    if not template.is_file():
        raise InputError(Fault("export.template_missing", template))


def _reviewed(number: str) -> None:
    if number.strip():
        from geo_cluster.export.map_sheets import review_number

        review_number(number)


Files = dict[str, Packed]
"""Files of a pack by path: folder of the group, and name."""


def made(order: Order, wanted: Iterable[str] = ()) -> Generator[tuple[str, Files]]:
    """Make a pack format by format, on two cores; whoever asks for no more stops it.

    Parameters
    ----------
    order : Order
    wanted : iterable of str
        Formats; all of them by default.

    Yields
    ------
    str
        The format, as it is done; 'contents' for what the pack has in it comes last.
    dict of str to Packed
        Its files.
    """
    declared, whole = formats(), Files()
    forms = tuple(wanted) or tuple(declared)
    for form, made_of_it in _together(order, forms, {one for one in forms if declared[one].get("beside")}):
        group = declared[form]["group"]
        folder = toml.table("pack")["groups"][group]["folder"][order.language]
        files = {
            f"{folder}/{name}": Packed(group, form, _what(form, name, order.language), content)
            for name, content in made_of_it.items()
        }
        whole |= files
        yield form, files
    name = said("contents", order.language)
    yield "contents", {name: Packed("", "contents", name, _contents(order, in_order(whole)))}


def in_order(files: Files) -> Files:
    """Files in the order of the shelf."""
    forms = [*formats(), "contents"]
    return dict(sorted(files.items(), key=lambda one: forms.index(one[1].form)))


def _together(order: Order, forms: Sequence[str], beside: Set[str]) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Each format with its files as it is done: here from the first on, next door, of `beside`, from the last on."""
    todo = [*(form for form in forms if form not in beside), *(form for form in forms if form in beside)]
    if len(todo) < 2 or not beside:
        yield from ((form, MAKERS[form](order)) for form in todo)
        return
    lock, done = threading.Lock(), queue.SimpleQueue[tuple[str, dict[str, bytes] | BaseException]]()
    away: list[str] = []

    def work(other: Beside) -> None:
        with contextlib.suppress(OSError, EOFError):  # it has ended: what it was at is made here
            other.hand_over()
            while True:
                with lock:
                    if not todo or todo[-1] not in beside:
                        return
                    away.append(todo.pop())
                try:
                    done.put((away[-1], other.make(away[-1])))
                except GeoClusterError as refusal:
                    done.put((away[-1], refusal))
                    return
        with lock:
            todo.extend(away[-1:])
            done.put(("", {}))

    with Beside(replace(order, levels=())) as other:
        worker = threading.Thread(target=work, args=[other], daemon=True)
        left = len(todo)
        worker.start()
        while left:
            with lock:
                form = todo.pop(0) if todo else ""
            found = (form, MAKERS[form](order)) if form else done.get()
            for name, files in [found, *_ready(done)]:
                if isinstance(files, BaseException):
                    raise files
                if name:
                    left -= 1
                    yield name, files


def _ready(done: queue.SimpleQueue[Any]) -> Iterator[Any]:
    with contextlib.suppress(queue.Empty):
        while True:
            yield done.get_nowait()


def _what(form: str, name: str, language: Language) -> str:
    """What a file is: its format, and of a layer which one."""
    if form == "layers":
        known = {row["file"]: row[language] for row in toml.table("gis")["formats"].values()}
        return known.get(PurePosixPath(name).name, said("fields", language))
    return toml.table("pack")["formats"][form]["name"][language]


def _contents(order: Order, files: Mapping[str, Packed]) -> bytes:
    """The list of the files, what they are of, and what has to be known of all of them."""
    language, study = order.language, order.study
    about = {"id": study.scenario.id, "day": study.day, "version": importlib.metadata.version("geo-cluster")}
    lines = [toml.table("pack")["stem"][language], study.scenario.name[language], said("made", language, **about)]
    lines += [f"! {one}" for one in (order.stale, SAMPLE if study.scenario.is_sample else "") if one]
    for group, row in toml.table("pack")["groups"].items():
        its = {path: one for path, one in files.items() if one.group == group}
        if its:
            lines += ["", f"{row['folder'][language]}  {row['what'][language]}"]
            lines += [f"  {path.partition('/')[2]}  {one.name}" for path, one in its.items()]
    return ("\ufeff" + NEWLINE.join([*lines, ""])).encode()


def write(
    order: Order, out: Path, *, wanted: Iterable[str] = (), on_done: Callable[[str], None] = lambda _: None
) -> list[Path]:
    """Write a pack into a folder, all or nothing; see `bundle.write_files`.

    Parameters
    ----------
    order : Order
    out : Path
    wanted : iterable of str
        Formats; all of them by default.
    on_done : callable
        Called with each format as it is done.

    Returns
    -------
    list of Path
        What was written.
    """

    def make(folder: Path) -> None:
        for form, files in made(order, wanted):
            for path, packed in files.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(packed.content)
            on_done(form)

    return bundle.write_files(out, make)
