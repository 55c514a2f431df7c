"""The screen: draws, never computes."""
