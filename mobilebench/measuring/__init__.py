"""Plan jobs, run them on devices, diagnose the measurements, sign the records."""
