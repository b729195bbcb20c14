"""One step body, three parallel drivers, checkpoints that verify, a loop that resumes."""
