"""Rounds: what a round's evidence makes of the next round's manifest. Pure."""

from study_operator.rounds.change import Change, Content, Drop, Edit, Launch, Proposal, Put, Swap, change_text
from study_operator.rounds.draft import Plan
from study_operator.rounds.names import next_name
from study_operator.rounds.promotion import promote
from study_operator.rounds.propose import propose

__all__ = [
    "Change",
    "Content",
    "Drop",
    "Edit",
    "Launch",
    "Plan",
    "Proposal",
    "Put",
    "Swap",
    "change_text",
    "next_name",
    "promote",
    "propose",
]
