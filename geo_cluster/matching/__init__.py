"""Projects to sites under shared capacities: build, solve, verify, explain."""
