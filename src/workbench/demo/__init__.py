"""A small local page over the retrieval pipeline: ask, see what was found, what was answered, and what it cost."""
