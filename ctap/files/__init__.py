"""Tables, files that appear whole or not at all, names that files can have, lists of what is left out."""
