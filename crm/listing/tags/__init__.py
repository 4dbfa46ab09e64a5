"""Tags: the company's dictionary of labels, and which record carries which of them."""
