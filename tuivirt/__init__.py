"""tuivirt: a text-mode virtual machine manager on libvirt."""

__version__ = "0.1.0"
