"""One file a kind of thing handed over."""
