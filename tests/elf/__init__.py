"""How ld.so would load a binary, checked against ld.so itself.

lab.Lab           compiles programs and libraries, and asks minify and ld.so what they get
cross.assembled   an ELF file for another machine, from an empty source
"""
