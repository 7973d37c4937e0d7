"""Submissions made of real small runs, and whether they are what they say."""
