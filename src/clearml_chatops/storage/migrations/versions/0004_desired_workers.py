"""Desired workers, apart from the processes that run"""

from alembic import op
import sqlalchemy as sa
import clearml_chatops.storage.schema


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

_MOVED = ('queue_id', 'queue_name', 'gpus', 'image', 'person_id')


def upgrade() -> None:
    wanted = op.create_table('wanted_workers',
    sa.Column('id', sa.String(length=255), nullable=False),
    sa.Column('host', sa.String(length=255), nullable=False),
    sa.Column('plan', sa.JSON(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('platform', sa.String(length=255), nullable=False),
    sa.Column('conversation_id', sa.String(length=255), nullable=False),
    sa.Column('thread', sa.String(length=255), nullable=False),
    sa.Column('since', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=False),
    sa.Column('draining', sa.Boolean(), nullable=False),
    sa.Column('held_queues', sa.JSON(), nullable=False),
    sa.Column('held_since', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=True),
    sa.Column('successor', sa.JSON(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('next_attempt', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_wanted_workers_person_id_people')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_wanted_workers'))
    )
    with op.batch_alter_table('wanted_workers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_wanted_workers_host'), ['host'], unique=False)

    op.create_table('card_watches',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('host', sa.String(length=255), nullable=False),
    sa.Column('card', sa.String(length=255), nullable=False),
    sa.Column('memory', sa.BigInteger(), nullable=True),
    sa.Column('seconds', sa.Integer(), nullable=False),
    sa.Column('platform', sa.String(length=255), nullable=False),
    sa.Column('conversation_id', sa.String(length=255), nullable=False),
    sa.Column('thread', sa.String(length=255), nullable=False),
    sa.Column('free_since', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_card_watches')),
    sa.UniqueConstraint('host', 'card', 'platform', 'conversation_id', 'thread', name=op.f('uq_card_watches_host'))
    )

    # Workers that were started before continue. Their conversations are unknown, so nobody gets notified.
    started = sa.table('started_workers', *(sa.column(name) for name in ('id', 'host', *_MOVED)), sa.column(
        'started', clearml_chatops.storage.schema.UtcDateTime(timezone=True)))
    for row in op.get_bind().execute(sa.select(started)).all():
        plan = {'queues': [[row.queue_id, row.queue_name]], 'gpus': row.gpus, 'image': row.image,
                'services': False, 'name': ''}
        op.get_bind().execute(sa.insert(wanted).values(
            id=row.id, host=row.host, plan=plan, person_id=row.person_id, platform='', conversation_id='', thread='',
            since=row.started, draining=False, held_queues=[], held_since=None, successor={}, failures=0,
            next_attempt=None))

    with op.batch_alter_table('started_workers', schema=None) as batch_op:
        batch_op.drop_constraint('fk_started_workers_person_id_people', type_='foreignkey')
        for name in _MOVED:
            batch_op.drop_column(name)


def downgrade() -> None:
    op.drop_table('card_watches')
    op.drop_table('started_workers')
    op.create_table('started_workers',
    sa.Column('id', sa.String(length=255), nullable=False),
    sa.Column('host', sa.String(length=255), nullable=False),
    sa.Column('queue_id', sa.String(length=255), nullable=False),
    sa.Column('queue_name', sa.String(length=255), nullable=False),
    sa.Column('gpus', sa.String(length=255), nullable=False),
    sa.Column('image', sa.Text(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('process_id', sa.Integer(), nullable=False),
    sa.Column('process_started', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=False),
    sa.Column('started', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_started_workers_person_id_people')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_started_workers'))
    )
    with op.batch_alter_table('wanted_workers', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_wanted_workers_host'))

    op.drop_table('wanted_workers')
