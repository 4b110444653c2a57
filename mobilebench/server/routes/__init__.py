"""The paths of the server, one module for each noun."""
