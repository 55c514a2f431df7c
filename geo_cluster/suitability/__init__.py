"""Land anywhere: from rasters and outlines to land that suits, its score, and regions that can become sites.

::

    spec.py         what is declared: grid, sources, exclusions, criteria, need (TOML)
    grid.py         cells of a stated size in metres, aligned once; tiles and windows of them
    kernels.py      compiled loops over cells: rules, buffers, slope, burning, nearest, sampling
    sources.py      rasters and outlines brought onto the grid, or refused
    exclusions.py   the stack of exclusions on a window: which rule takes a cell first, what each takes
    criteria.py     the criteria on a window: natural units, values, scores
    screen.py       a spec made ready: one tile in, one tile's answer out; the story of a cell
    run.py          all tiles, on this machine or a cluster, to files; stops, goes on, refuses
    regions.py      compact land of at least the need that holds the hall, best first
    candidates.py   a region as a candidate site of a scenario
"""
