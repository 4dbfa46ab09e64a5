"""Append-only events, field changes and the cards they stand on."""
