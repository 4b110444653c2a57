"""What the runner for boards needs to reach one by SSH."""
