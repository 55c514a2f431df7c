"""The layers of a study for GIS, CAD, globes and portals: what they hold, how they look, and a file of each format."""
