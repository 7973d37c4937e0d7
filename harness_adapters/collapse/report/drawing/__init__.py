"""The charts of a report, drawn with matplotlib, each with the table of its figures."""
