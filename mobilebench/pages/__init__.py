"""Show boards, records and comparisons as HTML pages: functions from data to text."""
