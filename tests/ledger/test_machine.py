"""Every pair of state and action, exhaustively."""

import itertools

import pytest

from ledger.machine import OWNED, TRANSITIONS, Action, IllegalTransition, after
from qstill.contract.status import FINAL, Status

EVERY_PAIR = list(itertools.product(Status, Action))


@pytest.mark.parametrize(("status", "action"), EVERY_PAIR)
def test_a_pair_either_leads_somewhere_or_is_refused(status: Status, action: Action) -> None:
    if (status, action) in TRANSITIONS:
        assert after(status, action) in Status
    else:
        with pytest.raises(IllegalTransition, match=f"{status} cannot {action}"):
            after(status, action)


def test_nothing_leaves_a_final_state() -> None:
    assert not [pair for pair in TRANSITIONS if pair[0] in FINAL]


def test_only_an_owned_job_can_be_finished_failed_released_or_lost() -> None:
    for action in (Action.FINISH, Action.FAIL, Action.RELEASE, Action.LOSE, Action.GIVE_UP):
        assert {status for status, done in TRANSITIONS if done == action} == OWNED


def test_a_cancel_that_was_acknowledged_is_kept() -> None:
    ends = {target for (status, _), target in TRANSITIONS.items() if status == Status.CANCELLING}
    assert ends == {Status.CANCELLING, Status.CANCELLED}


def test_every_state_is_reached_from_queued_and_leads_to_an_end() -> None:
    reached = {Status.QUEUED}
    for _ in Status:
        reached |= {target for (status, _), target in TRANSITIONS.items() if status in reached}
    assert reached == set(Status)
    ending = set(FINAL)
    for _ in Status:
        ending |= {status for (status, _), target in TRANSITIONS.items() if target in ending}
    assert ending == set(Status)
