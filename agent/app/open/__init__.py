"""Builds from config and state folder what the agent and its commands run on."""
