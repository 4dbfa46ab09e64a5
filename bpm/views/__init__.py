"""Pages of processes: the inbox, the runs, and what administrators keep."""
