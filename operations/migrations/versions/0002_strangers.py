"""Names nobody has, so that all processes count how often they were tried."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "stranger",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("locked_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("stranger_locked", "stranger", ["locked_until"])
