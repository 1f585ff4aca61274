"""The ssh that libvirt starts for a connection: what it asks, says, and how long it may take."""
