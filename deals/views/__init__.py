"""Pages of deals: list, board, card, moves."""
