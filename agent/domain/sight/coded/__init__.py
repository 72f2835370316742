"""References in eight bits a component: how they lie in memory, and which of them come first."""
