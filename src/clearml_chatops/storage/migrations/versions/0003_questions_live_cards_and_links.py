"""Questions of actions; cards that are edited; who created experiments; link codes"""

from alembic import op
import sqlalchemy as sa
import clearml_chatops.storage.schema


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('people', schema=None) as batch_op:
        batch_op.add_column(sa.Column('from_settings', sa.Boolean(), nullable=False, server_default=sa.false()))

    with op.batch_alter_table('actions', schema=None) as batch_op:
        batch_op.alter_column('command', new_column_name='line', existing_type=sa.Text(), existing_nullable=False)
        batch_op.add_column(sa.Column('question', sa.Text(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('in_place', sa.Boolean(), nullable=False, server_default=sa.false()))

    op.create_table('questions',
    sa.Column('platform', sa.String(length=255), nullable=False),
    sa.Column('conversation_id', sa.String(length=255), nullable=False),
    sa.Column('message_id', sa.String(length=255), nullable=False),
    sa.Column('token', sa.String(length=255), nullable=False),
    sa.ForeignKeyConstraint(['token'], ['actions.token'], name=op.f('fk_questions_token_actions'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('platform', 'conversation_id', 'message_id', name=op.f('pk_questions'))
    )
    with op.batch_alter_table('cards', schema=None) as batch_op:
        batch_op.add_column(sa.Column('thread', sa.String(length=255), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('is_card', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('is_superseded', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('due', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('edited', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('shown_change', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f('ix_cards_due'), ['due'], unique=False)
        batch_op.create_index(batch_op.f('ix_cards_experiment_id'), ['experiment_id'], unique=False)

    op.create_table('created_experiments',
    sa.Column('experiment_id', sa.String(length=255), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_created_experiments_person_id_people')),
    sa.PrimaryKeyConstraint('experiment_id', name=op.f('pk_created_experiments'))
    )
    op.create_table('link_codes',
    sa.Column('digest', sa.String(length=255), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('expires', clearml_chatops.storage.schema.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_link_codes_person_id_people')),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_link_codes'))
    )
    with op.batch_alter_table('link_codes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_link_codes_expires'), ['expires'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('people', schema=None) as batch_op:
        batch_op.drop_column('from_settings')

    with op.batch_alter_table('link_codes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_link_codes_expires'))

    op.drop_table('link_codes')
    op.drop_table('created_experiments')
    with op.batch_alter_table('cards', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_cards_experiment_id'))
        batch_op.drop_index(batch_op.f('ix_cards_due'))
        batch_op.drop_column('shown_change')
        batch_op.drop_column('edited')
        batch_op.drop_column('due')
        batch_op.drop_column('is_superseded')
        batch_op.drop_column('is_card')
        batch_op.drop_column('thread')

    op.drop_table('questions')
    with op.batch_alter_table('actions', schema=None) as batch_op:
        batch_op.drop_column('in_place')
        batch_op.drop_column('question')
        batch_op.alter_column('line', new_column_name='command', existing_type=sa.Text(), existing_nullable=False)
