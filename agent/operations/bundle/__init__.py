"""The bundle for a support request: what may go into it, and the file it becomes."""
