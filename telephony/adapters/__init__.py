"""One module for each kind of exchange or provider."""
