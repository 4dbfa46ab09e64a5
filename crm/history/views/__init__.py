"""Pages of history: a card's events and notes, the recycle bin."""
