"""What a text is worth beside a reference, its source or a rule. None of the metrics knows a task."""
