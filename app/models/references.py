"""What a request says of models and checkpoints, checked where it is accepted."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from ledger.tables import artifacts, jobs, models
from qstill.contract.errors import Problem


def must_be_there(connection: Connection, owner: str, wanted: Sequence[tuple[str, str]]) -> None:
    """wanted: (JSON pointer, id of a model or checkpoint). Nobody deletes them until this transaction ends; others
    may name them.

    Raises Problem (422) that names the pointer.
    """
    for pointer, wanted_id in wanted:
        if wanted_id.startswith("model_"):
            query = select(models.c.id).where(models.c.id == wanted_id, models.c.owner == owner)
        else:
            query = (
                select(artifacts.c.id)
                .join(jobs, jobs.c.id == artifacts.c.job_id)
                .where(artifacts.c.id == wanted_id, artifacts.c.kind == "checkpoint", jobs.c.owner == owner)
            )
        if connection.scalar(query.with_for_update(read=True, key_share=True)) is None:
            is_model = wanted_id.startswith("model_")
            raise Problem(
                "model_not_found",
                f"There is no such {'model' if is_model else 'checkpoint'}.",
                pointer=pointer,
                # A job's `links` lead to its checkpoints.
                ways_out=[{"method": "GET", "path": "/v1/models" if is_model else "/v1/jobs?kind=distillation"}],
            )
