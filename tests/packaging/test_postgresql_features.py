"""The tables and the SQL use nothing that PostgreSQL 14 lacks (docs/compatibility.md)."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader

from tests.support.wheels import ROOT

PACKAGES = (
    "shipcrowd",
    "couriers",
    "couriers_ekart",
    "couriers_delhivery",
    "couriers_velocity",
    "webhooks",
)
# What came after 14, by the version that brought it. Capitals are keywords of SQL, which the
# project writes in capitals; names of functions and options are matched in any case.
KEYWORDS = {
    15: (
        r"MERGE\s+INTO",
        r"NULLS\s+(?:NOT\s+)?DISTINCT",
        r"ON\s+(?:DELETE|UPDATE)\s+SET\s+(?:NULL|DEFAULT)\s*\(",
        r"GRANT\s+SET\s+ON\s+PARAMETER",
    ),
    16: (
        r"IS\s+(?:NOT\s+)?JSON\b",
        r"JSON_(?:ARRAY|OBJECT)(?:AGG)?\s*\(",
        r"\bSYSTEM_USER\b",
        r"STORAGE\s+(?:PLAIN|EXTERNAL|EXTENDED|MAIN|DEFAULT)\s*[,)]",
    ),
    17: (
        r"JSON_(?:TABLE|QUERY|VALUE|EXISTS|SCALAR|SERIALIZE)\s*\(",
        r"ON_ERROR",
        r"WHEN\s+NOT\s+MATCHED\s+BY",
        r"AT\s+LOCAL",
        r"SET\s+EXPRESSION",
    ),
    18: (
        r"\)\s*VIRTUAL\b",
        r"WITHOUT\s+OVERLAPS",
        r"\bPERIOD\s+\w+\s*\)",
        r"RETURNING\b.*\b(?:OLD|NEW)\.",
        r"NOT\s+ENFORCED",
    ),
}
NAMES = {
    15: (
        r"security_invoker", r"regexp_(?:count|like|instr|substr)\s*\(",
        r"pg_ls_logicalmapdir", r"has_parameter_privilege",
    ),
    16: (
        r"any_value\s*\(", r"array_(?:sample|shuffle)\s*\(", r"random_normal\s*\(",
        r"date_(?:add|subtract)\s*\(", r"\berfc?\s*\(", r"pg_input_(?:is_valid|error_info)",
        r"pg_stat_io\b",
    ),
    17: (
        r"\btransaction_timeout\b", r"uuid_extract_", r"to_(?:bin|oct)\s*\(", r"merge_action",
        r"\bxmltext\s*\(", r"pg_maintain\b", r"unicode_assigned\s*\(", r"pg_wait_events",
    ),
    18: (
        r"uuidv[47]\s*\(", r"casefold\s*\(", r"array_(?:sort|reverse)\s*\(", r"crc32c?\s*\(",
        r"\bl?gamma\s*\(", r"pg_get_acl", r"to_number\s*\([^)]*'RN'",
    ),
}  # fmt: skip
# Python of Django's that makes such SQL.
DJANGO = {15: r"nulls_distinct\s*=", 18: r"db_persist\s*=\s*False|\bUUID7\b|\bUUIDv7\b"}


def newer_than_14(sql: str) -> list[str]:
    """The features newer than PostgreSQL 14 in a text of SQL, each as `15: NULLS NOT DISTINCT`."""
    found = []
    for flags, table in ((re.DOTALL, KEYWORDS), (re.DOTALL | re.IGNORECASE, NAMES)):
        for version, patterns in table.items():
            for pattern in patterns:
                found += [f"{version}: {hit[0]}" for hit in re.finditer(pattern, sql, flags)]
    return found


def sources() -> list[Path]:
    return sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))


def texts(source: str) -> Iterator[str]:
    """The strings of a module, f-strings too, in which SQL stands; without its docstrings."""
    tree = ast.parse(source)
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values
            )
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documentation
        ):
            yield node.value


@pytest.mark.slow
def test_no_sql_in_the_sources_needs_more_than_postgresql_14() -> None:
    found = {
        str(path.relative_to(ROOT)): features
        for path in sources()
        if (features := [hit for text in texts(path.read_text()) for hit in newer_than_14(text)])
    }
    assert found == {}


def test_the_sources_sql_is_read() -> None:
    read = " ".join(
        text
        for path in sources()
        for text in texts(path.read_text())
        if re.search(r"INSERT INTO|UPDATE |SELECT ", text)
    )
    assert read.count("ON CONFLICT") >= 2
    assert "FOR UPDATE SKIP LOCKED" in read


@pytest.mark.parametrize("version", list(DJANGO))
def test_no_model_or_migration_asks_django_for_a_newer_feature(version: int) -> None:
    found = [path for path in sources() if re.search(DJANGO[version], path.read_text())]
    assert found == []


@pytest.mark.slow
# Migrations that make an index concurrently run in no transaction.
@pytest.mark.django_db(transaction=True)
def test_no_migration_needs_more_than_postgresql_14() -> None:
    labels = {config.label for config in apps.get_app_configs() if config.name in PACKAGES}
    migrations = [key for key in MigrationLoader(None).disk_migrations if key[0] in labels]
    assert {"shipcrowd_couriers", "shipcrowd_webhooks"} <= {label for label, _ in migrations}
    for label, name in migrations:
        out = io.StringIO()
        call_command("sqlmigrate", label, name, stdout=out)
        assert "CREATE TABLE" in out.getvalue() or name != "0001_initial"
        assert newer_than_14(out.getvalue()) == [], name


@pytest.mark.parametrize(
    ("version", "sql"),
    [
        (15, "MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE"),
        (15, 'ALTER TABLE "a" ADD CONSTRAINT "c" UNIQUE NULLS NOT DISTINCT ("b")'),
        (15, "FOREIGN KEY (a, b) REFERENCES c ON DELETE SET NULL (a)"),
        (15, "CREATE VIEW a WITH (security_invoker = true) AS SELECT 1"),
        (15, "SELECT regexp_count(a, 'x')"),
        (16, "SELECT any_value(a) FROM b"),
        (16, "SELECT a IS JSON OBJECT"),
        (16, "SELECT JSON_ARRAYAGG(a)"),
        (17, "SELECT * FROM JSON_TABLE(a, '$' COLUMNS (b int))"),
        (17, "SET transaction_timeout = '1s'"),
        (17, "MERGE INTO a USING b ON c WHEN NOT MATCHED BY SOURCE THEN DELETE"),
        (18, "CREATE TABLE a (b int, c int GENERATED ALWAYS AS (b * 2) VIRTUAL)"),
        (18, "SELECT uuidv7()"),
        (18, "UPDATE a SET b = 1 RETURNING OLD.b"),
        (18, "CHECK (a > 0) NOT ENFORCED"),
    ],
)
def test_a_newer_feature_is_found(version: int, sql: str) -> None:
    assert any(line.startswith(f"{version}: ") for line in newer_than_14(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO a VALUES (1) ON CONFLICT (b) DO UPDATE SET b = 2 RETURNING a.b, xmax = 0",
        "SELECT 1 FROM a WHERE (b) IS DISTINCT FROM (c) FOR NO KEY UPDATE SKIP LOCKED",
        "a bigint NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY",
        "FOREIGN KEY (a) REFERENCES b (c) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED",
        "SET idle_in_transaction_session_timeout = '60s'",
        "SELECT * FROM unnest(%s::text[], %s::jsonb[]) ORDER BY 1 NULLS LAST",
    ],
)
def test_what_14_has_is_not_taken_for_newer(sql: str) -> None:
    assert newer_than_14(sql) == []
