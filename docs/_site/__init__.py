"""What the site has beyond its pages: navigation, links, and the two references.

- ``navigation``: the tree of pages, read from the lists of ``index.md``
- ``links``: pages from outside of ``docs``, and links to them
- ``commands``: the reference of the command line, from its own help
- ``api``: the reference of Python, from docstrings
"""

GENERATED = "_generated"
"""The directory of pages that are made, below ``docs``."""
