"""What planners bring along: read, checked with all faults at once, accepted, reverted.

::

    files.py         bytes -> layers of shapes as they came; files that belong together (tables: tables.py)
    tables.py        the sheet that is meant, read by `world.sheets`, with what was mended by hand
    drawn.py         layers -> the outlines or points that count, what they say, what was left out
    whereabouts.py   where shapes lie: degrees or metres, zone, longitude first, shifted; systems that would fit
    plausible.py     parcels of an odd size, far from their site, of another area than they say
    stations.py      stations under another name, twice, with another's id
    headings.py      headings as people write them -> rows by key; which kind a table is
    cells.py         numbers and units of attributes, by `world.sheets`
    checked.py       what a checker is handed (ImportContext) and gives back (Checked)
    observations.py  ┐
    substations.py   │ rows -> Checked: what would be accepted, and every fault with its row and column
    parcels.py       │
    projects.py      ┘
    check.py         the one door to these: a file of any kind
    surveys.py       several surveys of one site: the same ground replaces, other ground adds up
    ground.py        parcels for the command line
    ledger.py        accepts a Checked into what a work holds, lists what was accepted, reverts one
    effect.py        what that changes in the scores
    templates.py     files to fill in, made from `tables/imports.toml`

Nothing here changes anything: each function gives back what would hold.
"""
