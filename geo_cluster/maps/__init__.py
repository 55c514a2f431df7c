"""Layers and a study as a map: one payload, one script that draws it, one page that needs no network."""
