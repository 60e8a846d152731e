"""Each row of the table of what is opened by name, where nothing else keeps a program running.

A case is a small real program and what it prints. All are in one tree of Debian packages. With the
whole table, the tree that is planned for it prints that; without the one row, it does not.
"""
