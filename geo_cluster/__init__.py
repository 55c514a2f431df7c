"""Which laser project should be built where, on what land, on whose power, and how sure that is."""
