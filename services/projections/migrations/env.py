"""What Alembic runs: the revisions of one area, on the connection and in the transaction of `migrate_area`."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    render_as_batch=True,
    # SQLite's DDL is as transactional as PostgreSQL's, once the driver does not commit by itself (kit.database).
    transactional_ddl=True,
)
context.run_migrations()
