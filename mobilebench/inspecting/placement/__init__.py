"""Forecasts which compute units can take a model file's operations, by the toolkits' own rules.

Nothing here is measured. A plan that a phone made of the same file says more.
"""
