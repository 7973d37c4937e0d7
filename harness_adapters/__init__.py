"""Where privacy tasks run besides Inspect's own command line, and who reads the results."""
