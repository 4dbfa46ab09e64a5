"""Working together: small apps for the calendar, tasks, feed and documents."""
