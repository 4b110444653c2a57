"""This machine and where work runs on it: processes, clusters, sensors, versions."""
