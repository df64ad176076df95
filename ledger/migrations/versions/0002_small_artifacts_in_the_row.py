"""Small artifacts stand in their row"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("artifacts") as artifacts:
        artifacts.add_column(sa.Column("content", sa.LargeBinary(), nullable=True))
        artifacts.alter_column("path", existing_type=sa.String(length=400), nullable=True)
