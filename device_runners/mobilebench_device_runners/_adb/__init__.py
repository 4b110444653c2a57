"""What the runner of Android phones does by adb, a noun a module."""
