"""Reading other people's spreadsheets: hostile, broken or merely untidy, in a limited child process."""
