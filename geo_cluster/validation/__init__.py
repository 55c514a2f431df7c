"""Whether to believe it: the model held against what it was not made from, and what its answers rest on."""
