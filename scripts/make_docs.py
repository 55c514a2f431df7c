"""Write the pages of docs/ that say what the code says: the figure of the rooms, commands, scenario, data, API.

uv run python scripts/make_docs.py           # write them
uv run python scripts/make_docs.py --check   # exit 1 when one of them lags behind (the tests do this)
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args, get_type_hints

import networkx as nx
from jinja2 import Template
from pydantic import BaseModel
from typer import Typer
from typer.models import OptionInfo

from geo_cluster import cli, domain, toml
from geo_cluster.world import catalog
from geo_cluster.world.layers import Layers

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
NOTE = "<!-- Written by scripts/make_docs.py. Do not edit. -->\n\n"
EVERYWHERE = {"errors", "toml", "domain", "archive", "scratch", "tables"}
"""Rooms that all others may use: an arrow to each of them would say nothing."""

API = (
    "study", "region", "eligibility", "report.tables", "report.explanation", "report.comparison",
    "intake.appraise", "intake.site_choice", "policy.money", "policy.summary", "policy.targets", "matching",
    "world.catalog", "world.layers", "world.observations",
    "world.portfolio", "world.coordinates", "world.rule_life", "supply.land", "supply.parcels",
    "supply.grid_connection", "supply.energy_review", "supply.tariff", "supply.standard_land",
    "access.network", "access.travel", "access.isochrones", "access.travel_cost",
    "scoring.criteria", "scoring.values", "scoring.weights", "scoring.aggregate", "scoring.robustness",
    "scoring.information", "suitability.spec", "suitability.screen", "suitability.run", "suitability.regions",
    "suitability.candidates", "suitability.picture", "maps.payload", "export.all_or_none", "export.bundle",
    "export.pack", "errors",
)  # fmt: skip
"""Modules that somebody who writes a notebook may use; whatever else there is may change from one day to the next."""


# ---- the figure -----------------------------------------------------------------------------------------------


def imports() -> nx.DiGraph:
    """Module -> module it imports, of geo_cluster and app, as the source says (inside functions too)."""
    files = {_module(path): path for top in ("geo_cluster", "app") for path in (ROOT / top).rglob("*.py")}
    graph = nx.DiGraph()
    graph.add_nodes_from(files)
    for name, path in files.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            wanted: list[str] = []
            if isinstance(node, ast.ImportFrom) and node.module:
                wanted = [f"{node.module}.{alias.name}" for alias in node.names]
                wanted = [one if one in files else node.module for one in wanted]
            elif isinstance(node, ast.Import):
                wanted = [alias.name for alias in node.names]
            graph.add_edges_from((name, one) for one in wanted if one in files and one != name)
    return graph


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def rooms() -> nx.DiGraph:
    """Room -> room it uses: folders and single modules of geo_cluster, and the app as one."""
    whole = imports()
    graph = nx.DiGraph()
    for name in whole:
        graph.add_node(_room(name), doc=_purpose(_room(name)))
    graph.add_edges_from({(_room(a), _room(b)) for a, b in whole.edges if _room(a) != _room(b)})
    graph.remove_nodes_from({"geo_cluster"})
    return graph


def _room(module: str) -> str:
    parts = module.split(".")
    return "app" if parts[0] == "app" else parts[1] if len(parts) > 1 else "geo_cluster"


def _purpose(room: str) -> str:
    """First sentence of a room's docstring."""
    top = ROOT if room == "app" else ROOT / "geo_cluster"
    path = top / room / "__init__.py" if (top / room).is_dir() else top / f"{room}.py"
    if not path.is_file():
        return ""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")[0].replace("\n", " ")


SVG = Template(
    """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{ width }} {{ height }}"
 font-family="sans-serif" font-size="15">
<title>Rooms of geo_cluster: data flows upwards, every arrow is an import</title>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 8 4 0 8z" fill="#5b6b7b"/></marker></defs>
<rect width="100%" height="100%" fill="#fff"/>
{% for x1, y1, x2, y2 in lines -%}
<path d="M{{ x1 }} {{ y1 }} C{{ x1 }} {{ y1 - 34 }} {{ x2 }} {{ y2 + 34 }} {{ x2 }} {{ y2 }}"
 fill="none" stroke="#5b6b7b" marker-end="url(#head)"/>
{% endfor -%}
{% for x, y, name in boxes -%}
<rect x="{{ x - 62 }}" y="{{ y - 19 }}" width="124" height="38" rx="6" fill="#eef4fa" stroke="#2b5d8a"/>
<text x="{{ x }}" y="{{ y + 5 }}" text-anchor="middle">{{ name }}</text>
{% endfor -%}
</svg>
"""
)


def figure() -> str:
    """Rooms in the order in which data passes them, from what is read (below) to the screen (above), as SVG."""
    graph = rooms()
    graph.remove_nodes_from(EVERYWHERE & set(graph))
    above = {room: nx.dag_longest_path_length(graph.subgraph({room} | nx.ancestors(graph, room))) for room in graph}
    level = {room: max(above.values()) - rows_above for room, rows_above in above.items()}
    rows: dict[int, list[str]] = {}
    for room in sorted(graph):
        rows.setdefault(level[room], []).append(room)
    widest, top = max(map(len, rows.values())), max(rows)
    width, height = 160 * widest + 20, 96 * top + 80
    at = {}
    for number, names in rows.items():
        for place, name in enumerate(names):
            at[name] = (width * (2 * place + 1) // (2 * len(names)), height - 40 - 96 * number)
    needed = nx.transitive_reduction(graph)
    lines = [(at[b][0], at[b][1] - 20, at[a][0], at[a][1] + 21) for a, b in sorted(needed.edges)]
    return SVG.render(width=width, height=height, lines=lines, boxes=[(*at[name], name) for name in sorted(at)]) + "\n"


def room_table() -> str:
    """Each room, what it is for, and which rooms it uses."""
    graph = rooms()
    order = list(nx.lexicographical_topological_sort(graph))
    rows = [
        (f"`{name}`", graph.nodes[name]["doc"], ", ".join(sorted(set(graph[name]) - EVERYWHERE)) or "-")
        for name in order
    ]
    return _table(("room", "what it is for", "uses"), rows)


# ---- commands, scenario ----------------------------------------------------------------------------------------


def commands() -> str:
    """Every command of the command line with its arguments and options."""
    page = ["# Commands\n", "`geo-cluster COMMAND --help` says the same. Refused input ends with exit code 2.\n"]
    for name, function in _commands(cli.cli, "geo-cluster"):
        page.append(f"## {name}\n\n{inspect.cleandoc(function.__doc__ or '')}\n")
        rows = list(_options(function))
        if rows:
            page.append(_table(("argument or option", "kind", "default", "what it is"), rows))
    return "\n".join(page)


def _commands(group: Typer, path: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every command by what is typed, those of groups after the others."""
    for command in group.registered_commands:
        function = command.callback
        assert function is not None
        yield f"{path} {command.name or function.__name__}", function
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from _commands(inner.typer_instance, f"{path} {inner.name}")


def _options(function: Callable[..., Any]) -> Iterator[tuple[str, str, str, str]]:
    hints = get_type_hints(function, include_extras=True)
    for name, one in inspect.signature(function).parameters.items():
        kind, said = get_args(hints[name])[:2]
        is_option = isinstance(said, OptionInfo)
        called = " ".join(said.param_decls or ()) or (f"--{name.replace('_', '-')}" if is_option else name)
        choices = " or ".join(map(str, get_args(kind))) or getattr(kind, "__name__", str(kind))
        default = (
            "required" if one.default is one.empty else f"`{one.default}`" if one.default not in (None, "") else ""
        )
        variable = f" (`{said.envvar}`)" if said.envvar else ""
        yield f"`{called}`", choices, default, (said.help or "") + variable


def scenario() -> str:
    """Every field of a scenario file, of its tables too."""
    page = [
        "# The scenario file\n",
        "A scenario is a TOML file (`out/scenario.toml` is one to begin with); what it leaves out has its default. "
        "`geo-cluster study my.toml` runs it.\n",
    ]
    for kind in (domain.Scenario, *_nested(domain.Scenario)):
        title = "Scenario" if kind is domain.Scenario else f"`[[{_key_of(kind)}]]`: {kind.__name__}"
        page.append(f"## {title}\n\n{inspect.cleandoc(kind.__doc__ or '')}\n")
        said = _described(kind)
        rows = [
            (f"`{name}`", f"`{_short(field.annotation)}`", _default(field), said.get(name, ""))
            for name, field in kind.model_fields.items()
        ]
        page.append(_table(("field", "kind", "default", "what it is"), rows))
    return "\n".join(page)


def undescribed() -> list[str]:
    """Fields of a scenario that no text says the meaning of."""
    kinds = (domain.Scenario, *_nested(domain.Scenario))
    return [f"{one.__name__}.{name}" for one in kinds for name in one.model_fields if not _described(one).get(name)]


def _nested(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Declared types that the fields of another are made of, each once."""
    seen = dict.fromkeys(
        one
        for field in kind.model_fields.values()
        for one in (field.annotation, *getattr(field.annotation, "__args__", ()))
        if inspect.isclass(one) and issubclass(one, BaseModel) and one is not domain.Text
    )
    yield from seen


def _key_of(kind: type[BaseModel]) -> str:
    named = [name for name, field in domain.Scenario.model_fields.items() if kind.__name__ in str(field.annotation)]
    return "]], [[".join(named)


def _described(kind: type[BaseModel]) -> dict[str, str]:
    """Field -> the text below it in the source."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0].body
    said = {}
    for before, after in pairwise(body):
        if isinstance(before, ast.AnnAssign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            said[before.target.id] = " ".join(str(after.value.value).split())
    return said


def _default(field: Any) -> str:
    if field.default_factory is not None:
        return f"`{field.default_factory()}`"
    return "required" if field.is_required() else f"`{field.default!r}`"


def _short(annotation: Any) -> str:
    text = (
        annotation.__name__ if inspect.isclass(annotation) and not hasattr(annotation, "__args__") else str(annotation)
    )
    text = re.sub(r"Annotated\[(\w+), .*?\](?=\]|$)", r"\1", text)
    return text.replace("typing.", "").replace("geo_cluster.domain.", "").replace("NoneType", "None")


# ---- data ------------------------------------------------------------------------------------------------------


def dictionary() -> str:
    """Every layer with its columns, every attribute with its priors, every criterion and rule."""
    registry = Layers().registry
    declared = toml.table("layers")
    page = [
        "# Data dictionary\n",
        "What the tables in `geo_cluster/tables/` and the registry `data/geo/sources.toml` declare. An empty *as of* "
        "means that the producer states none.\n",
        "## Layers\n",
        _table(
            ("layer", "名称", "rows", "as of", "producer", "licence"),
            [
                (f"[`{key}`](#{key})", one.title_zh, one.rows, one.as_of, one.producer, one.licence)
                for key, one in registry.items()
            ],
        ),
    ]
    for key in registry:
        layer = declared["layers"].get(key, {})
        name = layer.get("name", {"zh": registry[key].title_zh, "en": registry[key].title_en})
        page.append(f"### {key}\n\n{name['zh']} · {name['en']}\n")
        columns = layer.get("columns", {}) | (declared["common"] if layer.get("row_source", True) else {})
        rows = [(f"`{column}`", one["type"], _may_be(one), one["zh"], one["en"]) for column, one in columns.items()]
        page.append(_table(("column", "type", "", "中文", "English"), rows))
    page.append("## Attributes of sites, substations and prefectures\n")
    rows = []
    for key, one in catalog.attributes().items():
        spoken = one.spoken.en if getattr(one, "spoken", None) else one.unit.en
        rows.append((f"`{key}`", one.subject, one.unit.en, spoken, one.name.zh, one.name.en, len(one.priors)))
    page.append(_table(("attribute", "of a", "unit", "spoken", "中文", "English", "priors"), rows))
    page.append("## Resources\n")
    rows = [
        (
            f"`{key}`",
            one.name.zh,
            one.unit.en,
            f"`{one.attribute}`",
            f"`{one.need}`",
            one.asked.heading.zh,
            f"`{one.estimate}`",
        )
        for key, one in catalog.resources().items()
    ]
    page.append(_table(("resource", "名称", "unit", "what there is", "what is taken", "portfolio", "estimate"), rows))
    page.append("## Criteria\n")
    rows = [
        (f"`{key}`", one.theme, one.weight, f"{one.worst:g} … {one.best:g} {one.unit.en}", one.name.zh, one.reason.en)
        for key, one in catalog.criteria().items()
    ]
    page.append(_table(("criterion", "theme", "weight", "worst … best", "名称", "why"), rows))
    page.append("## Standard-land doors\n")
    indicators = catalog.door_indicators()
    doors = (
        (
            door.site, f"{indicators[door.indicator].title('zh')} · {indicators[door.indicator].title('en')}",
            f"{door.least:g}", door.title.zh, door.number, door.valid_from, door.valid_to or "not stated",
            door.publisher, door.confidence, door.note,
        )
        for door in catalog.doors()
    )  # fmt: skip
    heads = ("site", "threshold of", "least", "rule", "number", "from", "to", "published by", "confidence", "note")
    page.append(_table(heads, doors))
    page.append("## Rules of eligibility\n")
    page.append(
        _table(
            ("rule", "名称", "why"),
            [(f"`{key}`", one.name.zh, one.reason.en) for key, one in catalog.rules().items()],
        )
    )
    return "\n".join(page)


GROUPS = {
    "land": ("Land", "用地"),
    "energy": ("Energy", "用能"),
    "reach": ("Reach", "可达"),
    "decision": ("Decision analysis", "决策分析"),
    "matching": ("Matching", "匹配"),
    "provenance": ("Where numbers come from", "数据来由"),
    "industry": ("The industry", "产业"),
}


def glossary() -> str:
    """Every term with its definition, the standard that fixes it and the words that aren't used for it."""
    page = [
        "# Glossary 术语\n",
        "Made from `geo_cluster/tables/glossary.toml`; `tests/test_glossary.py` reads every text of the product "
        "against it. “usage” means that no standard fixes the term, “here” that this product does "
        "([methods](methods)).\n",
        "由 `geo_cluster/tables/glossary.toml` 生成，产品中的全部文字据此检查。“usage”指没有标准规定的通用说法，"
        "“here”指本工具约定。\n",
    ]
    for group, title in GROUPS.items():
        page.append(f"## {' '.join(title)}\n")
        rows = [
            (one.zh, one.en, one.means.zh, one.means.en, one.source, "、".join((*one.avoid.zh, *one.avoid.en)))
            for one in catalog.glossary().values()
            if one.group == group
        ]
        page.append(_table(("中文", "English", "含义", "meaning", "standard or source", "not 不用"), rows))
    return "\n".join(page)


# ---- API -------------------------------------------------------------------------------------------------------


def api() -> str:
    """Public functions and classes of the modules in `API`, each with its first sentence."""
    page = [
        "# The Python API\n",
        "What a notebook may use; each function's docstring says shapes, units, errors and source.\n",
    ]
    for name in API:
        module = __import__(f"geo_cluster.{name}", fromlist=["_"])
        doc = inspect.cleandoc(module.__doc__ or "").split("\n\n")[0].replace("\n", " ")
        page.append(f"## geo_cluster.{name}\n\n{doc}\n")
        rows = []
        for key, one in vars(module).items():
            home = getattr(one, "__module__", "")
            own = home == module.__name__ or (key in getattr(module, "__all__", ()))
            if key.startswith("_") or not own or not (inspect.isfunction(one) or inspect.isclass(one)):
                continue
            sentence = inspect.cleandoc(one.__doc__ or "").split("\n\n")[0].replace("\n", " ")
            rows.append((f"`{key}{_signature(one)}`", sentence))
        page.append(_table(("name", "what it is"), sorted(rows)))
    return "\n".join(page)


def _signature(one: Any) -> str:
    if inspect.isclass(one):
        return ""
    return "(" + ", ".join(_parameters(inspect.signature(one).parameters.values())) + ")"


def _parameters(parameters: Iterable[inspect.Parameter]) -> Iterator[str]:
    """Names of parameters; `=` marks those that may be left out, `*` where names are needed."""
    starred = False
    for one in parameters:
        if one.kind is one.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        yield one.name + ("=" if one.default is not one.empty else "")


# ---- writing ---------------------------------------------------------------------------------------------------


def _may_be(column: dict) -> str:
    """What a layer's column may be other than filled."""
    return "may be absent" if column.get("optional") else "may be empty" if column.get("null") else ""


def _table(heads: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += [
        "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows
    ]
    return "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """Each generated page with its text."""
    reference = DOCS / "reference"
    return {
        DOCS / "architecture.svg": figure(),
        DOCS / "glossary.md": NOTE + glossary(),
        reference / "rooms.md": NOTE + "# Rooms\n\n" + room_table(),
        reference / "commands.md": NOTE + commands(),
        reference / "scenario.md": NOTE + scenario(),
        reference / "data.md": NOTE + dictionary(),
        reference / "api.md": NOTE + api(),
    }


def main() -> int:
    """Write the pages, or with `--check` name those that lag."""
    lagging = [path for path, text in pages().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        for path in lagging:
            print(f"{path.relative_to(ROOT)} lags behind the code: run scripts/make_docs.py")
        return 1 if lagging else 0
    for path in lagging:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pages()[path], encoding="utf-8")
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
