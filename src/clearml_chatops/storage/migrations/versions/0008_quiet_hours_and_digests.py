"""Time zones, quiet hours, mutes and daily digests"""

from alembic import op
import sqlalchemy as sa
import clearml_chatops.storage.schema


revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('time_zones',
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('zone', sa.String(length=255), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_time_zones_person_id_people')),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_time_zones'))
    )
    op.create_table('private_conversations',
    sa.Column('platform', sa.String(length=255), nullable=False),
    sa.Column('conversation_id', sa.String(length=255), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_private_conversations_person_id_people')),
    sa.PrimaryKeyConstraint('platform', 'conversation_id', name=op.f('pk_private_conversations'))
    )
    op.create_table('quiet_hours',
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('begins', sa.Time(), nullable=False),
    sa.Column('ends', sa.Time(), nullable=False),
    sa.Column('zone', sa.String(length=255), nullable=False),
    sa.Column('failures_now', sa.Boolean(), nullable=False),
    sa.Column('is_on', sa.Boolean(), nullable=False),
    sa.Column('changed', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_quiet_hours_person_id_people')),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_quiet_hours'))
    )
    op.create_table('mutes',
    sa.Column('platform', sa.String(length=255), nullable=False),
    sa.Column('conversation_id', sa.String(length=255), nullable=False),
    sa.Column('until', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_mutes_person_id_people')),
    sa.PrimaryKeyConstraint('platform', 'conversation_id', name=op.f('pk_mutes'))
    )
    op.create_table('daily_digests',
    sa.Column('platform', sa.String(length=255), nullable=False),
    sa.Column('conversation_id', sa.String(length=255), nullable=False),
    sa.Column('thread', sa.String(length=255), nullable=False),
    sa.Column('at', sa.Time(), nullable=False),
    sa.Column('zone', sa.String(length=255), nullable=False),
    sa.Column('weekdays_only', sa.Boolean(), nullable=False),
    sa.Column('told_until', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('platform', 'conversation_id', 'thread', name=op.f('pk_daily_digests'))
    )
    # So far, the person of a direct message on Slack is the one with a watch in it.
    op.execute(
        "INSERT INTO private_conversations (platform, conversation_id, person_id) "
        "SELECT platform, conversation_id, MIN(person_id) FROM watches "
        "WHERE platform = 'slack' AND conversation_id LIKE 'D%' GROUP BY platform, conversation_id"
    )


def downgrade() -> None:
    for table in ('daily_digests', 'mutes', 'quiet_hours', 'private_conversations', 'time_zones'):
        op.drop_table(table)
