"""Alembic's environment: runs migrations on the connection from storage.database.build_migration_config."""

from alembic import context

from clearml_chatops.storage.schema import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
