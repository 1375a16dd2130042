"""Everything that changes the workbench: one transaction each."""

from makegood.workbench.commands.keying import choose_keys, usual_keys

__all__ = ["choose_keys", "usual_keys"]
