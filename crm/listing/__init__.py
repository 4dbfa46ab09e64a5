"""Lists: filters, columns, paging, import machinery."""
