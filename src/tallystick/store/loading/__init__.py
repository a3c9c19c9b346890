"""Loading: history in bulk, straight into blocks."""
