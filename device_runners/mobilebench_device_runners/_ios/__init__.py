"""How a job gets onto an iPhone and back, for the runner `ios`."""
