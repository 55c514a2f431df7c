"""The search and the bound behind `matching.solve`: a compiled model, heuristics, relaxations and branching."""
