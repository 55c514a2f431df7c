"""Projects at intake, one or thousands: where each would go, how sure that is, and why."""
