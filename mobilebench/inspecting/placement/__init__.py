"""Forecast which compute units can take a file's operations, by the toolkits' rules.

Nothing here is measured. A plan that a phone made of the same file is more reliable.
"""
