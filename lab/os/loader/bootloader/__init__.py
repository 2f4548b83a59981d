"""Boot loaders of the lab: how their files are written, and which system they boot."""
