"""Telling open pages what just happened: said in a transaction, heard after its commit by whoever may hear it."""

from makegood.kit.live.log import RESET, Ticket, catch_up, forget_told, position, sign, tell

__all__ = ["RESET", "Ticket", "catch_up", "forget_told", "position", "sign", "tell"]
