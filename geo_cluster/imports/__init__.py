"""What planners bring along: read, checked with all faults at once, accepted, reverted.

::

    files.py         bytes -> shapes, as they came (tables: `world.tabular`)
    tables.py        the sheet that is meant, read by `world.sheets`, with what was mended by hand
    headings.py      headings as people write them -> rows by key; which kind a table is
    cells.py         numbers and units of attributes, by `world.sheets`
    checked.py       what a checker is handed (ImportContext) and gives back (Checked)
    observations.py  ┐
    substations.py   │ rows -> Checked: what would be accepted, and every fault with its row and column
    parcels.py       │
    projects.py      ┘
    check.py         the one door to these: a file of any kind
    ledger.py        accepts a Checked into what a work holds, lists what was accepted, reverts one
    effect.py        what that changes in the scores
    templates.py     files to fill in, made from `tables/imports.toml`

Nothing here changes anything: each function gives back what would hold.
"""
