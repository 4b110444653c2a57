"""Take records, give jobs to devices and show the leaderboard, over HTTP."""
