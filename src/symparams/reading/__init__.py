"""What people type, read: expressions, layers and networks; the only parsers there are."""
