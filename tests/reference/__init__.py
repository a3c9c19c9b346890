"""Plain twins of the kernels, written to be read beside the grammar and not to be fast."""
