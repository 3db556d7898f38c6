"""Bursts: many notifications in one message"""

from alembic import op
import sqlalchemy as sa

from clearml_chatops.storage.schema import UtcDateTime


revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'bursts',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('platform', sa.String(length=255), nullable=False),
        sa.Column('conversation_id', sa.String(length=255), nullable=False),
        sa.Column('thread', sa.String(length=255), nullable=False),
        sa.Column('started', UtcDateTime(timezone=True), nullable=False),
        sa.Column('last_event', UtcDateTime(timezone=True), nullable=False),
        sa.Column('shown', UtcDateTime(timezone=True), nullable=True),
        sa.Column('due', UtcDateTime(timezone=True), nullable=True),
        sa.Column('sent_conversation_id', sa.String(length=255), nullable=False),
        sa.Column('message_id', sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_bursts')),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f('ix_bursts_due'), 'bursts', ['due', 'platform', 'conversation_id'])
    op.add_column('outbox', sa.Column('burst_id', sa.Integer(), nullable=True))
    op.create_index(op.f('ix_outbox_burst_id'), 'outbox', ['burst_id'])


def downgrade() -> None:
    op.drop_index(op.f('ix_outbox_burst_id'), table_name='outbox')
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_column('burst_id')
    op.drop_table('bursts')
