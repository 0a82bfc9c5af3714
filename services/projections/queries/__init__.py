"""Reading the read model: all of its SQL, as plain functions on a connection that return frozen rows.

Every function takes lists of keys and needs the same number of statements however long they are.
"""
