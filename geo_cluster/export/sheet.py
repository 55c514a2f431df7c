"""The plan as a briefing sheet, to print or to send: a self-contained HTML file, all data escaped, no script."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

import pandas as pd

from geo_cluster import catalog
from geo_cluster.domain import Language
from geo_cluster.export.tables import SAMPLE
from geo_cluster.results import told_requests
from geo_cluster.study import Study

REQUESTS = 8
"""So many numbers to ask for are on the page; the rest is in `data_request.csv`."""

WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "title": "湖北激光产业布局：方案简报",
        "scenario": "情景",
        "level": "规划口径",
        "placed": "落地项目",
        "worth": "方案总分",
        "proof": "最优性",
        "optimal": "已证最优",
        "feasible": "可行，与上界差距 {gap:.2%}",
        "check": "独立校核",
        "held": "全部满足",
        "broken": "{n} 处不满足",
        "assumed": "所用数中按类别假定",
        "plan": "方案",
        "unplaced": "未落地",
        "pools": "资源池（占用大于零的）",
        "asked": "最该核实的数",
        "sources": "来源",
        "project": "项目",
        "segment": "环节",
        "site": "园区",
        "score": "得分（90% 区间）",
        "land": "用地（亩）",
        "power": "容量（MVA）",
        "energy": "能耗（吨标煤/年）",
        "drive": "车程（分）",
        "reason": "理由",
        "pool": "资源池",
        "used": "占用",
        "planned": "规划口径",
        "interval": "下限–上限",
        "unit": "单位",
        "subject": "对象",
        "question": "问题",
        "range": "现区间",
        "whom": "问谁",
        "none": "全部项目落地",
        "review": "地图公开发布须送审并标注审图号。区间为无人公布之数的假定，须核实。",
        "cautious": "审慎",
        "likely": "最可能",
        "hopeful": "乐观",
    },
    "en": {
        "title": "Hubei laser siting: the plan in brief",
        "scenario": "Scenario",
        "level": "Planning level",
        "placed": "Projects placed",
        "worth": "Worth of the plan",
        "proof": "Proof",
        "optimal": "proven optimal",
        "feasible": "feasible, {gap:.2%} from the bound",
        "check": "Independent check",
        "held": "all rules hold",
        "broken": "{n} broken",
        "assumed": "Share of numbers assumed",
        "plan": "Plan",
        "unplaced": "Not placed",
        "pools": "Pools in use",
        "asked": "Numbers to verify first",
        "sources": "Sources",
        "project": "Project",
        "segment": "Segment",
        "site": "Site",
        "score": "Score (90 % interval)",
        "land": "Land (mu)",
        "power": "Power (MVA)",
        "energy": "Energy (tce a year)",
        "drive": "Drive (min)",
        "reason": "Reason",
        "pool": "Pool",
        "used": "Used",
        "planned": "Planned with",
        "interval": "Low–high",
        "unit": "Unit",
        "subject": "Subject",
        "question": "Question",
        "range": "Interval now",
        "whom": "Whom to ask",
        "none": "every project is placed",
        "review": "Publishing a map needs a map review number. Intervals that nobody published are assumed: verify.",
        "cautious": "cautious",
        "likely": "likely",
        "hopeful": "hopeful",
    },
}

STYLE = """
@page { size: A4; margin: 14mm; }
body { font: 10.5pt/1.45 "Source Han Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif;
  color: #1d2b36; max-width: 190mm; margin: 6mm auto; padding: 0 4mm; }
h1 { font-size: 16pt; margin: 0 0 1mm; } h2 { font-size: 11.5pt; margin: 5mm 0 1.5mm; color: #0b6e75; }
p { margin: 0 0 2mm; } .muted { color: #56636c; font-size: 9pt; }
.sample { background: #fff3d6; color: #7a5200; border: 1px solid #e9cf8f; border-radius: 4px; padding: 0 2mm; }
.facts { display: flex; flex-wrap: wrap; gap: 2mm; margin: 3mm 0; }
.facts div { border: 1px solid #dfe4e3; border-radius: 6px; padding: 1.5mm 3mm; flex: 1 1 30mm; }
.facts b { display: block; font-size: 13pt; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: 9pt; }
th, td { border-bottom: 1px solid #dfe4e3; padding: .7mm 1.5mm; text-align: left; vertical-align: top; }
th { color: #56636c; font-weight: 600; } td.n { text-align: right; font-variant-numeric: tabular-nums; }
td { overflow-wrap: anywhere; } tr { break-inside: avoid; } h2 { break-after: avoid; }
"""


def sheet(study: Study, *, language: Language = "zh") -> str:
    """The briefing sheet of a study as HTML: headline numbers, plan, who stays out, pools, what to verify, sources."""
    words, scenario = WORDS[language], study.scenario
    level = words[scenario.planning_level]
    told = f"{words['scenario']}: {scenario.name[language]} ({scenario.id}) · {words['level']}: {level}"
    parts = [f"<h1>{words['title']}</h1>", f"<p class=muted>{html.escape(told)}</p>"]
    parts += [f"<p><span class=sample>{html.escape(SAMPLE)}</span></p>"] if scenario.is_sample else []
    parts += [_facts(study, words)]
    parts += [f"<h2>{words['plan']}</h2>", _plan(study, words, language)]
    parts += [f"<h2>{words['unplaced']}</h2>", _unplaced(study, words, language)]
    parts += [f"<h2>{words['pools']}</h2>", _pools(study, words, language)]
    parts += [f"<h2>{words['asked']}</h2>", _asked(study, words, language)]
    owed = [
        html.escape(getattr(layer, f"attribution_{language}")) for layer in catalog.registry(scenario.layers).values()
    ]
    parts += [f"<h2>{words['sources']}</h2>", f"<p class=muted>{' · '.join(dict.fromkeys(owed))}</p>"]
    parts += [f"<p class=muted>{words['review']}</p>"]
    lang = {"zh": "zh-CN", "en": "en"}[language]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    head += f"<title>{words['title']} · {html.escape(scenario.name[language])}</title><style>{STYLE}</style>"
    return f'<!doctype html>\n<html lang="{lang}"><head>{head}</head>\n<body>' + "\n".join(parts) + "</body></html>\n"


def _facts(study: Study, words: dict[str, str]) -> str:
    plan, count = study.plan, len(study.violations)
    assumed = float((study.observations["basis"] == "assumed").mean())
    proof = words["optimal"] if plan.status == "optimal" else words["feasible"].format(gap=plan.gap)
    facts = {
        "placed": f"{len(study.assignment)} / {len(study.projects)}",
        "worth": f"{plan.objective:,.1f}",
        "proof": proof,
        "check": words["broken"].format(n=count) if count else words["held"],
        "assumed": f"{assumed:.0%}",
    }
    boxes = (f"<div><span class=muted>{words[key]}</span><b>{value}</b></div>" for key, value in facts.items())
    return f"<div class=facts>{''.join(boxes)}</div>"


def _table(headings: Iterable[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; numbers, and texts that begin with a digit, stand at the right."""

    def cell(value: object) -> str:
        text = str(value)
        return f"<td{' class=n' if text[:1].isdigit() else ''}>{html.escape(text)}</td>"

    head = "".join(f"<th>{html.escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    return f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _plan(study: Study, words: dict[str, str], language: Language) -> str:
    keys = ("project", "segment", "site", "score", "land", "power", "energy", "drive")
    names, segments = study.region.names, catalog.segments()
    rows = [
        (
            f"{row.project_name} ({row.project})",
            segments[study.projects.loc[row.project, "segment"]].name[language],
            names[row.site][language],
            f"{row.score:.1f} ({row.low:.0f}–{row.high:.0f})",
            f"{row.land_mu:,.0f}",
            f"{row.power_mva:,.1f}",
            f"{row.energy_tce:,.0f}",
            f"{row.trip_min:.0f}",
        )
        for row in study.assignment.sort_values(["site", "project"]).itertuples()
    ]
    return _table((words[key] for key in keys), rows)


def _unplaced(study: Study, words: dict[str, str], language: Language) -> str:
    if study.unplaced.empty:
        return f"<p>{words['none']}</p>"
    reason = "reason_en" if language == "en" else "reason"
    rows = [(f"{row['project_name']} ({row['project']})", row[reason]) for row in study.unplaced.to_dict("records")]
    return _table((words["project"], words["reason"]), rows)


def _pools(study: Study, words: dict[str, str], language: Language) -> str:
    names = study.region.names
    used: pd.DataFrame = study.pools[study.pools["used"] > 0]
    rows = [
        (
            names[row.pool][language],
            words[row.resource],
            f"{row.used:,.0f}",
            f"{row.planned:,.0f}",
            f"{row.low:,.0f}–{row.high:,.0f}",
        )
        for row in used.sort_values(["resource", "used"], ascending=[True, False]).itertuples()
    ]
    return _table((words[key] for key in ("pool", "unit", "used", "planned", "interval")), rows)


def _asked(study: Study, words: dict[str, str], language: Language) -> str:
    declared = catalog.attributes()
    rows = [
        (
            row[f"subject_{language}"],
            row[f"question_{language}"],
            f"{row['low']:,.12g}–{row['high']:,.12g} {row[f'unit_{language}']}",
            declared[row["attribute"]].whom[language],
        )
        for row in told_requests(study.requests.head(REQUESTS)).to_dict("records")
    ]
    return _table((words[key] for key in ("subject", "question", "range", "whom")), rows)
