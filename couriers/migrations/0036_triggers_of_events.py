"""Triggers write the events, in the statement that changes a shipment, an action, a flag, a job or
a manifest.

So every door has them and none can forget one, a change that is rolled back has no event, and a
booking makes no further statement. `couriers.models.EventType` lists the types, and
tests/models/test_event_triggers.py compares the two.
"""

from django.db import migrations

# What all of the triggers use.
TOOLS = """
CREATE FUNCTION shipcrowd_new_event_id() RETURNS text LANGUAGE plpgsql AS $$
-- "evt_" and a ULID: ten letters of the time in milliseconds, and sixteen random ones.
DECLARE
    letters CONSTANT text := '0123456789abcdefghjkmnpqrstvwxyz'; -- pragma: allowlist secret
    moment CONSTANT bigint := extract(epoch FROM clock_timestamp()) * 1000;
    random CONSTANT bytea := uuid_send(gen_random_uuid());
    id text := 'evt_';
BEGIN
    FOR i IN 0..9 LOOP
        id := id || substr(letters, 1 + ((moment >> (45 - 5 * i)) & 31)::int, 1);
    END LOOP;
    FOR i IN 0..15 LOOP
        id := id || substr(letters, 1 + (get_byte(random, i) & 31), 1);
    END LOOP;
    RETURN id;
END $$;

CREATE FUNCTION shipcrowd_event_time(moment timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

CREATE FUNCTION shipcrowd_write_event(
    event_type text, company bigint, shipment text, test_mode boolean, facts jsonb
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO shipcrowd_couriers_event
        (id, type, company_id, shipment_id, is_test, data, created_at)
    VALUES
        (shipcrowd_new_event_id(), event_type, company, shipment, test_mode, facts,
         clock_timestamp());
END $$;

CREATE FUNCTION shipcrowd_shipment_facts(shipment shipcrowd_couriers_shipment)
RETURNS jsonb LANGUAGE sql STABLE AS $$
-- Nothing of the consignee. `ndr_reason` is masked, and erased in the event with the consignee.
    SELECT jsonb_build_object(
        'id', shipment.id,
        'order_number', shipment.order_number,
        'direction', shipment.direction,
        'courier', shipment.courier_id,
        'status', shipment.status,
        'status_at', shipcrowd_event_time(shipment.status_at),
        'ndr_reason', shipment.ndr_reason,
        'tracking_id', shipment.tracking_id,
        'waybill', shipment.waybill
    )
$$;
"""
TOOLS_UNDONE = """
DROP FUNCTION shipcrowd_shipment_facts(shipcrowd_couriers_shipment);
DROP FUNCTION shipcrowd_write_event(text, bigint, text, boolean, jsonb);
DROP FUNCTION shipcrowd_event_time(timestamptz);
DROP FUNCTION shipcrowd_new_event_id();
"""

# One event for each change of the status. A shipment that was undelivered and is so again, by a
# later scan, has failed once more, which is an event too.
SHIPMENTS = """
CREATE FUNCTION shipcrowd_shipment_event_type(old_status text, new_status text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN new_status = 'booked' AND old_status = 'booking' THEN 'shipment.booked'
        WHEN new_status = 'booked' AND old_status IN ('in_doubt', 'failed') THEN 'shipment.settled'
        WHEN new_status = 'failed' AND old_status = 'in_doubt' THEN 'shipment.settled'
        WHEN new_status = 'in_doubt' THEN 'shipment.in_doubt'
        WHEN new_status = 'delivered' THEN 'shipment.delivered'
        WHEN new_status = 'undelivered' THEN 'shipment.undelivered'
        ELSE 'shipment.status_changed'
    END
$$;

CREATE FUNCTION shipcrowd_shipment_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    event_type CONSTANT text := shipcrowd_shipment_event_type(OLD.status, NEW.status);
    facts jsonb := jsonb_build_object(
        'shipment',
        shipcrowd_shipment_facts(NEW) || jsonb_build_object('previous_status', OLD.status)
    );
BEGIN
    IF event_type = 'shipment.settled' THEN
        facts := facts || jsonb_build_object(
            'outcome', CASE NEW.status WHEN 'booked' THEN 'booked' ELSE 'not_booked' END
        );
    END IF;
    PERFORM shipcrowd_write_event(event_type, NEW.company_id, NEW.id, NEW.is_test, facts);
    RETURN NULL;
END $$;

CREATE TRIGGER shipment_changed AFTER UPDATE OF status ON shipcrowd_couriers_shipment
    FOR EACH ROW
    WHEN (
        OLD.status <> NEW.status
        OR (NEW.status = 'undelivered' AND NEW.status_at > OLD.status_at)
    )
    EXECUTE FUNCTION shipcrowd_shipment_changed();
"""
SHIPMENTS_UNDONE = """
DROP TRIGGER shipment_changed ON shipcrowd_couriers_shipment;
DROP FUNCTION shipcrowd_shipment_changed();
DROP FUNCTION shipcrowd_shipment_event_type(text, text);
"""

# An action ends as done, refused or unknown. One that was unknown may end once more.
ACTIONS = """
CREATE FUNCTION shipcrowd_action_ended() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    shipment shipcrowd_couriers_shipment;
BEGIN
    SELECT * INTO shipment FROM shipcrowd_couriers_shipment WHERE id = NEW.shipment_id;
    PERFORM shipcrowd_write_event(
        'shipment.action_ended', shipment.company_id, shipment.id, shipment.is_test,
        jsonb_build_object(
            'shipment', shipcrowd_shipment_facts(shipment),
            'action', jsonb_build_object(
                'id', NEW.id,
                'kind', NEW.kind,
                'state', NEW.state,
                'outcome', NEW.outcome,
                'asked_at', shipcrowd_event_time(NEW.asked_at),
                'ended_at', shipcrowd_event_time(NEW.ended_at)
            )
        )
    );
    RETURN NULL;
END $$;

CREATE TRIGGER action_ended AFTER UPDATE OF state ON shipcrowd_couriers_shipmentaction
    FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND NEW.ended_at IS NOT NULL)
    EXECUTE FUNCTION shipcrowd_action_ended();
"""
ACTIONS_UNDONE = """
DROP TRIGGER action_ended ON shipcrowd_couriers_shipmentaction;
DROP FUNCTION shipcrowd_action_ended();
"""

FLAGS = """
CREATE FUNCTION shipcrowd_shipment_flagged() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    shipment shipcrowd_couriers_shipment;
BEGIN
    SELECT * INTO shipment FROM shipcrowd_couriers_shipment WHERE id = NEW.shipment_id;
    PERFORM shipcrowd_write_event(
        'shipment.flagged', shipment.company_id, shipment.id, shipment.is_test,
        jsonb_build_object(
            'shipment', shipcrowd_shipment_facts(shipment),
            'flag', jsonb_build_object(
                'kind', NEW.kind,
                'tracking_id', NEW.tracking_id,
                'order_number', NEW.order_number,
                'raised_at', shipcrowd_event_time(NEW.raised_at)
            )
        )
    );
    RETURN NULL;
END $$;

CREATE TRIGGER shipment_flagged AFTER INSERT ON shipcrowd_couriers_shipmentflag
    FOR EACH ROW EXECUTE FUNCTION shipcrowd_shipment_flagged();
"""
FLAGS_UNDONE = """
DROP TRIGGER shipment_flagged ON shipcrowd_couriers_shipmentflag;
DROP FUNCTION shipcrowd_shipment_flagged();
"""

# A job ends again after an order of it that had failed was booked once more.
JOBS = """
CREATE FUNCTION shipcrowd_job_finished() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    counts jsonb;
BEGIN
    SELECT jsonb_object_agg(found.outcome, found.orders) INTO counts FROM (
        SELECT outcome, count(*) AS orders FROM shipcrowd_couriers_bulkorder
        WHERE job_id = NEW.id GROUP BY outcome
    ) AS found;
    PERFORM shipcrowd_write_event(
        'job.finished', NEW.company_id, NULL, NEW.is_test,
        jsonb_build_object('job', jsonb_build_object(
            'id', NEW.id,
            'state', NEW.state,
            'total', NEW.total,
            'counts', coalesce(counts, '{}'),
            'created_at', shipcrowd_event_time(NEW.created_at),
            'finished_at', shipcrowd_event_time(NEW.finished_at)
        ))
    );
    RETURN NULL;
END $$;

CREATE TRIGGER job_finished AFTER UPDATE OF state ON shipcrowd_couriers_bulkjob
    FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND NEW.finished_at IS NOT NULL)
    EXECUTE FUNCTION shipcrowd_job_finished();
"""
JOBS_UNDONE = """
DROP TRIGGER job_finished ON shipcrowd_couriers_bulkjob;
DROP FUNCTION shipcrowd_job_finished();
"""

# A manifest ends again after a chunk of it that had failed was made once more.
MANIFESTS = """
CREATE FUNCTION shipcrowd_manifest_finished() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    progress jsonb;
BEGIN
    SELECT jsonb_build_object(
        'chunks', count(*),
        'chunks_done', count(*) FILTER (WHERE state = 'done'),
        'chunks_failed', count(*) FILTER (WHERE state = 'failed'),
        'shipments', coalesce(sum(cardinality(tracking_ids)), 0),
        'shipments_done', coalesce(sum(cardinality(tracking_ids)) FILTER (WHERE state = 'done'), 0)
    ) INTO progress FROM shipcrowd_couriers_manifestchunk WHERE manifest_id = NEW.id;
    PERFORM shipcrowd_write_event(
        'manifest.finished', NEW.company_id, NULL,
        (SELECT is_test FROM shipcrowd_couriers_courieraccount WHERE id = NEW.account_id),
        jsonb_build_object('manifest', progress || jsonb_build_object(
            'id', NEW.id,
            'state', NEW.state,
            'created_at', shipcrowd_event_time(NEW.created_at),
            'finished_at', shipcrowd_event_time(NEW.finished_at)
        ))
    );
    RETURN NULL;
END $$;

CREATE TRIGGER manifest_finished AFTER UPDATE OF state ON shipcrowd_couriers_manifest
    FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND NEW.finished_at IS NOT NULL)
    EXECUTE FUNCTION shipcrowd_manifest_finished();
"""
MANIFESTS_UNDONE = """
DROP TRIGGER manifest_finished ON shipcrowd_couriers_manifest;
DROP FUNCTION shipcrowd_manifest_finished();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0035_events'),
    ]

    operations = [
        migrations.RunSQL(TOOLS, TOOLS_UNDONE),
        migrations.RunSQL(SHIPMENTS, SHIPMENTS_UNDONE),
        migrations.RunSQL(ACTIONS, ACTIONS_UNDONE),
        migrations.RunSQL(FLAGS, FLAGS_UNDONE),
        migrations.RunSQL(JOBS, JOBS_UNDONE),
        migrations.RunSQL(MANIFESTS, MANIFESTS_UNDONE),
    ]
