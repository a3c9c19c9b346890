"""Reading: blocks and heads merged into matrices, at the finest step there is."""
