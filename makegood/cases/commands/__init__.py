"""Everything that changes a case.

Each function here is one transaction: the case, its history, its money and the jobs that follow commit
together or not at all. Nothing here talks to the network.
"""

from makegood.cases.commands.appealing import file_appeal, review_appeal
from makegood.cases.commands.approving import approve_case, deny_case
from makegood.cases.commands.arranging import delete_view, save_view, snooze_case, tag_case
from makegood.cases.commands.bulk_steps import run_bulk
from makegood.cases.commands.bulking import confirm_bulk, drop_bulk, make_bulk, read_arguments, undo_bulk
from makegood.cases.commands.complaining import ask_statement, give_statement
from makegood.cases.commands.deciding import decide_by_hand, decide_case, preview_case
from makegood.cases.commands.exchanging import record_difference
from makegood.cases.commands.filing import file_case, reopen_case, withdraw_case
from makegood.cases.commands.following import follow_parcel
from makegood.cases.commands.goods import authorise_again, inspect_goods, receive_goods, ship_back
from makegood.cases.commands.merging import merge_case, preview_merge, unmerge_case
from makegood.cases.commands.money import open_budget, top_up_budget
from makegood.cases.commands.sweeping import let_deadline_pass, sweep_deadlines
from makegood.cases.commands.verifying import add_evidence, assign_case, record_finding
from makegood.cases.commands.writing import add_message

__all__ = [
    "add_evidence",
    "add_message",
    "approve_case",
    "ask_statement",
    "assign_case",
    "authorise_again",
    "confirm_bulk",
    "decide_by_hand",
    "decide_case",
    "delete_view",
    "deny_case",
    "drop_bulk",
    "file_appeal",
    "file_case",
    "follow_parcel",
    "give_statement",
    "inspect_goods",
    "let_deadline_pass",
    "make_bulk",
    "merge_case",
    "open_budget",
    "preview_case",
    "preview_merge",
    "read_arguments",
    "receive_goods",
    "record_difference",
    "record_finding",
    "reopen_case",
    "review_appeal",
    "run_bulk",
    "save_view",
    "ship_back",
    "snooze_case",
    "sweep_deadlines",
    "tag_case",
    "top_up_budget",
    "undo_bulk",
    "unmerge_case",
    "withdraw_case",
]
