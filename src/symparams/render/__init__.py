"""A derivation to a string: a module a format; renderers show what is there and know no layer."""
