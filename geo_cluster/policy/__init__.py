"""What the policy pays, aims at and watches: money, targets, projects under way, links of the chain."""
