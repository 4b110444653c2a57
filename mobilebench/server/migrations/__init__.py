"""Migrations of the tables of the server, by alembic."""
