"""The person behind a GPU watch or daily digest, for when its conversation is gone"""

from alembic import op
import sqlalchemy as sa


revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ('card_watches', 'daily_digests'):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column('person_id', sa.Integer(), nullable=True))
            batch_op.create_foreign_key(
                batch_op.f(f'fk_{table}_person_id_people'), 'people', ['person_id'], ['id']
            )


def downgrade() -> None:
    for table in ('daily_digests', 'card_watches'):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_constraint(batch_op.f(f'fk_{table}_person_id_people'), type_='foreignkey')
            batch_op.drop_column('person_id')
