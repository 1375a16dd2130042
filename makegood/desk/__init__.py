"""The pages of agents, reviewers and managers."""
