"""The cases, by what they are about. Each module's functions run inside the lab host."""
