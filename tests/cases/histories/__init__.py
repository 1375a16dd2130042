"""A state machine over every command of cases, by who acts; ``test_any_history`` runs it."""
