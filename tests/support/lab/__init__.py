"""A machine with an IOMMU and hardware to give away, emulated by QEMU, on this machine's root."""
