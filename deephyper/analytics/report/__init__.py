"""A search as one HTML page that needs nothing else: charts, a table, failures, findings.

- ``content``: all that a page shows, as plain values
- ``journal``: what only a journal tells
- ``columns``: the table of evaluations, column by column
- ``times``: how busy the workers were
- ``settings``: the space and the settings, for people
- ``arrays``: numbers as a compressed block of text
- ``page``: the HTML
- ``saving``: the file, once or again and again
"""
