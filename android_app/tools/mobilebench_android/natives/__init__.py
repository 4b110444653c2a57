"""Run the app's own libraries here: Android's x86_64 files on a Java machine of Linux."""
