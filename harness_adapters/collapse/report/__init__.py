"""A comparison for people to read: one HTML page, or Markdown with its charts beside it.

`html.write_html` and `markdown.write_markdown` write the same report. Names, quotes and outputs
come from models and from other people's files; nothing in them is ever more than text here.
"""
