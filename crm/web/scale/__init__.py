"""Machinery for demo data at the size of a whole company: bulk loading, names, history by the hundred thousand."""
