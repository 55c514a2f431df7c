"""What planners keep: works with their revisions and plans, who may do what, and the database below."""
