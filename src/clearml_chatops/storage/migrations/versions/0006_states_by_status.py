"""An index for the states of pending and running experiments"""

from alembic import op


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('experiment_states', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_experiment_states_status'), ['status'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('experiment_states', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_experiment_states_status'))
