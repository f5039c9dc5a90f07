"""What a text is worth beside a reference, its source or a list of criteria. Each metric is one module; none knows a
task."""
