"""What is reported of a study: its tables, its plan explained, and a plan beside others."""
