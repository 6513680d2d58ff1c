"""History that PostgreSQL itself protects: a migration operation for tables whose rows never change."""

from django.db.migrations.operations import RunSQL

REFUSE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
"""


class AppendOnly(RunSQL):
    """Refuse UPDATE and DELETE on `table`, whoever asks, by a row trigger.

    Being a reversible RunSQL, it is written in a migration as `AppendOnly("common_auditevent")`.
    """

    def __init__(self, table: str):
        self.table = table
        super().__init__(
            sql=REFUSE + f'CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON "{table}" '
            "FOR EACH ROW EXECUTE FUNCTION refuse_change();",
            reverse_sql=f'DROP TRIGGER {table}_append_only ON "{table}";',
        )

    def deconstruct(self):
        return self.__class__.__name__, [self.table], {}

    def describe(self):
        return f"Make {self.table} append-only"
