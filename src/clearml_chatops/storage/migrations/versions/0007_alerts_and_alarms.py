"""Alerts on metrics and logs; stalled runs for alarms"""

from alembic import op
import sqlalchemy as sa
import clearml_chatops.storage.schema


revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('alerts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('experiment_id', sa.String(length=255), nullable=False),
    sa.Column('experiment_name', sa.Text(), nullable=False),
    sa.Column('metric', sa.Text(), nullable=False),
    sa.Column('comparison', sa.String(length=255), nullable=False),
    sa.Column('threshold', sa.Double(), nullable=True),
    sa.Column('pattern', sa.Text(), nullable=False),
    sa.Column('platform', sa.String(length=255), nullable=False),
    sa.Column('conversation_id', sa.String(length=255), nullable=False),
    sa.Column('thread', sa.String(length=255), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('since', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=False),
    sa.Column('extreme', sa.Double(), nullable=True),
    sa.Column('log_from', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=True),
    sa.Column('log_next', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_alerts_person_id_people')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alerts')),
    sqlite_autoincrement=True
    )
    op.create_table('standstills',
    sa.Column('experiment_id', sa.String(length=255), nullable=False),
    sa.Column('kind', sa.String(length=255), nullable=False),
    sa.Column('sign', sa.Text(), nullable=False),
    sa.Column('since', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=False),
    sa.Column('told', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('experiment_id', 'kind', name=op.f('pk_standstills'))
    )


def downgrade() -> None:
    op.drop_table('standstills')
    op.drop_table('alerts')
