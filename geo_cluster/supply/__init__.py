"""What land and what power a site offers."""
