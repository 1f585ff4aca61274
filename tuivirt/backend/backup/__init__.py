"""Checkpoints and backups of a domain, and what is made of a backup again."""
