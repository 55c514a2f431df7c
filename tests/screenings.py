"""A small screening of the sample (示例) whose best region is a site, and a study of it."""

from functools import cache

from geo_cluster import scratch, study
from geo_cluster.scenarios import read_for_others
from geo_cluster.suitability import candidates, headroom, kept, regions, run, screen
from geo_cluster.suitability import spec as specs
from geo_cluster.world import catalog
from tests import world


@cache
def screened():
    """Scenario with the layers of the screening, its spec, answer and regions, and what holds its files."""
    held = scratch.hold(scratch.folder() / "tests" / "screened")
    spec = specs.read(catalog.sample_dir() / "suitability" / "sample.toml").of_grid(cell_m=500)
    spec = spec.model_copy(update={"need": spec.need.model_copy(update={"count": 3, "mva": 20.0})})
    ready, base = screen.ready(spec), read_for_others("default")
    answer = run.run(ready, held.path / "out")
    found = regions.find(answer, spec.need, screen=ready, headroom=headroom.headroom_of(base, spec))
    own = held.path / "own"
    after = candidates.as_sites(base, found.iloc[:1], spec, own)
    parks = regions.around(answer, candidates.listed(base))
    kept.keep(answer, spec, found, own, sites=candidates.made_of(after, found), parks=parks)
    return after, spec, answer, found, held


@cache
def done():
    """A study of two projects with the screening among its layers."""
    scenario = screened()[0].model_copy(update={"sites": ("E01", "H04", "L01"), "draws": 50})
    return study.run(scenario, projects=world.projects(2))
