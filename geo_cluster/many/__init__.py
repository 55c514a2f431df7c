"""Many projects at many sites at once: what they share, compiled loops over draws, bounds that leave sites out."""
