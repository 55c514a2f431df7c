"""From natural units to a ranking that says how sure it is."""
