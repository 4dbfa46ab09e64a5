"""Pages of duplicates and merging."""
