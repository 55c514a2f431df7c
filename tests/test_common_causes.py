"""Numbers that are guessed wrong together: margins stay exact, correlations are as declared, nobody else changes."""

from __future__ import annotations

import zlib
from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geo_cluster import toml
from geo_cluster.domain import Prior
from geo_cluster.region import Region, facts_of, off_by, prepare, settings_of
from geo_cluster.scoring import industry_fit
from geo_cluster.scoring.information import of_parameters
from geo_cluster.world import catalog, copula, need_draws, observations, plant_needs, portfolio, triangular
from tests import world

DRAWS = 4000
ERROR = 0.045
"""Nearly three standard errors of a rank correlation over so many draws."""


def rank_correlation(rho: float) -> float:
    """What two normals of correlation rho have."""
    return 6 / np.pi * np.arcsin(rho / 2)


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    return float(stats.spearmanr(first, second)[0])


def table(*rows: tuple[str, str, float], attribute: str = "a") -> pd.DataFrame:
    """Observations 1, 4, 12 of subjects, each with cause and common."""
    frame = pd.DataFrame(rows, columns=["site_id", "cause", "common"])
    return frame.assign(attribute=attribute, low=1.0, likely=4.0, high=12.0)


def independent(name: str, draws: int, seed: int) -> np.ndarray:
    """The draws of one number as they were before there were common causes."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    return (rng.permutation(np.arange(draws)) + rng.random(draws)) / draws


# ---- the copula ---------------------------------------------------------------------------------------------------


def test_nothing_in_common_gives_the_draws_that_each_number_has_alone():
    rows = table(("X", "a/zone", 0.0), ("Y", "a/zone", 0.0))
    drawn = observations.draw(rows, draws=300, seed=5)
    for column, site in enumerate("XY"):
        alone = triangular.quantiles(independent(f"{site}/a", 300, 5), *np.array([1.0, 4.0, 12.0]))
        assert np.array_equal(drawn[:, column], alone)
    assert np.array_equal(drawn, observations.draw(rows.drop(columns=["cause", "common"]), draws=300, seed=5))


def test_the_draws_go_over_into_those_of_each_alone_as_less_is_in_common():
    almost = copula.with_causes(["X/a", "Y/a"], ["c", "c"], [1e-14, 1e-14], draws=300, seed=5)
    assert np.array_equal(almost[0], independent("X/a", 300, 5))


@given(st.floats(0, 1), st.integers(0, 2**32 - 1), st.integers(10, 80))
@settings(max_examples=40)
def test_each_number_keeps_one_draw_from_each_slice_of_its_own(common, seed, draws):
    drawn = copula.with_causes(["X", "Y", "Z"], ["c", "c", ""], [common, common, 0], draws=draws, seed=seed)
    assert ((drawn >= 0) & (drawn < 1)).all()
    assert (np.sort((drawn * draws).astype(int), axis=1) == np.arange(draws)).all()


@given(low=st.floats(0, 100), rise=st.floats(0, 100), fall=st.floats(0, 100), common=st.floats(0, 1))
@settings(max_examples=40)
def test_draws_stay_within_the_interval(low, rise, fall, common):
    rows = table(("X", "c", common), ("Y", "c", common)).assign(low=low, likely=low + rise, high=low + rise + fall)
    drawn = observations.draw(rows, draws=30, seed=1)
    assert drawn.min() >= low - 1e-9
    assert drawn.max() <= low + rise + fall + 1e-9


@pytest.mark.parametrize(("first", "second"), [(0.3, 0.3), (0.5, 0.5), (0.9, 0.9), (0.9, 0.4), (1.0, 1.0)])
def test_two_numbers_of_a_cause_hang_together_as_declared(first, second):
    drawn = observations.draw(table(("X", "c", first), ("Y", "c", second)), draws=DRAWS, seed=2)
    assert spearman(*drawn.T) == pytest.approx(rank_correlation(np.sqrt(first * second)), abs=ERROR)
    reference = stats.triang(c=3 / 11, loc=1, scale=11)
    assert stats.kstest(drawn[:, 0], reference.cdf).pvalue > 0.99, "as exact as it was alone"


@pytest.mark.parametrize("other", [("Y", "d", 0.9), ("Y", "", 0.0), ("Y", "c", 0.0)])
def test_numbers_of_other_causes_and_of_none_hang_together_with_nothing(other):
    drawn = observations.draw(table(("X", "c", 0.9), other), draws=DRAWS, seed=2)
    assert abs(spearman(*drawn.T)) < ERROR


def test_adding_a_number_to_a_cause_or_beside_it_changes_nobody_elses_draws():
    one = observations.draw(table(("X", "c", 0.5)), draws=200, seed=3)
    more = observations.draw(table(("W", "c", 0.5), ("X", "c", 0.5), ("V", "b", 0.3)), draws=200, seed=3)
    assert np.array_equal(one[:, 0], more[:, 1])


def test_two_plans_that_break_together_hold_more_often_than_two_that_break_alone():
    def holds(common: float) -> float:
        drawn = observations.draw(table(*((site, "c", common) for site in "UVWXY")), draws=DRAWS, seed=4)
        return float((drawn > 3).all(axis=1).mean())

    alone = float(1 - stats.triang(c=3 / 11, loc=1, scale=11).cdf(3))
    chances = [holds(common) for common in (0.0, 0.3, 0.7, 1.0)]
    assert chances[0] == pytest.approx(alone**5, abs=0.02)
    assert chances[-1] == pytest.approx(alone, abs=0.001)
    assert all(less < more for less, more in pairwise(chances))


# ---- priors -------------------------------------------------------------------------------------------------------


SUBJECTS = {
    "site": {"X": "county_park", "Y": "county_park", "Z": "county_park"},
    "substation": {"G": "220"},
    "prefecture": {"4207": "*"},
}


def test_only_what_rests_on_a_prior_shares_its_cause():
    told = ("Z", "available_land_ha", 1.0, 5.0, 9.0, "ha", "reported", "电话", "2026", "user", "as stated", "园区")
    rows = pd.DataFrame([told], columns=observations.COLUMNS)
    full = observations.complete(rows, SUBJECTS, catalog.attributes()).set_index(["attribute", "site_id"])
    land = full.loc["available_land_ha"]
    (prior,) = (one for one in catalog.attributes()["available_land_ha"].priors if one.class_ == "county_park")
    assert land["common"].to_dict() == {"X": prior.common, "Y": prior.common, "Z": 0.0}
    assert land["cause"].to_dict() == {"X": "available_land_ha/county_park"} | {
        "Y": "available_land_ha/county_park",
        "Z": "",
    }
    drawn = observations.draw(land.reset_index().assign(attribute="available_land_ha"), draws=DRAWS, seed=1)
    assert spearman(drawn[:, 0], drawn[:, 1]) == pytest.approx(rank_correlation(prior.common), abs=ERROR)
    assert abs(spearman(drawn[:, 0], drawn[:, 2])) < ERROR


@pytest.mark.parametrize("common", [-0.1, 1.1, float("nan"), "half"])
def test_a_share_that_is_none_is_refused(common):
    with pytest.raises(ValueError, match="common"):
        Prior.model_validate(
            {"class": "*", "low": 1, "likely": 2, "high": 3, "reason": {"zh": "无", "en": "none"}, "common": common}
        )


def test_every_declared_share_says_why_in_both_languages():
    declared = [prior for one in catalog.attributes().values() for prior in one.priors]
    declared += [one for one in catalog.attributes().values() if one.common]
    assert sum(one.common > 0 for one in declared) > 10
    for one in declared:
        assert (one.common_reason is not None) == (one.common > 0)
    shares = {**toml.table("requirements")["common"], "fit": toml.table("fit")}
    for key, row in shares.items():
        reason = row.get("reason") or row["common_reason"]
        assert 0 <= row.get("share", row.get("common")) <= 1, key
        assert min(len(reason["zh"]), len(reason["en"]) / 3) > 15, key
    assert set(toml.table("requirements")["common"]) <= set(need_draws.factor_names())


def region_of(layers: dict[str, pd.DataFrame] | None = None, **changes: object) -> Region:
    return prepare(world.scenario(**{"draws": 50} | changes), layers or world.layers())


def test_what_is_derived_in_one_way_shares_its_calibration_and_what_was_looked_into_nothing():
    layers = world.layers()
    layers["sites"]["constraints_checked"] = ["no", "yes"]
    rows = region_of(layers).observations.set_index(["attribute", "site_id"])
    assert rows.loc["trip_min", "cause"].tolist() == ["trip_min/road", "trip_min/road"]
    assert set(rows.loc["trip_min", "common"]) == {catalog.attributes()["trip_min"].common}
    shared = catalog.attributes()["open_constraints"].priors[0].common
    assert rows.loc["open_constraints", "common"].tolist() == [shared, 0.0]


# ---- needs --------------------------------------------------------------------------------------------------------


@cache
def small_region() -> Region:
    return region_of()


def drawn_needs(rows: list[dict[str, str]], draws: int = DRAWS) -> tuple[dict[str, np.ndarray], dict, pd.DataFrame]:
    projects = portfolio.check(pd.DataFrame(rows).fillna(""))
    needs = facts_of(small_region(), projects).needs
    return need_draws.draw(projects, needs, draws=draws, seed=7), needs, projects


PLANT = {"segment": "fiber_laser", "output_100m_yuan": "5"}


def width(*ranges: tuple[float, float]) -> float:
    return float(np.sqrt(sum((np.log(high / low) / 2) ** 2 for low, high in ranges)))


def test_needs_of_a_plant_hang_together_by_the_factors_that_they_have_in_common():
    drawn, needs, _ = drawn_needs([PLANT])
    segment = catalog.segments()["fiber_laser"]
    land = [segment.needs["land_mu"]]
    power = [*land, segment.plot_ratio, segment.density_mw_per_10k_m2, segment.demand_factor]
    expected = {
        ("land_mu", "power_mva"): width(*land) / width(*power),
        ("power_mva", "energy_tce"): width(*power) / width(*power, segment.load_factor),
    }
    for (one, other), rho in expected.items():
        assert 0.2 < rho < 1
        assert spearman(drawn[one][:, 0], drawn[other][:, 0]) == pytest.approx(rank_correlation(rho), abs=ERROR)
    for need, bounds in needs.items():
        assert (drawn[need] >= bounds[:, 0] - 1e-9).all() and (drawn[need] <= bounds[:, 2] + 1e-9).all()


def test_plants_of_a_segment_are_guessed_wrong_together_others_not():
    drawn, _, _ = drawn_needs([PLANT, PLANT, PLANT | {"segment": "laser_chip"}])
    segment, land = catalog.segments()["fiber_laser"], drawn["land_mu"]
    common = need_draws.common_of("land_mu")
    assert spearman(land[:, 0], land[:, 1]) == pytest.approx(rank_correlation(common), abs=ERROR)
    assert abs(spearman(land[:, 0], land[:, 2])) < ERROR
    names = ("land_mu", "plot_ratio", "density_mw_per_10k_m2", "demand_factor")
    widths = [width(segment.needs.get(name) or getattr(segment, name)) ** 2 for name in names]
    shared = sum(need_draws.common_of(name) * one for name, one in zip(names, widths, strict=True)) / sum(widths)
    power = drawn["power_mva"]
    assert spearman(power[:, 0], power[:, 1]) == pytest.approx(rank_correlation(shared), abs=ERROR)


def test_what_a_project_states_is_drawn_as_before_and_what_follows_from_it_hangs_together_with_it():
    stated = PLANT | {"land_mu": "20-40", "power_mva": "5-10"}
    drawn, needs, projects = drawn_needs([stated, stated])
    for p, project in enumerate(projects.index):
        for need in ("land_mu", "power_mva"):
            alone = triangular.quantiles(independent(f"{project}/{need}", DRAWS, 7), *needs[need][p])
            assert np.array_equal(drawn[need][:, p], alone)
    assert abs(spearman(drawn["land_mu"][:, 0], drawn["power_mva"][:, 0])) < ERROR
    assert spearman(drawn["power_mva"][:, 0], drawn["energy_tce"][:, 0]) > 0.5
    assert abs(spearman(drawn["land_mu"][:, 0], drawn["energy_tce"][:, 0])) < ERROR


def test_capacity_that_follows_from_stated_energy_rises_with_it_and_falls_with_the_load_factor():
    drawn, _, _ = drawn_needs([PLANT | {"energy_gwh": "10-20"}, PLANT | {"energy_gwh": "10-20"}])
    assert spearman(drawn["energy_tce"][:, 0], drawn["power_mva"][:, 0]) > 0.5
    assert spearman(drawn["power_mva"][:, 0], drawn["power_mva"][:, 1]) > 0, "the load factor of the segment"
    assert abs(spearman(drawn["land_mu"][:, 0], drawn["power_mva"][:, 0])) < ERROR


def test_land_that_is_stated_says_nothing_about_power_that_is_estimated_from_output():
    drawn, _, _ = drawn_needs([PLANT | {"land_mu": "20-40"}])
    assert abs(spearman(drawn["land_mu"][:, 0], drawn["power_mva"][:, 0])) < ERROR


def test_an_output_that_is_a_range_moves_all_needs_of_the_project():
    point, *_ = drawn_needs([PLANT])
    span, *_ = drawn_needs([PLANT | {"output_100m_yuan": "2-8"}])
    two = ("land_mu", "power_mva")
    rank = [spearman(*(drawn[need][:, 0] for need in two)) for drawn in (point, span)]
    assert rank[1] > rank[0] + 0.05


def test_adding_a_project_changes_nobody_elses_draws():
    alone, *_ = drawn_needs([PLANT], draws=100)
    more, *_ = drawn_needs([PLANT, PLANT | {"segment": "laser_chip", "energy_gwh": "10-20"}, PLANT], draws=100)
    for need, drawn in alone.items():
        assert np.array_equal(drawn[:, 0], more[need][:, 0])


@given(st.floats(0.5, 9), st.floats(1.0, 9), st.sampled_from(sorted(catalog.segments())), st.booleans())
@settings(max_examples=15, deadline=None)
def test_needs_stay_within_their_intervals_whatever_is_stated(low, times, segment, is_stated):
    row = {"segment": segment, "output_100m_yuan": f"{low:.6f}-{low * times:.6f}"}
    drawn, needs, _ = drawn_needs([row | ({"land_mu": "20-30"} if is_stated else {})], draws=40)
    for need, bounds in needs.items():
        assert (drawn[need] >= bounds[:, 0] * (1 - 1e-9)).all() and (drawn[need] <= bounds[:, 2] * (1 + 1e-9)).all()


def test_the_width_of_what_is_estimated_is_that_of_its_sources():
    _, needs, projects = drawn_needs([PLANT, PLANT | {"output_100m_yuan": "2-8"}])
    for need, widths in need_draws.sources(projects, needs).items():
        total = np.sqrt(sum(one**2 for one in widths.values()))
        of = np.log(needs[need][:, 2] / needs[need][:, 0]) / 2
        assert total == pytest.approx(of, rel=1e-6)


# ---- fit and places -----------------------------------------------------------------------------------------------


WORDS = ("激光", "光电", "装备")


@given(st.sets(st.sampled_from(WORDS)), st.sets(st.sampled_from(WORDS)))
def test_the_fit_is_an_interval_in_order_and_more_words_never_lower_it(said, listed):
    (bounds,) = industry_fit.fit(["食品" + "、".join(said)], ["、".join(listed)], WORDS)
    assert -1 / 3 <= bounds[0] <= bounds[1] < bounds[2]
    (more,) = industry_fit.fit(["食品" + "、".join(WORDS)], ["、".join(listed)], WORDS)
    assert (more >= bounds).all()


def test_strict_usual_and_generous_readings_by_hand():
    fits = industry_fit.fit(["激光、食品", "食品", "", ""], ["装备", "", "激光、光电", " "], WORDS)
    assert fits[:3] * 3 == pytest.approx(np.array([[0, 2, 3], [-1, 0, 1], [1, 2, 3]]))
    assert np.isnan(fits[3]).all()


def test_the_fit_is_drawn_within_its_interval_and_judged_alike_at_all_sites():
    fits = {"a": np.array([[0, 1 / 3, 2 / 3], [1 / 3, 2 / 3, 1], [np.nan] * 3])}
    fits |= {"b": np.zeros((3, 3)), "c": np.array([[-1, 0, 1], [2, 3, 4], [5, 6, 7]]) / 3}
    drawn = industry_fit.draw(fits, ["X", "Y", "Z"], draws=DRAWS, seed=1)
    assert drawn.shape == (DRAWS, 3, 3)
    assert (drawn[:, 1] == 0).all()
    assert (drawn[:, 2, 0] == 0).mean() == pytest.approx(0.5, abs=0.001), "no word found: none or one overlooked"
    assert (drawn[:, 2, 1] == 1).mean() == pytest.approx(0.5, abs=0.001)
    assert (drawn[:, 2, 2] == 1).all(), "no doubt where many were found"
    assert (drawn[:, 0, 0] <= 2 / 3).all() and (drawn[:, 0, 1] >= 1 / 3).all()
    assert np.quantile(drawn[:, 0, 2], [0.1, 0.9]) == pytest.approx([0.1, 0.9], abs=0.01), "unknown: anywhere"
    rho = toml.table("fit")["common"]
    assert spearman(drawn[:, 0, 0], drawn[:, 0, 1]) == pytest.approx(rank_correlation(rho), abs=ERROR)
    alone = industry_fit.draw({"a": fits["a"][:1]}, ["X"], draws=DRAWS, seed=1)
    assert np.array_equal(alone[:, 0, 0], drawn[:, 0, 0])


def test_the_fit_of_a_project_varies_in_the_draws_and_is_that_of_its_segment():
    region = region_of()
    projects = world.projects(2).assign(segment=["fiber_laser", "medical"])
    likely, drawn = settings_of(region, facts_of(region, projects))
    measured = drawn.of_segment("industry_fit")
    assert measured.shape == (50, 2, 2)
    assert np.ptp(measured[:, 0, 0]) > 0.1
    at = list(catalog.segments()).index("medical")
    assert np.array_equal(measured[:, 1], region.drawn_by_segment["industry_fit"][:, at])
    assert np.array_equal(drawn.only(slice(1, 2)).of_segment("industry_fit"), measured[:, 1:])
    assert likely.of_segment("industry_fit")[0, 0, 0] == pytest.approx(1.0)


def test_a_point_that_may_be_off_widens_the_trip_and_leaves_the_likely_one():
    layers = world.layers()
    sharp = region_of(layers).offers["trip_min"]
    layers["sites"]["coord_uncertainty_m"] = [4000.0, 100.0]
    rough = region_of(layers).offers["trip_min"]
    assert rough[0, 0] < sharp[0, 0] and rough[0, 2] > sharp[0, 2]
    assert rough[:, 1].tolist() == sharp[:, 1].tolist()
    assert rough[1].tolist() == sharp[1].tolist()


def test_both_errors_of_a_trip_add_in_quadrature():
    bounds = np.array([[7.0, 10.0, 13.0], [7.0, 10.0, 13.0], [1.0, 2.0, 3.0], [np.inf, np.inf, np.inf]])
    wider = off_by(bounds, np.array([4.0, np.inf, 50.0, 4.0]))
    assert wider[:2].tolist() == [[5, 10, 15], [7, 10, 13]]
    assert wider[2, 0] == 0, "no trip takes less than no time"
    assert np.isinf(wider[3]).all()


# ---- what uses the draws ------------------------------------------------------------------------------------------


def test_a_number_is_worth_what_it_tells_about_another_one():
    """The score of B is a standard normal y, that of A is 0: knowing x of correlation rho is worth rho · φ(0)."""
    rho, draws = 0.6, 30_000
    x, y = copula.normals(["X", "Y"], draws=draws, seed=1)
    y = rho * x + np.sqrt(1 - rho**2) * y
    scores = np.column_stack([np.zeros(draws) + 1e-9, y - y.mean()])
    found = of_parameters(scores, np.column_stack([x, copula.normals(["Z"], draws=draws, seed=1)[0]]))
    assert found.gain[0] == pytest.approx(rho / np.sqrt(2 * np.pi), abs=0.02)
    assert found.gain[1] < 0.02, "what hangs together with nothing is worth nothing"


def test_spread_and_product_agree_with_the_normals_of_the_factors():
    """The bounds of a product lie at the same quantile as those of its factors: what the copula takes for granted."""
    factors = [plant_needs.spread([one]) for one in ((2.0, 8.0), (1.0, 1.5))]
    low, likely, high = plant_needs.product(*factors)[0]
    assert np.log(high / likely) == pytest.approx(np.hypot(np.log(2), np.log(1.5) / 2))
    assert np.log(likely / low) == pytest.approx(np.log(high / likely))
