"""What is read: declared tables, registered layers, observations, portfolios, tables and coordinates of any file."""
