"""Requests of the chat platforms that were handled"""

from alembic import op
import sqlalchemy as sa
import clearml_chatops.storage.schema


revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('handled_requests',
    sa.Column('platform', sa.String(length=255), nullable=False),
    sa.Column('key', sa.String(length=255), nullable=False),
    sa.Column('is_finished', sa.Boolean(), nullable=False),
    sa.Column('received', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('platform', 'key', name=op.f('pk_handled_requests'))
    )
    with op.batch_alter_table('handled_requests', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_handled_requests_received'), ['received'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('handled_requests', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_handled_requests_received'))

    op.drop_table('handled_requests')
