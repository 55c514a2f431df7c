"""`geo-cluster`: the command line. Heavy imports wait until a command needs them, so that help is instant."""

from __future__ import annotations

import gc
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from geo_cluster import terminal
from geo_cluster.errors import Fault, GeoClusterError, InputError, Place, reason_of, refuse_if
from geo_cluster.policy_cli import policy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from geo_cluster.domain import Scenario
    from geo_cluster.matching.plan import Progress

cli = typer.Typer(
    help="湖北激光产业制造选址：评分、布局、出图。 Site laser manufacturing in Hubei: score, match, map.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
cli.add_typer(policy, name="policy")

WorkspaceOption = Annotated[
    str,
    typer.Option(
        help="工作区：文件或 postgresql://… / where work is kept", envvar="GEO_CLUSTER_WORKSPACE", show_envvar=True
    ),
]
SCORES: dict[str, Literal["csv", "parquet"]] = {"csv": "csv", "parquet": "parquet"}
"""Formats of the tables of an intake."""
LanguageOption = Annotated[Literal["zh", "en"], typer.Option("--lang", help="界面语言 / language")]

UsageError: Any = typer.BadParameter.__bases__[0]
"""What typer raises when a command is not written as it has to be; it has no public name there."""


@cli.command()
def study(
    scenario: Annotated[str, typer.Argument(help="情景名或 TOML 文件 / shipped scenario or TOML file")] = "default",
    out: Annotated[Path, typer.Option("--out", "-o", help="输出文件夹 / folder for the results")] = Path("out"),
    lang: LanguageOption = "zh",
    profile: Annotated[bool, typer.Option("--profile", help="各步用时 / print where the time went")] = False,
) -> None:
    """Run the whole pipeline and write ranking, plan, map, layers and sources. 运行全流程并输出全部文件。"""
    import time

    began = time.perf_counter()
    settings, projects = _read(scenario, out)
    was_read = time.perf_counter()
    from geo_cluster import study as pipeline
    from geo_cluster.export import bundle

    imported = time.perf_counter()
    console, progress = terminal.console(), terminal.console(stderr=True)
    with progress.status("…") as status:
        result = pipeline.run(settings, projects=projects, on_step=lambda step: status.update(f"{step} …"))
        status.update("export …")
        exporting = time.perf_counter()
        files = bundle.write(result, out, language=lang)
    terminal.report(result, console, lang)
    console.print(f"\n{len(files)} files → {out}", soft_wrap=True)
    if profile:
        seconds = {
            "reading": was_read - began,
            "imports": imported - was_read,
            **result.seconds,
            "export": time.perf_counter() - exporting,
        }
        seconds["total"] = time.perf_counter() - began
        for step, spent in seconds.items():
            console.print(f"{step:>12} {spent:7.2f} s")


def _together(*readers: Callable[[], Any]) -> list[Any]:
    """What each reader reads; what several refuse comes at once, so that nobody mends one file after the other."""
    found: list[Any] = []
    faults: list[Fault] = []
    for read in readers:
        try:
            found.append(read())
        except InputError as refusal:
            faults += refusal.faults
    refuse_if(faults)
    return found


def _read(name_or_path: str, out: Path) -> tuple[Scenario, pd.DataFrame]:
    """Read a scenario with its projects and see whether `out` can be written to; the faults of all at once."""
    from geo_cluster.export import all_or_none
    from geo_cluster.scenarios import read_scenario

    (settings, projects), _ = _together(lambda: read_scenario(name_or_path), lambda: all_or_none.check_writable(out))
    return settings, projects


@cli.command()
def score(
    projects: Annotated[str, typer.Argument(help="CSV/XLSX，或 sample / CSV or XLSX, or sample")] = "sample",
    out: Annotated[Path, typer.Option("--out", "-o", help="输出文件夹 / folder for the results")] = Path("out"),
    scenario: Annotated[str, typer.Option(help="情景名或 TOML 文件 / shipped scenario or TOML file")] = "default",
    top: Annotated[
        int | None,
        typer.Option(min=0, help="每个项目列前几名，0 为全部；默认 1000 个项目以上列 10 名 / best sites listed"),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="csv 或 parquet / csv or parquet")] = "csv",
    scheduler: Annotated[str, typer.Option(help="Dask 集群，如 tcp://host:8786 / Dask cluster")] = "",
    as_json: Annotated[str, typer.Option("--json", help="一个项目的 JSON，结果打到屏幕 / one project as JSON")] = "",
    lang: LanguageOption = "zh",
) -> None:
    """Score projects, one or many thousands (Ctrl-C keeps what is done). 受理评分：给出首选园区与把握；中断可续。"""
    from geo_cluster.export import all_or_none
    from geo_cluster.scenarios import read_for_others
    from geo_cluster.world import portfolio

    if as_json:
        import json

        from geo_cluster.intake import appraise
        from geo_cluster.region import prepare

        project, settings = _together(lambda: _project(as_json), lambda: read_for_others(scenario))
        refuse_if(portfolio.past_faults(appraise.checked(project), settings.date))
        region = prepare(settings)
        terminal.line(json.dumps(appraise.appraise_one(region, project), ensure_ascii=False, indent=2))
        return
    unknown = [] if form in SCORES else [Fault("intake.unknown_format", "--format", value=form, known=list(SCORES))]
    _, _, checked, settings = _together(
        lambda: all_or_none.check_writable(out),
        lambda: refuse_if(unknown),
        lambda: portfolio.read(projects),
        lambda: read_for_others(scenario),
    )
    refuse_if([] if projects == "sample" else portfolio.past_faults(checked, settings.date))
    from geo_cluster.export import intake_files
    from geo_cluster.intake import appraise
    from geo_cluster.region import prepare

    listed = (appraise.TOP if len(checked) > appraise.MOST_LISTED else 0) if top is None else top
    order = intake_files.Order(prepare(settings), listed, SCORES[form], sample=projects == "sample")
    with terminal.counting(terminal.console(stderr=True), lang) as told:
        files = intake_files.write(order, checked, out, scheduler=scheduler, on_done=told)
    notes = checked.attrs.get("told", ())
    for said in terminal.remarks(portfolio.warnings(checked), settings.date, lang, notes):
        terminal.line(said)
    for sentence in intake_files.first_sentences(out, order, lang, 5):
        terminal.line(f"· {sentence}")
    terminal.line(f"{len(checked)} → {', '.join(str(path) for path in files)}")


def _project(text: str) -> Mapping[str, Any]:
    """One project as a person wrote it in JSON, with every fault of it."""
    import json

    from geo_cluster.intake import appraise

    try:
        project = json.loads(text)
    except json.JSONDecodeError as problem:
        at = {"line": problem.lineno, "column": problem.colno}
        raise InputError(Fault("cli.not_json", "--json", reason=problem.msg, **at)) from None
    except RecursionError:
        raise InputError(Fault("common.nested_too_deep", "--json")) from None
    except ValueError:  # Python reads no number of thousands of digits
        raise InputError(Fault("common.integer_too_large", "--json")) from None
    if not isinstance(project, dict):
        raise InputError(Fault("cli.not_one_project", "--json"))
    appraise.checked(project)
    return project


@cli.command()
def match(
    scenario: Annotated[str, typer.Argument(help="情景名或 TOML 文件 / shipped scenario or TOML file")] = "default",
    out: Annotated[Path, typer.Option("--out", "-o", help="输出文件夹 / folder for the results")] = Path("out"),
    lang: LanguageOption = "zh",
) -> None:
    """Match with live progress (Ctrl-C keeps the plan in hand) and explain the plan. 布局求解，并解释方案。"""
    settings, projects = _read(scenario, out)
    from geo_cluster import study as pipeline
    from geo_cluster.export import bundle
    from geo_cluster.report import cities, explanation

    console, screen = terminal.console(), terminal.console(stderr=True)

    def show(news: Progress) -> None:
        if news.is_new:
            screen.print(f"{news.elapsed_s:7.1f} s  {news.objective:12,.2f} ≤ {news.bound:12,.2f}", highlight=False)

    result = pipeline.run(settings, projects=projects, progress=show)
    with terminal.steps(screen, lang) as on_step:
        levels = cities.at_levels(result, on_step=lambda _: on_step("cities"))
        files = bundle.write_match(result, out, levels=levels, language=lang, on_step=on_step)
        draws = explanation.feasibility_table(result)
    terminal.report(result, console, lang, levels)
    for sentence in cities.price_sentences(cities.city_prices(result), lang):
        console.print(f"  {sentence}", soft_wrap=True)
    if len(draws):
        console.print(f"{'方案可行概率' if lang == 'zh' else 'feasible in'} {1 - draws['breaks'].iloc[0]:.0%}")
    console.print(f"\n{len(files)} files → {out}", soft_wrap=True)


@cli.command()
def brief(  # noqa: PLR0913  (each is an option)
    scenario: Annotated[str, typer.Argument(help="情景名或 TOML 文件 / shipped scenario or TOML file")] = "default",
    out: Annotated[Path, typer.Option("--out", "-o", help="输出文件夹 / folder for the pack")] = Path("brief"),
    formats: Annotated[
        str, typer.Option(help="只要这些材料，逗号分隔；写错即列出可选 / only these, e.g. slides,maps")
    ] = "",
    template_pptx: Annotated[Path | None, typer.Option(help="本单位的 .pptx 模板 / your house's slides")] = None,
    template_docx: Annotated[Path | None, typer.Option(help="本单位的 .docx 模板 / your house's paper")] = None,
    review_number: Annotated[str, typer.Option(help="审图号，印在图上 / map review number")] = "",
    project: Annotated[str, typer.Option(help="排序图画哪个项目，默认产值最大的 / whose ranking is drawn")] = "",
    crs: Annotated[str, typer.Option(help="图层坐标系，如 4547；写错即列出可选 / of the layers, by EPSG code")] = "",
    lang: LanguageOption = "zh",
) -> None:
    """Make the briefing pack: slides, paper, map sheets, tables, layers. 一次出齐汇报材料。"""
    import time

    began = time.perf_counter()
    from geo_cluster.export import all_or_none, pack
    from geo_cluster.export.gis.systems import checked_crs
    from geo_cluster.scenarios import read_scenario

    wanted, _, system, _, (settings, projects) = _together(
        lambda: pack.checked_formats(formats),
        lambda: pack.check(template_pptx, template_docx, review_number),
        lambda: checked_crs(crs),
        lambda: all_or_none.check_writable(out),
        lambda: read_scenario(scenario),
    )
    from geo_cluster import study as pipeline
    from geo_cluster.export.briefing_tables import levels_of

    screen = terminal.console(stderr=True)

    def done(form: str) -> None:
        screen.print(f"{time.perf_counter() - began:7.1f} s  · {pack.name_of(form, lang)} ✓", highlight=False)

    with terminal.steps(screen, lang, terminal.PACK) as on_step:
        result = pipeline.run(settings, projects=projects)
        on_step("cities")
        order = pack.Order(
            result,
            lang,
            levels=levels_of(result),
            slide_template=template_pptx,
            paper_template=template_docx,
            review=review_number,
            project=project,
            crs=system,
        )
        on_step("pack")
        files = pack.write(order, out, wanted=wanted, on_done=done)
    for path in files:
        terminal.line(f"{path.stat().st_size / 1e6:7.1f} MB  {path.relative_to(out)}")
    terminal.line(f"{len(files)} files → {out}, {time.perf_counter() - began:.1f} s")


@cli.command()
def validate(
    scenario: Annotated[str, typer.Argument(help="情景名或 TOML 文件 / shipped scenario or TOML file")] = "default",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="输出文件夹 / folder for the tables")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="结果以 JSON 打到屏幕 / print everything as JSON")] = False,
    lang: LanguageOption = "zh",
) -> None:
    """Hold the model against what is published, and say what its answers rest on. 可信度自检：误差、实例、依据。"""
    from geo_cluster.export import all_or_none
    from geo_cluster.scenarios import read_scenario

    (settings, projects), *_ = _together(
        lambda: read_scenario(scenario), *([lambda: all_or_none.check_writable(out)] if out else [])
    )
    from geo_cluster import study as pipeline
    from geo_cluster.validation import check

    titles = check.titles(lang)
    with terminal.progress(terminal.console(stderr=True)) as on_step:
        result = pipeline.run(settings, projects=projects, on_step=lambda step: on_step(f"{step} …"))
        found = check.validate(result.region, projects, study=result, on_step=lambda step: on_step(f"{titles[step]} …"))
    if as_json:
        terminal.line(check.as_json(found))
    else:
        for name, sentences in found.sentences(lang).items():
            terminal.line(f"{titles[name]}")
            for one in sentences:
                terminal.line(f"  · {one}")
    if out:
        made = check.files(found, lang)
        files = all_or_none.write_files(out, lambda folder: check.write(made, folder))
        terminal.line(f"{len(files)} files → {out}", err=as_json)


@cli.command()
def land(
    parcels: Annotated[
        Path, typer.Argument(help="地块（GeoJSON、GPKG、SHP、KML、DXF 等，含园区列）/ parcels with a column site")
    ],
    rules: Annotated[Path, typer.Option(help="规则 CSV：name,layer,buffer_m / rules in order")],
    layers: Annotated[Path, typer.Option(help="约束图层 GeoPackage / exclusion layers")],
    out: Annotated[Path, typer.Option("--out", "-o", help="输出文件夹 / folder for the results")] = Path("land"),
    need: Annotated[float, typer.Option(help="项目用地（亩）/ land a project needs, mu")] = 0.0,
    hall: Annotated[str, typer.Option(help="厂房，如 60x120（米）/ hall, e.g. 60x120 metres")] = "",
    crs: Annotated[
        str, typer.Option("--crs", help="地块坐标系，文件没写时用：EPSG:4547、gcj02、bd09 / CRS of the parcels")
    ] = "",
    layers_crs: Annotated[str, typer.Option("--layers-crs", help="约束图层坐标系 / CRS of the layers")] = "",
) -> None:
    """Net developable land of parcels, its largest rectangle, and room for a project. 可建设用地与最大厂房。"""
    from geo_cluster.export import all_or_none
    from geo_cluster.imports import ground, whereabouts
    from geo_cluster.imports.check import rule_in
    from geo_cluster.supply import land_survey

    _, room, (found, notes), exclusions = _together(
        lambda: all_or_none.check_writable(out),
        lambda: _room(need, hall),
        lambda: ground.parcels_of(parcels, crs),
        lambda: [rule_in(one, layers_crs) for one in land_survey.read_rules(rules, layers)],
    )
    refuse_if(list(whereabouts.rule_faults(exclusions, found, layers.name, chosen=layers_crs, of_parcels=crs)))
    survey = land_survey.survey(found, exclusions, land_mu=room[0], hall_m=room[1])
    files = all_or_none.write_files(out, lambda folder: land_survey.write(survey, folder, source=parcels.name))
    for note in [*notes, *whereabouts.rule_notes(exclusions, survey.land)]:
        terminal.line(note[terminal.language()])
    for row in survey.sites.itertuples():
        terminal.line(
            f"{row.site}: {row.net_ha:.2f} ha = {row.net_mu:.0f} mu, largest piece {row.largest_piece_ha:.2f} ha"
        )
    if need:
        terminal.line(f"{len(survey.fits)} ← {need:g} mu {hall}")
    terminal.line(f"{len(files)} files → {out}")


def _room(need: float, hall: str) -> tuple[float | None, tuple[float, float] | None]:
    """What land and what hall to look for: mu, and width and length in metres; None where nobody asked."""
    faults = []
    if not 0 <= need < float("inf"):
        faults.append(Fault("cli.odd_need", "--need", need=need))
    sides = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*[xX×]\s*(\d+(?:\.\d+)?)\s*", hall)
    hall_m = (float(sides[1]), float(sides[2])) if sides else None
    if hall and not (hall_m and min(hall_m) > 0):
        faults.append(Fault("cli.odd_hall", "--hall", hall=hall))
    if hall and need == 0:
        faults.append(Fault("cli.hall_without_need", "--hall"))
    refuse_if(faults)
    return need or None, hall_m


@cli.command()
def suitability(
    spec: Annotated[str, typer.Argument(help="找地方案 TOML，不写用自带的 / a spec, or none for ours")] = "",
    out: Annotated[Path, typer.Option("--out", "-o", help="输出文件夹 / folder for the results")] = Path("suitability"),
    cell: Annotated[float, typer.Option(help="格网边长（米），代替方案里的 / side of a cell, metres")] = 0.0,
    scheduler: Annotated[str, typer.Option(help="Dask 集群，如 tcp://host:8786 / Dask cluster")] = "",
    by: Annotated[
        Literal["segment", "project"] | None, typer.Option("--by", help="按细分环节或项目分别选块 / regions for each")
    ] = None,
    projects: Annotated[str, typer.Option(help="--by 所用的项目表 / portfolio for --by")] = "sample",
    sites: Annotated[
        Path | None, typer.Option(help="把选出的地块写成自有图层 / layers with the regions as candidate sites")
    ] = None,
    lang: LanguageOption = "zh",
) -> None:
    """Screen all ground: exclusions, scores, regions (Ctrl-C keeps what is done). 全域找地：排除、评分、选块。"""
    from geo_cluster.export import all_or_none
    from geo_cluster.suitability import spec as specs
    from geo_cluster.world import portfolio

    asked, listed, *_ = _together(
        lambda: specs.read(spec),
        lambda: portfolio.read(projects) if by else None,
        lambda: all_or_none.check_writable(out),
        lambda: refuse_if([] if 0 <= cell < float("inf") else [Fault("cli.odd_cell", "--cell", cell=cell)]),
    )
    from geo_cluster.suitability import asks, regions, run, screen

    ready = screen.ready(asked.of_grid(cell_m=cell) if cell else asked)
    tiles = "块" if lang == "zh" else "tiles"
    with terminal.progress(terminal.console(stderr=True)) as on_step:
        answer = run.run(ready, out, scheduler=scheduler, on_tile=lambda done, of: on_step(f"{done}/{of} {tiles}"))
        if by:
            found = asks.find(answer, ready, asks.asked(asked, listed, by), apart=bool(sites))
        else:
            found = regions.find(answer, asked.need, screen=ready, progress=lambda share: on_step(f"{share:.0%}"))
    files = [answer.score, answer.code, *regions.write(found, out)]
    for row in answer.exclusions.itertuples():
        name = row.name_zh if lang == "zh" else row.name_en
        terminal.line(f"{row.alone_pct:9.4f} %  {row.after_pct:9.4f} %  {row.left_pct:9.4f} %  {name}")
    for row in found.itertuples():
        name = f"  {getattr(row, f'asked_by_{lang}')}" if by else ""
        terminal.line(f"{row.rank:>3}  {row.score:5.1f}  {row.land_mu:.0f} mu  {row.lat:.4f}, {row.lon:.4f}{name}")
    if found.empty:
        terminal.line(str(Fault("suitability.no_region", "need", land=asked.need.land_mu).words(lang)))
    if sites:
        from geo_cluster.scenarios import read_for_others
        from geo_cluster.suitability import candidates

        candidates.as_sites(read_for_others("default"), found, asked, sites)
        terminal.line(f'在情景里写 / put into the scenario: layers = "{sites}"')
    terminal.line(f"{len(files)} files → {out}")


@cli.command("refresh-osm")
def refresh_osm(
    area: Annotated[str, typer.Option(help="市州名，或 西,南,东,北 / prefecture, or west,south,east,north")],
    out: Annotated[Path, typer.Option("--out", "-o", help="图层文件夹 / folder for the layers")] = Path("osm"),
    layers: Annotated[str, typer.Option(help="只要这些图层，逗号分隔 / only these layers")] = "",
    overpass: Annotated[str, typer.Option(help="Overpass 地址 / server", envvar="GEO_CLUSTER_OVERPASS")] = "",
    nominatim: Annotated[str, typer.Option(help="Nominatim 地址 / server", envvar="GEO_CLUSTER_NOMINATIM")] = "",
) -> None:
    """Download roads, land, power, water and stations from OpenStreetMap (needs the network). 从 OSM 更新图层。"""
    from geo_cluster.access import osm
    from geo_cluster.access.osm_servers import PUBLIC, Servers
    from geo_cluster.world.layers import Layers

    where: str | tuple[float, ...] = area
    if area.count(",") == 3:
        try:
            where = tuple(float(part) for part in area.split(","))
        except ValueError:
            raise InputError(Fault("cli.odd_area", "--area", area=area)) from None
    wanted = tuple(part.strip() for part in layers.split(",") if part.strip()) or tuple(osm.WANTED)
    with terminal.progress(terminal.console(stderr=True)) as on_step:
        done = osm.refresh(
            where,
            out,
            layers=wanted,
            around=Layers().read("roads"),
            progress=lambda text, share: on_step(f"{share:.0%} {text}"),
            servers=Servers(overpass or PUBLIC.overpass_url, nominatim or PUBLIC.nominatim_url),
        )
    for change in done.changes:
        terminal.line(f"· {change.zh} / {change.en}")
    terminal.line(f'{len(done.sources)} → {done.folder}。在情景里写 / put into the scenario: layers = "{done.folder}"')


@cli.command("check-data")
def check_data(
    folder: Annotated[
        str, typer.Argument(help="自有图层的文件夹 / folder of your own layers, with its sources.toml")
    ] = "",
) -> None:
    """Check layers by themselves, against each other and the map. 核对数据：登记与字段，图层与规则是否一致。"""
    from geo_cluster.errors import DataError
    from geo_cluster.world import consistency
    from geo_cluster.world.layers import Layers

    layers = Layers(folder)
    tables: dict[str, pd.DataFrame] = {}
    refuse_if(consistency.check(layers, tables), DataError)
    for name, layer in layers.registry.items():
        terminal.line(f"ok  {name:<18} {layer.rows:>6}  {layer.sha256[:12]}  {layer.licence}")
    for line in consistency.summary(tables).words():
        terminal.line(f"·   {line.zh} / {line.en}")


@cli.command("layers")
def list_layers(lang: LanguageOption = "zh") -> None:
    """List the shipped layers with licence and date. 列出图层、许可与时点。"""
    from geo_cluster.world.layers import Layers

    for name, layer in Layers().registry.items():
        title = layer.title_zh if lang == "zh" else layer.title_en
        terminal.line(f"{name:<14} {layer.rows:>6}  {layer.as_of:<12} {title} · {layer.licence}")


@cli.command("compile")
def compile_() -> None:
    """Compile all loops for this machine, once, as whoever installs it; `make` does. 编译计算程序（安装后一次）。"""
    from geo_cluster.compiling import warm

    warm()


@cli.command()
def backup(
    file: Annotated[Path, typer.Argument(help="备份文件，不可已存在 / file to make, not there yet")],
    workspace: WorkspaceOption = "",
) -> None:
    """Copy a workspace into one file while others work on it, and check the copy. 备份工作区，可在使用中进行。"""
    from geo_cluster.workspace import backup as backups
    from geo_cluster.workspace import database

    counts = backups.write(database.connect(workspace, make=False), file)
    terminal.line(f"{_counted(counts)} → {file}")


@cli.command()
def restore(
    file: Annotated[Path, typer.Argument(help="备份文件 / file made by `geo-cluster backup`")],
    workspace: WorkspaceOption = "",
) -> None:
    """Put a backup into a workspace that is new or has no works. 把备份恢复到新的或空的工作区。"""
    from geo_cluster.workspace import backup as backups
    from geo_cluster.workspace import database

    counts = backups.restore(file, workspace)
    terminal.line(f"{_counted(counts)} → {database.masked(workspace or database.default_address())}")


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[f'geo_cluster_{name}']} {name}" for name in ("works", "revisions", "plans", "blobs"))


@cli.command()
def app(
    port: Annotated[int, typer.Option(help="端口 / port", min=0, max=65535)] = 8501,
    address: Annotated[str, typer.Option(help="监听地址 / address to listen on")] = "localhost",
    headless: Annotated[bool, typer.Option(help="不打开浏览器 / do not open a browser")] = False,
    workspace: WorkspaceOption = "",
    host: Annotated[
        list[str] | None,
        typer.Option(
            help="大家打开应用用的主机名，可多次 / a name people open the app by, repeatable",
            envvar="GEO_CLUSTER_HOSTS",
            show_envvar=True,
        ),
    ] = None,
    prefix: Annotated[
        str,
        typer.Option(help="反向代理下的路径，如 /siting / path below a proxy", envvar="GEO_CLUSTER_PREFIX"),
    ] = "",
    proxy: Annotated[
        list[str] | None,
        typer.Option(
            help="可信反向代理的地址或网段，可多次 / address or network of a trusted proxy, repeatable",
            envvar="GEO_CLUSTER_PROXIES",
            show_envvar=True,
        ),
    ] = None,
) -> None:
    """Start the app in the browser. 启动网页应用。"""
    from geo_cluster import serving
    from geo_cluster.workspace import database

    doors = serving.doors(serving.secret_files())
    settings = serving.checked(
        doors,
        port=port,
        address=address,
        headless=headless,
        hosts=host or [],
        prefix=prefix,
        proxies=proxy or [],
    )
    database.connect(workspace).dispose()  # refused now rather than on the first page
    terminal.line(f"工作区 / workspace: {database.masked(workspace or database.default_address())}", err=True)
    if address not in serving.HERE and doors.auth is None:
        terminal.line(
            f"! {address}：未启用登录，能连上的人都能看到并修改全部工作。"
            " / no sign-in: whoever can reach this address sees and changes all work."
            " Add [auth] to .streamlit/secrets.toml (README).",
            err=True,
        )
    code = serving.start(settings, {database.ENVIRONMENT: workspace} if workspace else {})
    raise typer.Exit(code)


def _misuse(problem: Any) -> Fault:
    """What typer found wrong with a command line, as a fault of ours."""
    context, param, option = (getattr(problem, name, None) for name in ("ctx", "param", "option_name"))
    command = context.command_path if context else "geo-cluster"
    params = context.command.params if context else []
    if option and hasattr(problem, "possibilities"):
        known = sorted(name for one in params for name in one.opts if name.startswith("--"))
        return Fault("cli.no_such_option", option, known=[*known, "--help"])
    if option:
        return Fault("cli.option_without_value", option)
    if isinstance(problem, typer.BadParameter):
        place = Place(max(param.opts, key=len) if param else command)
        if hasattr(problem, "param_type"):
            return Fault("cli.argument_missing", place, command=command)
        return Fault("cli.value_refused", place, reason=problem.message, command=command)
    commands = getattr(context and context.command, "commands", None)
    if commands:
        return Fault("cli.no_such_command", next(iter(_words_after(command)), command), known=sorted(commands))
    return Fault("cli.misused", command, reason=problem.format_message(), command=command)


def _words_after(command: str) -> list[str]:
    """What was written behind a command, e.g. `geo-cluster policy`, but for options."""
    return [one for one in sys.argv[1:] if not one.startswith("-")][len(command.split()) - 1 :]


def _is_bare(problem: Any) -> bool:
    """Whether a group of commands was called without any, which shows its help."""
    context: Any = getattr(problem, "ctx", None)
    if context is None or hasattr(problem, "option_name"):
        return False
    return hasattr(context.command, "commands") and not _words_after(context.command_path)


def main() -> None:
    """Run the command line; refusals are printed as sentences and end with exit code 2."""
    terminal.any_terminal()
    gc.set_threshold(20_000, 20, 100)  # a command ends soon: looking for circles took a tenth of its time
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # ended by others as by Ctrl-C: nothing is left behind
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    code: int | str | None = 0
    try:
        try:
            code = cli(prog_name="geo-cluster", standalone_mode=False)
        except SystemExit as end:
            code = end.code
        except UsageError as problem:
            if _is_bare(problem):  # typer shows the help
                problem.show()
            else:
                terminal.refuse([_misuse(problem)])
            code = 2
        sys.stdout.flush()
    except GeoClusterError as refusal:
        terminal.refuse(refusal.faults)
        code = 2
    except KeyboardInterrupt:
        code = 130
    except OSError as problem:
        terminal.leave_output()
        if not isinstance(problem, BrokenPipeError):  # that nobody reads on is no fault (`geo-cluster layers | head`)
            name = str(problem.filename or "")
            place = Place(name) if name else Place("", kind="output")
            terminal.refuse([Fault("cli.unusable", place, reason=reason_of(problem))])
            code = 2
    sys.exit(code)


if __name__ == "__main__":
    main()
