"""Owners take turns, questions have a queue, and a list is found by kind and status"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "turns",
        sa.Column("queue", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("served_at", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("queue", "owner", name=op.f("pk_turns")),
    )
    op.create_index("ix_turns_queue", "turns", ["queue", "served_at"], unique=False)
    op.execute("DELETE FROM jobs WHERE kind = 'inspection'")  # whoever asked has been cut off
    op.execute(
        "INSERT INTO turns (queue, owner, served_at) "
        "SELECT queue, owner, MIN(created_at) FROM jobs WHERE status = 'queued' GROUP BY queue, owner"
    )
    op.drop_index("ix_jobs_claim", "jobs")
    op.create_index("ix_jobs_claim", "jobs", ["queue", "status", "owner", "priority", "id"], unique=False)
    op.drop_index("ix_jobs_owner_status", "jobs")
    op.create_index("ix_jobs_listed", "jobs", ["owner", "kind", "status", "id"], unique=False)
    op.drop_table("queues")
