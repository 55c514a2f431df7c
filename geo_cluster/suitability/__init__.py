"""Land anywhere: from rasters and outlines to land that suits, its score, and regions that can become sites.

::

    spec.py         what is declared: grid, sources, exclusions, criteria, need (TOML)
    grid.py         cells of a stated size in metres, aligned once; tiles and windows of them
    rasters.py      rasters brought onto the grid, or refused
    outlines.py     points, lines and areas: read, buffered, burnt
    sources.py      all sources of a spec; what they say in a window, each read once
    exclusions.py   the stack of exclusions on a window: which rule takes a cell first, what each takes
    criteria.py     the criteria on a window: natural units, values, scores
    screen.py       a spec made ready: one tile in, one tile's answer out; the story of a cell
    surfaces.py     tiles and the surfaces as files
    run.py          all tiles, on this machine or a cluster, to files; stops, goes on, refuses
    headroom.py     what power a place may still get: its county's supply area, an interval, whom to ask
    regions.py      compact land of at least the need that holds the hall, best first
    asks.py         land for each project or segment, by its own need and weights
    candidates.py   a region as a candidate site of a scenario
    kept.py         a screening as it stays with a work, small, for maps and papers
    pieces.py       files that a planner brings: what each is, what it may be good for
    uses.py         what each is used for, and the ground that is proposed
    misuses.py      what is wrong with that, all at once
    own.py          the spec of it
    brought.py      the files of one visit, with copies that are safe to open
    kernels_*.py    compiled loops over cells, by who calls them: rasters, outlines, rules, scores, regions
"""
