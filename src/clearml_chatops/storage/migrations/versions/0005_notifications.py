"""Notifications: what is still to be sent is found quickly"""

from alembic import op


revision = '0005'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_outbox_next_attempt'))
        batch_op.create_index(
            batch_op.f('ix_outbox_delivered'), ['delivered', 'platform', 'conversation_id', 'id'], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_outbox_delivered'))
        batch_op.create_index(batch_op.f('ix_outbox_next_attempt'), ['next_attempt'], unique=False)
