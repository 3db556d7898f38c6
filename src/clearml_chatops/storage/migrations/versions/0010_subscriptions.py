"""Subscriptions to queues and projects; notifications about experiments enqueued elsewhere"""

from alembic import op
import sqlalchemy as sa
import clearml_chatops.storage.schema


revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('subscriptions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=255), nullable=False),
    sa.Column('target_id', sa.String(length=255), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('platform', sa.String(length=255), nullable=False),
    sa.Column('conversation_id', sa.String(length=255), nullable=False),
    sa.Column('thread', sa.String(length=255), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('told', sa.JSON(), nullable=False),
    sa.Column('since', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=False),
    sa.Column('private', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_subscriptions_person_id_people')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subscriptions')),
    sa.UniqueConstraint(
        'kind', 'target_id', 'platform', 'conversation_id', 'thread', name=op.f('uq_subscriptions_kind')
    )
    )
    op.create_table('unwatched',
    sa.Column('experiment_id', sa.String(length=255), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_unwatched_person_id_people')),
    sa.PrimaryKeyConstraint('experiment_id', 'person_id', name=op.f('pk_unwatched'))
    )
    op.create_table('own_experiments_off',
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_own_experiments_off_person_id_people')),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_own_experiments_off'))
    )
    op.create_table('own_places',
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('platform', sa.String(length=255), nullable=False),
    sa.Column('conversation_id', sa.String(length=255), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_own_places_person_id_people')),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_own_places'))
    )
    with op.batch_alter_table('watcher_cursor', schema=None) as batch_op:
        batch_op.add_column(
            sa.Column('begun', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=True)
        )
    op.execute('UPDATE watcher_cursor SET begun = position')
    with op.batch_alter_table('watcher_cursor', schema=None) as batch_op:
        batch_op.alter_column(
            'begun',
            existing_type=clearml_chatops.storage.schema.UtcDateTime(timezone=True),
            nullable=False,
        )


def downgrade() -> None:
    with op.batch_alter_table('watcher_cursor', schema=None) as batch_op:
        batch_op.drop_column('begun')

    op.drop_table('own_places')
    op.drop_table('own_experiments_off')
    op.drop_table('unwatched')
    op.drop_table('subscriptions')
