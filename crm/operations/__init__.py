"""The registry of typed operations that areas offer to processes."""
