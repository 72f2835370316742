"""What is told: events, topics, status and announcements."""
