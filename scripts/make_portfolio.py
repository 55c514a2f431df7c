"""Write the sample portfolio (示例): thirty made-up plants, `geo_cluster/tables/portfolios/sample.csv`.

    python scripts/make_portfolio.py [--out FILE]

Nobody's plan. Each segment has two plants, one drawn from the lower and one from the upper half of a range of annual
output, both on a log scale, with a fixed seed; the ranges are those of announced laser projects of the same segment
(layer `reference_projects`), or of a small plant where none states its output. Investment, tax and jobs follow
from the output by ratios of such projects. Some plants state their land or capacity, some leave investment or tax open,
and two ask for more land than their segment mostly takes: they are there to be seen failing a threshold per mu.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from geo_cluster.world import catalog, portfolio, spreadsheet

SEED = 20261130
MARK = "示例：虚构项目，不代表任何企业的计划"
OUT = Path(__file__).parents[1] / "geo_cluster" / "tables" / "portfolios" / "sample.csv"


class Range(NamedTuple):
    """What plants of a segment are drawn from.

    Attributes
    ----------
    output : annual output, 100 M yuan
    investment : times the output
    mu : mu of land per 100 M yuan, for plants that state theirs
    mva : MVA per 100 M yuan, likewise
    anchors : reference projects or firms by whose size the output was chosen
    """

    output: tuple[float, float]
    investment: tuple[float, float]
    mu: tuple[float, float]
    mva: tuple[float, float]
    anchors: str


RANGES = {
    # fibre lasers: a plant stays below half of the largest firm's revenue as a whole (32 of 2024)
    "fiber_laser": Range((4.5, 15), (0.7, 1.2), (6, 8), (0.3, 0.6), "revenue of the largest firm"),
    "cutting_welding": Range((2, 10), (0.7, 1.1), (6, 12), (0.2, 0.5), "P41 5, P40 10, P17 30"),
    "precision_micro": Range((2.5, 12), (0.5, 1.0), (4, 6), (0.2, 0.5), "P43 30, as a base of several plants"),
    "laser_chip": Range((1.2, 6), (1.3, 1.7), (6, 9), (1.0, 1.8), "P60 6"),
    "specialty_fiber": Range((1, 5), (1.0, 1.6), (6, 12), (0.6, 1.2), "P47 7.8 of investment"),
    "optics_crystal": Range((0.8, 5), (0.8, 1.5), (5, 9), (0.4, 0.8), "P14 1.2, P54 6.1"),
    "lidar": Range((2, 8), (0.6, 1.0), (3, 6), (0.2, 0.5), "P15 3"),
    "medical": Range((0.8, 4), (1.2, 1.7), (6, 9), (0.15, 0.4), "P24 3"),
    "cleaning": Range((0.5, 1.5), (0.5, 0.8), (6, 10), (0.15, 0.3), "none: a small plant"),
    "additive_equipment": Range((1, 5), (0.7, 1.2), (6, 10), (0.3, 0.6), "a third of a listed firm's 13.3"),
    "additive_powder": Range((0.6, 3), (0.8, 1.3), (10, 18), (0.8, 1.5), "none: a small plant"),
    "semiconductor_laser": Range((1.5, 8), (0.9, 1.6), (4, 8), (0.4, 0.8), "P02 4, P60 6, P06 10"),
    "gas_laser": Range((0.5, 1.5), (0.6, 1.0), (5, 10), (0.2, 0.5), "none: P57 is one hall of 3,500 m²"),
    "solid_state_laser": Range((0.8, 4), (0.9, 1.5), (4, 6), (0.2, 0.4), "a listed firm's 3.7"),
    "cnc_system": Range((1, 6), (0.5, 0.9), (4, 7), (0.15, 0.35), "P53: a sixth of a firm's 17.8"),
}

PLANTS = (
    ("fiber_laser", "大功率光纤激光器总装厂", "upper"),
    ("cutting_welding", "激光切割焊接整机厂", "upper"),
    ("precision_micro", "光伏激光设备厂", "upper"),
    ("laser_chip", "激光芯片外延与封装厂", "upper"),
    ("specialty_fiber", "特种光纤与预制棒厂", "upper"),
    ("optics_crystal", "光学元件镀膜厂", "upper"),
    ("lidar", "车载激光雷达厂", "upper"),
    ("medical", "激光医疗设备厂", "upper"),
    ("cleaning", "激光清洗设备厂", "upper"),
    ("additive_equipment", "金属增材制造设备厂", "upper"),
    ("additive_powder", "金属粉末厂", "upper"),
    ("fiber_laser", "中小功率光纤激光器厂", "lower"),
    ("cutting_welding", "汽车零部件激光焊接线厂", "lower"),
    ("precision_micro", "晶圆激光加工设备厂", "lower"),
    ("laser_chip", "激光芯片中试线", "lower"),
    ("specialty_fiber", "掺稀土光纤厂", "lower"),
    ("optics_crystal", "激光晶体与切割头厂", "lower"),
    ("lidar", "工业激光雷达厂", "lower"),
    ("medical", "医美光源模块厂", "lower"),
    ("cleaning", "手持激光清洗机厂", "lower"),
    ("additive_equipment", "激光熔覆设备厂", "lower"),
    ("additive_powder", "熔覆粉末厂", "lower"),
    ("semiconductor_laser", "半导体激光泵浦模块厂", "upper"),
    ("gas_laser", "二氧化碳激光器厂", "upper"),
    ("solid_state_laser", "紫外与超快激光器厂", "upper"),
    ("cnc_system", "激光数控系统厂", "upper"),
    ("semiconductor_laser", "半导体激光器封装厂", "lower"),
    ("gas_laser", "射频气体激光器厂", "lower"),
    ("solid_state_laser", "固体激光器厂", "lower"),
    ("cnc_system", "振镜与运动控制卡厂", "lower"),
)
TAX = (0.03, 0.08)
"""Annual tax, times the output; announced: 0.05 to 0.13."""
JOBS = (40, 110)
"""Jobs per 100 M yuan of output; announced: 17 to 88, 2,000 for 3 bn yuan."""

STATES_LAND = (1, 2, 5, 8, 10, 13, 16, 20, 24, 26)
"""Numbers of the plants that state their land."""
STATES_MVA = (1, 4, 5, 11, 15, 23)
ROOMY = {13: 3.0, 20: 4.0}
"""Of those that state their land: how many times more than their share they ask for."""
OPEN_INVESTMENT = (9, 18, 22, 28)
OPEN_TAX = (9, 12, 18, 21, 22, 28, 30)
AS_RANGE = (3, 7, 14, 25)
"""Plants that give their investment as a range."""


def drawn(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between two, even on a log scale."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def rounded(value: float) -> float:
    """As people write amounts: two digits that count, halves where there is one before the point."""
    if value >= 10:
        return float(round(value))
    return float(round(value * 2) / 2) if value >= 3 else float(f"{value:.2g}")


def rows() -> list[dict[str, str]]:
    """The plants, keys as in `portfolio.columns()`."""
    rng, found = np.random.default_rng(SEED), []
    for number, (segment, what, half) in enumerate(PLANTS, start=1):
        of = RANGES[segment]
        middle = float(np.sqrt(of.output[0] * of.output[1]))
        output = rounded(drawn(rng, *((middle, of.output[1]) if half == "upper" else (of.output[0], middle))))
        investment, tax = output * rng.uniform(*of.investment), output * rng.uniform(*TAX)
        jobs, year = output * rng.uniform(*JOBS), int(rng.integers(2027, 2031))
        land, mva = output * rng.uniform(*of.mu) * ROOMY.get(number, 1.0), output * rng.uniform(*of.mva)
        earlier = int(rng.integers(0, 2))
        spent = f"{float(f'{investment:.2g}'):g}"
        if number in AS_RANGE:
            spent = f"{float(f'{0.85 * investment:.2g}'):g}-{float(f'{1.15 * investment:.2g}'):g}"
        row = {
            "id": f"P{number:02d}",
            "name": f"示例{number:02d} {what}",
            "segment": catalog.segments()[segment].name.zh,
            "output_100m_yuan": f"{output:g}",
            "investment_100m_yuan": "" if number in OPEN_INVESTMENT else spent,
            "tax_100m_yuan": "" if number in OPEN_TAX else f"{float(f'{tax:.2g}'):g}",
            "jobs": f"{max(round(jobs / 10) * 10, 10)}",
            "year": f"{year}",
            "power_year": f"{max(year - earlier, 2027)}",
            "land_mu": f"{max(round(land), 3)}" if number in STATES_LAND else "",
            "power_mva": f"{mva:.2g}" if number in STATES_MVA else "",
            "notes": MARK,
        }
        found.append(row)
    return found


def table() -> pd.DataFrame:
    """The plants under the headings of a portfolio."""
    titles = portfolio.columns()
    return pd.DataFrame(rows()).reindex(columns=list(titles), fill_value="").rename(columns=titles)


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.parse_args().out.write_bytes(
        spreadsheet.as_csv(table()).replace(b"\r\n", b"\n").removeprefix(b"\xef\xbb\xbf")
    )


if __name__ == "__main__":
    main()
