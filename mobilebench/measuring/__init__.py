"""Measuring: plan jobs, run them on devices, diagnose and sign the records."""
