"""What every page of this project has in common, whatever it shows.

A page is one file that asks nobody for anything. Names, quotes and outputs come from models and
from other people's files; nothing in them is ever more than text here.
"""
