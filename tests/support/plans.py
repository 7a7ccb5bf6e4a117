"""Plans of PostgreSQL: which of a statement's parts would read a whole table."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction


def whole_reads(sql: str, *, may_read: bool = False) -> list[str]:
    """Return the parts of the statement's plan that read a whole table or a whole index.

    The tables of a test are so small that reading all of one is the cheapest plan of any statement.
    So PostgreSQL is told to read no table whole, unless it `may_read` them, and if its plan then
    reads an index whole, to use indexes by a condition alone (as bitmaps). An index that it still
    takes for another column than its first is no use in a large table: it is dropped, unless
    another part of the plan uses it well. Where no plan is clean, no index serves the statement.
    """
    if may_read:
        return _reads_of(sql)[0]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what is pending prevents a drop
        cursor.execute("SET LOCAL enable_seqscan = off")
        found, _ = _reads_of(sql)
        if found:
            cursor.execute("SET LOCAL enable_indexscan = off")
            cursor.execute("SET LOCAL enable_indexonlyscan = off")
            found, unfit = _reads_of(sql)
            while unfit:
                cursor.execute(_drop(unfit.pop()))
                found, unfit = _reads_of(sql)
        transaction.set_rollback(True)
    return found


def _reads_of(sql: str) -> tuple[list[str], set[str]]:
    """Return the whole reads of the plan, and the indexes that no part of it uses well."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT JSON) " + sql.replace("%", "%%"), [])
        answer = cursor.fetchone()[0]
        plan = json.loads(answer) if isinstance(answer, str) else answer
        top = plan[0]["Plan"]
        reads = list(_whole(top))
        unfit = {read.split()[-3] for read in reads if " without " in read}
        unfit -= {name for name, is_whole in _indexes(top) if not is_whole}
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND NOT EXISTS"
            " (SELECT 1 FROM pg_constraint WHERE conindid = pg_class.oid AND contype <> 'u')",
            [list(unfit)],
        )
        return reads, {name for (name,) in cursor.fetchall()}


def _drop(index: str) -> str:
    """Return the statement that drops an index, with the unique constraint that it serves."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text FROM pg_constraint WHERE conindid = %s::regclass",
            [index],
        )
        of_constraint = cursor.fetchone()
    if of_constraint is None:
        return f'DROP INDEX "{index}"'
    return f'ALTER TABLE {of_constraint[0]} DROP CONSTRAINT "{index}"'


def _indexes(node: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield each index of a plan, and whether it is read whole there."""
    if "Index Name" in node:
        yield node["Index Name"], bool(list(_whole(node | {"Plans": ()})))
    for child in node.get("Plans", ()):
        yield from _indexes(child)


def pages_read(sql: str) -> int:
    """Run the statement; return how many pages of tables and indexes it read, cached or not."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + sql.replace("%", "%%"), [])
        answer = cursor.fetchone()[0]
    top = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


def _whole(node: dict[str, Any]) -> Iterator[str]:
    kind = node["Node Type"]
    if kind == "Seq Scan":
        yield f"{kind} of {node['Relation Name']}"
    if "Index Name" in node and ("Index Cond" in node or "Filter" in node):
        column = _leading_column(node["Index Name"])
        if column not in node.get("Index Cond", ""):
            yield f"{kind} of {node['Index Name']} without {column}"
    for child in node.get("Plans", ()):
        yield from _whole(child)


def _leading_column(index: str) -> str:
    """Return the name of the column that an index begins with."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_indexdef(%s::regclass, 1, false)", [index])
        words = re.findall(r"[a-z_]+", cursor.fetchone()[0])
    return str(max(words, key=len))
