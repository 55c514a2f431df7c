"""What the command line prints: tables, progress and refusals, on any terminal, in the reader's language.

Heavy imports wait until something is printed that needs them.
"""

from __future__ import annotations

import codecs
import io
import itertools
import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rich.console import Console

    from geo_cluster.errors import Fault
    from geo_cluster.study import Study

Language = Literal["zh", "en"]

ENVIRONMENT = "GEO_CLUSTER_LANG"
"""Variable that names the language of refusals where `--lang` doesn't: `zh` or `en`."""

PLAIN = {"→": "->", "≤": "<=", "✗": "x", "✓": "ok", "·": "-", "–": "-", "…": "...", "×": "x", "©": "(c)", "°": " deg"}
"""What stands for our signs on a terminal that doesn't have them."""


def language() -> Language:
    """The reader's language: `--lang`, else `GEO_CLUSTER_LANG`, else the locale's if Chinese, else English.

    The command line is looked at as it stands, since it may be what is refused; the default of `--lang`
    is for results, not for refusals.
    """
    asked = [one.removeprefix("--lang=") for one in sys.argv if one.startswith("--lang=")]
    asked += [value for option, value in itertools.pairwise(sys.argv) if option == "--lang"]
    named = os.environ.get(ENVIRONMENT, "").strip()
    locale = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name, ""))), "")
    if asked and asked[-1] in ("zh", "en"):
        return "zh" if asked[-1] == "zh" else "en"
    return "zh" if (named or locale).lower().startswith("zh") else "en"


def refuse(faults: Iterable[Fault]) -> None:
    """Print faults, a line each, to the standard error."""
    for fault in faults:
        line(f"✗ {fault.words(language())}", err=True)


def leave_output() -> None:
    """Have what is left in the buffer of the standard output go nowhere: it has nowhere to go."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def console(*, stderr: bool = False) -> Console:
    """A terminal that shows data as it is: a project may be named `[/b]` or `:factory:`."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, emoji=False)


def report(result: Study, screen: Console, lang: Literal["zh", "en"], levels: Sequence[Study] = ()) -> None:
    """Print the top of the ranking and of the plan, and what each city gets.

    Parameters
    ----------
    result : Study
    screen : Console
    lang : {"zh", "en"}
    levels : sequence of Study
        It at each planning level (`cities.at_levels`); by default at its own alone.
    """
    from rich.table import Table

    from geo_cluster.report import best_pairs, cities, division, tables

    zh = lang == "zh"
    notice = "（示例项目，非任何企业的计划）" if zh else " (sample projects, nobody's plan)"
    names = result.sites.set_index("id")[f"name_{lang}"]

    def show(title: str, headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
        table = Table(*headings, title=title + notice * result.scenario.is_sample)
        for row in rows:
            table.add_row(*row)
        screen.print(table)

    best = tables.ranking(result)[tables.ranking(result)["rank"] == 1].head(8)
    show(
        "各项目首选" if zh else "First choice of each project",
        ("项目", "首选园区", "得分", "区间", "居首概率")
        if zh
        else ("project", "site", "score", "interval", "acceptability"),
        (
            (r.project_name, names[r.site], f"{r.score:.1f}", f"{r.low:.0f}–{r.high:.0f}", f"{r.chance_first:.0%}")
            for r in best.itertuples()
        ),
    )
    show(
        "布局方案" if zh else "Plan",
        ("项目", "园区", "得分", "本项目排名") if zh else ("project", "site", "score", "its rank"),
        (
            (r.project_name, names[r.site], f"{r.score:.1f}", str(r.rank))
            for r in tables.assignment(result).head(12).itertuples()
        ),
    )
    screen.print(cities.heading(levels or (result,), lang))
    for sentence in cities.sentences(cities.cities_table(levels or (result,)), lang):
        screen.print(f"  {sentence}", soft_wrap=True)
    for text in remarks(result.doubts, result.day, lang, result.projects.attrs.get("told", ())):
        screen.print(text, soft_wrap=True)
    for sentence in division.sentences(result, lang):
        screen.print(f"{sentence}{'（仅供参考：样本少）' if zh else ' Indicative only: few firms.'}", soft_wrap=True)
    plan, placed = result.plan, "{}/{}".format(*result.counts)
    proof = f"{plan.objective:,.2f} ≤ {plan.bound:,.2f}, gap {plan.gap:.4%}, {plan.status}"
    proof += ("（到时）" if zh else " (out of time)") * (plan.ended == "clock")
    most = f"至多 {result.most_placed}" if zh else f"at most {result.most_placed}"
    screen.print(f"{'落地' if zh else 'placed'} {placed}, {most}, {proof}, violations {len(result.violations)}")
    for row in tables.unplaced(result).head(8).itertuples():
        screen.print(f"  {row.project_name}: {row.reason if zh else row.reason_en}")
    if best_pairs.is_short(result):
        screen.print(best_pairs.note(result, lang), soft_wrap=True)


class Counted(Protocol):
    """How far something is: done, in all, and done by an earlier run."""

    @property
    def done(self) -> int:
        """So many."""

    @property
    def total(self) -> int:
        """Of so many."""

    @property
    def earlier(self) -> int:
        """Before this run."""


MOST_DOUBTS = 20
"""So many doubts about projects are printed; the rest is counted."""


def remarks(
    doubts: Sequence[Fault], day: datetime.date, lang: Language, told: Sequence[Mapping[str, str]] = ()
) -> list[str]:
    """Lines on what is to be known beside an answer: rules not in force, how projects were read, what is doubted.

    Parameters
    ----------
    doubts : sequence of Fault
        `Study.doubts`, or `portfolio.warnings`.
    day : date
    lang : {"zh", "en"}
    told : sequence of mapping
        How a file of projects was read, by language: `attrs["told"]` of checked projects.
    """
    from geo_cluster.world import rule_life

    odd = [str(doubt.words(lang)) for doubt in doubts]
    more = len(odd) - MOST_DOUBTS
    rest = [f"另有 {more} 处请核对" if lang == "zh" else f"{more} more to be checked"] if more > 0 else []
    said = [*(one[lang] for one in rule_life.warnings(day)), *(one[lang] for one in told)]
    return [f"! {said}" for said in [*said, *odd[:MOST_DOUBTS], *rest]]


STEPS = {
    "export": ("写出方案", "writing the plan"),
    "cities": ("各市所得", "what each city gets"),
    "ways_in": ("落地办法", "placement options"),
    "opening_worth": ("新增值多少", "what openings are worth"),
    "parts_worth": ("分期、分处的代价", "what phases and splits cost"),
    "pool_worth": ("增加容量的价值", "value of more of each pool"),
    "why_here": ("不在首选园区的原因", "why each is where it is"),
    "site_importance": ("各园区的重要性", "importance of each site"),
    "city_prices": ("各市保底的代价", "price of giving each city more"),
    "alternatives": ("备选方案", "alternatives"),
    "trade_off": ("权衡", "fronts"),
    "holds": ("方案可行概率", "feasible share of draws"),
}
"""Tables of `report.explanation.explain` as the command line names them."""

PACK = {"study": ("测算", "the study"), "cities": STEPS["cities"], "pack": ("全部材料", "the whole pack")}
"""Steps of the briefing pack."""


@contextmanager
def steps(
    screen: Console, lang: Literal["zh", "en"], names: Mapping[str, tuple[str, str]] = STEPS
) -> Iterator[Callable[[str], None]]:
    """A line for the step at work and the time since the first; each step that is done stays on the screen.

    Parameters
    ----------
    screen : Console
    lang : {"zh", "en"}
    names : mapping of str to (str, str)
        What each step is called in Chinese and English; the first is at work at once.
    """
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    zh, now = lang == "zh", next(iter(names))
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task(names[now][not zh], total=None)

        def done() -> None:
            screen.print(f"{bar.tasks[0].elapsed or 0:7.1f} s  {names[now][not zh]} ✓", highlight=False)

        def on_step(step: str) -> None:
            nonlocal now
            name, _, count = step.partition(" ")
            if name != now:
                done()
                now = name
            bar.update(task, description=f"{names[now][not zh]} {count}")

        yield on_step
        done()


@contextmanager
def progress(screen: Console) -> Iterator[Callable[[str], None]]:
    """Where to show what is going on: one line that changes on a terminal, line by line in a log."""
    from rich.text import Text

    if not screen.is_terminal:
        yield screen.print
        return
    with screen.status("…") as status:
        yield lambda text: status.update(Text(text))


@contextmanager
def counting(screen: Console, lang: Language) -> Iterator[Callable[[Counted], None]]:
    """How many of many are done, how many a second, and how long the rest will take; what is kept when it stops.

    Parameters
    ----------
    screen : Console
    lang : {"zh", "en"}
    """
    zh, began, seen = lang == "zh", time.monotonic(), [0, 0, 0]
    with progress(screen) as show:

        def tell(news: Counted) -> None:
            seen[:] = news.done, news.total, news.earlier
            text, passed = f"{news.done:,}/{news.total:,}", time.monotonic() - began
            if news.done > news.earlier and passed > 0:
                rate = (news.done - news.earlier) / passed
                left = (news.total - news.done) / rate
                minutes = f"{int(left) // 60}:{int(left) % 60:02d}"
                text += f"，每秒 {rate:,.0f} 个，还要 {minutes}" if zh else f", {rate:,.0f} a second, {minutes} left"
            elif news.earlier:
                text += "，上次做到这里" if zh else ", done by an earlier run"
            show(text)

        try:
            yield tell
        except (KeyboardInterrupt, SystemExit):
            done, total, _ = seen
            kept = (
                f"已完成 {done:,}/{total:,}，再运行同一命令接着做"
                if zh
                else f"{done:,}/{total:,} kept; run it again to go on"
            )
            line(kept, err=True)
            raise


def line(text: str, *, err: bool = False) -> None:
    """Print a line; `typer.echo` would write UTF-8 to a terminal that says it knows ASCII only."""
    print(text, file=sys.stderr if err else sys.stdout)


def any_terminal() -> None:
    """Let no terminal or file end a command because it lacks a character."""

    def plain(problem: UnicodeError) -> tuple[str | bytes, int]:
        if not isinstance(problem, UnicodeEncodeError):
            raise problem
        lacking = problem.object[problem.start : problem.end]
        return "".join(PLAIN.get(one) or ascii(one)[1:-1] for one in lacking), problem.end

    codecs.register_error("geo-cluster", plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="geo-cluster")
