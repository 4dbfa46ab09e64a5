"""Pages of lists: imports, filters and columns, saved views, exports, bulk edits."""
