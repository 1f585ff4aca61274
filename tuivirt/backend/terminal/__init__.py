"""The embedded terminal: an emulator behind ``model.terminal.Emulator``."""
