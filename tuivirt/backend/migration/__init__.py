"""Moving a domain to another host: options, checks, images, the run, and what is true after it."""
