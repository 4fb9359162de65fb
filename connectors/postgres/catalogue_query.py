"""The one query over pg_catalog behind `catalogue.look`."""

RELATIONS = """
with recursive wanted as (
    select c.*, n.nspname || '.' || c.relname as table_name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname || '.' || c.relname = any (%(tables)s)
),
based (start, oid) as (
    select distinct atttypid, atttypid from pg_attribute where attrelid in (select oid from wanted) and attnum > 0
    union
    select start, unnest(array[typbasetype, typelem]) from based join pg_type using (oid)
)
select
    c.table_name,
    c.relkind::text,
    c.relispartition,
    (
        select n.nspname || '.' || r.relname
        from pg_class r join pg_namespace n on n.oid = r.relnamespace where r.oid = pg_partition_root(c.oid)
    ),
    c.relkind = 'p' and exists (
        select from pg_partition_tree(c.oid) t
        join pg_class l on l.oid = t.relid
        join pg_namespace n on n.oid = l.relnamespace
        join pg_publication_tables p on p.schemaname = n.nspname and p.tablename = l.relname
        where p.pubname = %(publication)s
    ),
    c.relreplident::text,
    concat_ws(
        ' ', c.oid, p.oid, p.xmin, p.pubviaroot,
        (
            select string_agg(concat(r.oid, ':', r.xmin), ',' order by r.oid) from pg_publication_rel r
            where r.prpubid = p.oid
            and r.prrelid in (select c.oid union all select relid from pg_partition_ancestors(c.oid))
        ),
        ($namespaces),
        (select string_agg(relid::oid::text, ',' order by relid) from pg_partition_tree(c.oid) where c.relkind = 'p'),
        (
            select string_agg(concat(b.start, ':', a.attnum, ':', a.atttypid), ',' order by b.start, a.attnum)
            from based b join pg_type t on t.oid = b.oid and t.typtype = 'c' and t.typrelid <> c.oid
            join pg_attribute a on a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
            where b.start in (select atttypid from pg_attribute where attrelid = c.oid and not attisdropped)
        )
    ),
    case when c.relkind = 'p' then (
        select coalesce(string_agg(l.relfilenode::text, ',' order by l.oid), '')
        from pg_partition_tree(c.oid) t join pg_class l on l.oid = t.relid
    ) else c.relfilenode::text end,
    coalesce((
        select json_agg(json_build_object(
            'name', a.attname, 'number', a.attnum, 'oid', a.atttypid::int8, 'modifier', a.atttypmod,
            'type', format_type(a.atttypid, a.atttypmod), 'version', a.xmin::text,
            'generated', a.attgenerated <> '', 'filled', a.atthasmissing,
            'in_primary', exists (
                select from pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any (i.indkey)
            ),
            'in_identity', c.relreplident = 'f' or exists (
                select from pg_index i where i.indrelid = c.oid and a.attnum = any (i.indkey)
                and (c.relreplident = 'd' and i.indisprimary or c.relreplident = 'i' and i.indisreplident)
            ),
            'labels', (
                select json_object_agg(e.oid, e.enumlabel) from based b join pg_enum e on e.enumtypid = b.oid
                where b.start = a.atttypid
            )
        ) order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ), '[]'),
    coalesce((
        select json_agg((
            select json_agg(a.attname) from pg_attribute a where a.attrelid = c.oid and a.attnum = any (i.indkey)
        ))
        from pg_index i
        where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
        and not exists (
            select from pg_attribute a
            where a.attrelid = c.oid and a.attnum = any (i.indkey) and not a.attnotnull
        )
    ), '[]'),
    coalesce((
        select json_agg(distinct n.nspname || '.' || b.relname)
        from pg_rewrite r
        join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
        join pg_class b on d.refclassid = 'pg_class'::regclass and b.oid = d.refobjid and b.oid <> c.oid
        join pg_namespace n on n.oid = b.relnamespace
        where r.ev_class = c.oid
    ), '[]')
from wanted c left join pg_publication p on p.pubname = %(publication)s
"""
"""One row per table: name, kind, whether it is a partition and of which root, whether its partitions are published by
themselves, replica identity, what must stay equal, storage, columns, unique indexes, and what a view is made of.
"""

NAMESPACES = """
    select string_agg(concat(s.oid, ':', s.xmin), ',' order by s.oid) from pg_publication_namespace s
    where s.pnpubid = p.oid and s.pnnspid = c.relnamespace
"""
"""Schemas in a publication, since Postgres 15."""
