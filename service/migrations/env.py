"""Run by database.migrate, which hands over a connection; there is no alembic.ini."""

from alembic import context

from service import models

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=models.Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
