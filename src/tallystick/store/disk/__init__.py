"""What touches the disk: files, the directory, and the manifest that says what a store consists of."""
