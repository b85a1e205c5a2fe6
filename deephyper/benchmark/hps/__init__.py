"""Classic paths of ready problems."""
