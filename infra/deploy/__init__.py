"""The deployment steps, and the playbooks and secrets of a stage. May import `functions`."""
