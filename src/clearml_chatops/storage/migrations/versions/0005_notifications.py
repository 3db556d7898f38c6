"""An index for undelivered notifications; who did what"""

from alembic import op
import sqlalchemy as sa
import clearml_chatops.storage.schema


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.add_column(
            sa.Column('noted', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=True)
        )
    op.execute('UPDATE outbox SET noted = next_attempt')
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.alter_column(
            'noted',
            existing_type=clearml_chatops.storage.schema.UtcDateTime(timezone=True),
            nullable=False,
        )
        batch_op.drop_index(batch_op.f('ix_outbox_next_attempt'))
        batch_op.create_index(
            batch_op.f('ix_outbox_delivered'), ['delivered', 'platform', 'conversation_id', 'id'], unique=False
        )

    with op.batch_alter_table('experiment_states', schema=None) as batch_op:
        batch_op.add_column(sa.Column('stopping_by', sa.String(length=255), nullable=False, server_default=''))

    op.create_table('acts',
    sa.Column('experiment_id', sa.String(length=255), nullable=False),
    sa.Column('kind', sa.String(length=255), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('at', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_acts_person_id_people')),
    sa.PrimaryKeyConstraint('experiment_id', 'kind', name=op.f('pk_acts'))
    )
    with op.batch_alter_table('acts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_acts_at'), ['at'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('acts', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_acts_at'))

    op.drop_table('acts')
    with op.batch_alter_table('experiment_states', schema=None) as batch_op:
        batch_op.drop_column('stopping_by')

    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_outbox_delivered'))
        batch_op.create_index(batch_op.f('ix_outbox_next_attempt'), ['next_attempt'], unique=False)
        batch_op.drop_column('noted')
