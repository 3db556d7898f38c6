"""Requests for GPUs that somebody else uses"""

from alembic import op
import sqlalchemy as sa
import clearml_chatops.storage.schema


revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('card_questions',
    sa.Column('token', sa.String(length=255), nullable=False),
    sa.Column('group_token', sa.String(length=255), nullable=False),
    sa.Column('host', sa.String(length=255), nullable=False),
    sa.Column('asker_id', sa.Integer(), nullable=False),
    sa.Column('platform', sa.String(length=255), nullable=False),
    sa.Column('conversation_id', sa.String(length=255), nullable=False),
    sa.Column('thread', sa.String(length=255), nullable=False),
    sa.Column('cards', sa.Text(), nullable=False),
    sa.Column('line', sa.Text(), nullable=False),
    sa.Column('request', sa.JSON(), nullable=False),
    sa.Column('asked_id', sa.Integer(), nullable=False),
    sa.Column('worker_ids', sa.JSON(), nullable=False),
    sa.Column('noted', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=False),
    sa.Column('expires', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=False),
    sa.Column('answer', sa.String(length=255), nullable=False),
    sa.Column('begun', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['asked_id'], ['people.id'], name=op.f('fk_card_questions_asked_id_people')),
    sa.ForeignKeyConstraint(['asker_id'], ['people.id'], name=op.f('fk_card_questions_asker_id_people')),
    sa.PrimaryKeyConstraint('token', name=op.f('pk_card_questions'))
    )
    with op.batch_alter_table('card_questions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_card_questions_group_token'), ['group_token'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('card_questions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_card_questions_group_token'))

    op.drop_table('card_questions')
