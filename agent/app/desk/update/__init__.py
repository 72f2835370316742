"""What an update asks of the machine: the service, dpkg, the running agent."""
