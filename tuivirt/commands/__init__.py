"""The command line's verbs: each does one thing and ends. Nothing here imports Textual."""
