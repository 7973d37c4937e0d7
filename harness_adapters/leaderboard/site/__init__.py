"""A static site of verified submissions: pages that ask nobody for anything, JSON and CSV.

`writing.write_site` writes it. The same submissions make the same bytes.
"""
