"""Tools for AI agents (Model Context Protocol): a face over the same commands and queries as API and desk."""
