"""The states of a job and the only ways between them. Pure: the ledger asks, the database obeys.

    queued ──claim──▶ running ──finish──▶ succeeded
      ▲  │              │ │ └───fail────▶ failed
      │  └─pause─▶ paused ◀─release─ pausing ◀─pause─┘
      └──── release, lose ──┘ │
                              └─cancel─▶ cancelling ──▶ cancelled

A cancel that was acknowledged is kept: every end of a `cancelling` job is `cancelled`. A `pausing` job that happens to
finish has finished.
"""

from enum import StrEnum

from qstill.contract.status import Status


class Action(StrEnum):
    CLAIM = "claim"  # a worker takes the job
    FINISH = "finish"  # its computation returned
    FAIL = "fail"  # its computation cannot succeed
    RELEASE = "release"  # its worker gives it back in good order: drained, or stopped on request
    LOSE = "lose"  # its worker or child died; attempts are left
    GIVE_UP = "give_up"  # its worker or child died; no attempt is left
    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"


S, A = Status, Action

OWNED = frozenset({S.RUNNING, S.PAUSING, S.CANCELLING})  # a worker holds a lease on the job

TRANSITIONS: dict[tuple[Status, Action], Status] = {
    (S.QUEUED, A.CLAIM): S.RUNNING,
    (S.QUEUED, A.CANCEL): S.CANCELLED,
    (S.QUEUED, A.PAUSE): S.PAUSED,
    (S.QUEUED, A.RESUME): S.QUEUED,
    (S.RUNNING, A.FINISH): S.SUCCEEDED,
    (S.RUNNING, A.FAIL): S.FAILED,
    (S.RUNNING, A.RELEASE): S.QUEUED,
    (S.RUNNING, A.LOSE): S.QUEUED,
    (S.RUNNING, A.GIVE_UP): S.FAILED,
    (S.RUNNING, A.CANCEL): S.CANCELLING,
    (S.RUNNING, A.PAUSE): S.PAUSING,
    (S.RUNNING, A.RESUME): S.RUNNING,
    (S.PAUSING, A.FINISH): S.SUCCEEDED,
    (S.PAUSING, A.FAIL): S.FAILED,
    (S.PAUSING, A.RELEASE): S.PAUSED,
    (S.PAUSING, A.LOSE): S.PAUSED,
    (S.PAUSING, A.GIVE_UP): S.FAILED,
    (S.PAUSING, A.CANCEL): S.CANCELLING,
    (S.PAUSING, A.PAUSE): S.PAUSING,
    (S.PAUSING, A.RESUME): S.RUNNING,
    (S.PAUSED, A.CANCEL): S.CANCELLED,
    (S.PAUSED, A.PAUSE): S.PAUSED,
    (S.PAUSED, A.RESUME): S.QUEUED,
    (S.CANCELLING, A.FINISH): S.CANCELLED,
    (S.CANCELLING, A.FAIL): S.CANCELLED,
    (S.CANCELLING, A.RELEASE): S.CANCELLED,
    (S.CANCELLING, A.LOSE): S.CANCELLED,
    (S.CANCELLING, A.GIVE_UP): S.CANCELLED,
    (S.CANCELLING, A.CANCEL): S.CANCELLING,
}


class IllegalTransition(Exception):
    def __init__(self, status: Status, action: Action) -> None:
        super().__init__(f"a job that is {status} cannot {action}")
        self.status = status
        self.action = action


def after(status: Status, action: Action) -> Status:
    """The state that follows; raises IllegalTransition where there is none."""
    try:
        return TRANSITIONS[status, action]
    except KeyError:
        raise IllegalTransition(status, action) from None
