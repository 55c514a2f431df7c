"""What planners bring along: read, checked with all faults at once, taken over, reverted.

::

    files.py         bytes -> table or shapes, as they came; which kind a file is
    observations.py  ┐
    substations.py   │ table -> Checked: what would be taken over, and every fault with its row and column
    parcels.py       │
    projects.py      ┘
    check.py         the one door to these: a file of any kind
    ledger.py        takes a Checked over into what a work holds, lists what was, reverts one
    effect.py        what that changes in the scores
    templates.py     files to fill in, made from `tables/imports.toml`

Nothing here changes anything: each function gives back what would hold.
"""
