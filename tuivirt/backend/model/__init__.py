"""Frozen records: what the rest of tuivirt knows of a host. Nothing of ours is imported here."""
