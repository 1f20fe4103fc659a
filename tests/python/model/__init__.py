"""The model-based test: random programs run against a session and against plain dictionaries; see runner.py."""
