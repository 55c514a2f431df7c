"""The briefing pack: all that is handed over of a study, for leaders, for colleagues and for the archive.

Which formats there are, for whom, what each is and what its files are called is declared in `tables/pack.toml`; what
makes each is in `pack_makers`. They are made on two cores.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.errors import Fault, InputError, Place, refuse_if
from geo_cluster.export import all_or_none
from geo_cluster.export.beside import beside
from geo_cluster.export.briefing_tables import keep_levels
from geo_cluster.export.csv_tables import SAMPLE
from geo_cluster.export.pack_makers import MAKERS, Order, said
from geo_cluster.export.screened import screening
from geo_cluster.export.template import House
from geo_cluster.report import best_pairs

GROUPS: tuple[str, ...] = tuple(toml.table("pack")["groups"])
SCREENED = "suitability_map"
"""The format that is left out of a whole pack where the work has no screening."""
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


def check(slide_template: House, paper_template: House, review: str) -> None:
    """Refuse what can be refused before any work is done, all at once.

    Parameters
    ----------
    slide_template, paper_template : Path or Template, optional
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


def _slide_base(template: House) -> None:
    if template is not None:
        from geo_cluster.export.slide_template import opened

        opened(template)


def _paper_base(template: House) -> None:
    if template is not None:
        from geo_cluster.export.paper_style import opened

        opened(template, "zh")


def _reviewed(number: str) -> None:
    if number.strip():
        from geo_cluster.export.review import review_number

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

    Raises
    ------
    InputError
        The sheet of suitability was asked for by name, and there is no screening.
    """
    keep_levels(order.study, order.levels)
    declared, whole = formats(), Files()
    forms = tuple(wanted) or tuple(declared)
    if SCREENED in forms and len(forms) < len(declared) and screening(order.study) is None:
        raise InputError(Fault("export.no_screening", Place("", kind="map_sheet", key="kind")))
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


def _together(order: Order, forms: Sequence[str], away: Set[str]) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Each format with its files as it is done: here, and those of `away` in a process beside this one.

    What that process hasn't begun when nothing else is left to do here, and what it was at when it ended, is made here.
    """
    here = [form for form in forms if form not in away]
    if not away or len(forms) < 2:
        yield from ((form, MAKERS[form](order)) for form in forms)
        return
    with ThreadPoolExecutor(1) as lane, beside(replace(order, levels=())) as other:
        asked = {form: lane.submit(other.make, form) for form in forms if form in away}
        for form in [*here, *reversed(asked)]:
            if form in away and not (form in asked and asked[form].cancel()):
                continue
            asked.pop(form, None)
            yield form, MAKERS[form](order)
            for one in [one for one, files in asked.items() if files.done()]:
                yield one, _fetched(asked.pop(one), one, order)
        for form, files in asked.items():
            yield form, _fetched(files, form, order)


def _fetched(files: Future[dict[str, bytes]], form: str, order: Order) -> dict[str, bytes]:
    """What was made next door; made here where that process has ended."""
    try:
        return files.result()
    except (OSError, EOFError, pickle.UnpicklingError):
        return MAKERS[form](order)


def _what(form: str, name: str, language: Language) -> str:
    """What a file is: its format, and of a layer which one."""
    if form == "layers":
        known = {row["file"]: row[language] for row in toml.table("gis")["formats"].values()}
        return known.get(PurePosixPath(name).name, said("fields", language))
    return toml.table("pack")["formats"][form]["name"][language]


def _contents(order: Order, files: Mapping[str, Packed]) -> bytes:
    """The list of the files, what they are of, and what has to be known of all of them."""
    language, study = order.language, order.study
    about = {"id": study.scenario.id, "day": study.day, "version": order.made_by(language)}
    lines = [toml.table("pack")["stem"][language], study.scenario.name[language], said("made", language, **about)]
    warned = (order.stale, SAMPLE if study.scenario.is_sample else "", best_pairs.note(study, language))
    lines += [f"! {one}" for one in warned if one]
    for group, row in toml.table("pack")["groups"].items():
        its = {path: one for path, one in files.items() if one.group == group}
        if its:
            lines += ["", f"{row['folder'][language]}  {row['what'][language]}"]
            lines += [f"  {path.partition('/')[2]}  {one.name}" for path, one in its.items()]
    return ("\ufeff" + NEWLINE.join([*lines, ""])).encode()


def write(
    order: Order, out: Path, *, wanted: Iterable[str] = (), on_done: Callable[[str], None] = lambda _: None
) -> list[Path]:
    """Write a pack into a folder, all or nothing; see `all_or_none.write_files`.

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

    return all_or_none.write_files(out, make)
