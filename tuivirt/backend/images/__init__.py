"""Disk images on this machine: read, checked, converted, changed in size, in what they lie on."""
