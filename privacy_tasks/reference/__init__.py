"""Reference models: scripted, of known behaviour, for demos and for testing the harness itself."""
