"""How far a site is from where the engineers are."""
