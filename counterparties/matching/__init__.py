"""What makes two records the same, the pairs a scan has found, and merging them into one with a way back."""
