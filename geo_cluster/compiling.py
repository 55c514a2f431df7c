"""Compiles ahead what would else be compiled by the first search, the first project and the first screening."""

from __future__ import annotations


def warm() -> None:
    """Compile it all for this machine, about a minute, and keep it on disk; quick where that was done before."""
    _search()
    _intake()
    _ground()


def _search() -> None:
    from geo_cluster.matching.solve import warm as search

    search()


def _intake() -> None:
    """A few projects, as one and as many, listed with all sites and with the best alone."""
    from geo_cluster.intake import appraise
    from geo_cluster.region import prepare
    from geo_cluster.world import catalog, portfolio

    region, projects = prepare(catalog.scenario()), portfolio.read("sample").head(2)
    appraise.batch(region, projects)
    appraise.batch(region, projects, 1)


def _ground() -> None:
    """The sample of land, as it is and coarse."""
    from geo_cluster import scratch
    from geo_cluster.suitability import regions, run, screen, spec
    from geo_cluster.world import catalog

    sample = spec.read(catalog.sample_dir() / "suitability" / "sample.toml")
    for asked in (sample, sample.of_grid(cell_m=1000)):
        ready = screen.ready(asked)
        with scratch.temporary() as folder:
            regions.find(run.run(ready, folder), asked.need, screen=ready)


if __name__ == "__main__":
    warm()
