"""Whose proposals somebody has an interest in, as one function: its plan is kept, where a query had to be planned anew."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations
from django.db.models.functions import Left

IN_CONFLICT = """
CREATE FUNCTION proposals_in_conflict_with(person bigint, domain text, domains_above text[], since timestamptz, today date)
RETURNS SETOF bigint LANGUAGE plpgsql STABLE ROWS 100 COST 5000 AS $$
DECLARE
    since_day date := (since AT TIME ZONE 'Europe/London')::date;
    employers bigint[];
    names text[];  -- of these, as patterns of plain words
    words tsquery;  -- all words of one of the names: what the index finds
    led bigint[];  -- projects
    colleagues bigint[];
    addresses bigint[];  -- who writes from the person's domain
    domains text[] := domain || domains_above;
BEGIN
    SELECT array_agg(DISTINCT a.organisation_id), array_agg(DISTINCT '%' || plain.words || '%')
        FILTER (WHERE length(plain.words) >= 5)
    INTO employers, names
    FROM projects_affiliation a
    JOIN projects_organisation o ON o.id = a.organisation_id
    CROSS JOIN unnest(ARRAY[o.name, o.short_name]::text[] || o.former_names::text[]) AS one(name)
    CROSS JOIN LATERAL (SELECT proposals_plain_words(one.name)) AS plain(words)
    WHERE a.user_id = person AND a.status <> 'declined' AND a.from_date <= today
        AND (a.to_date IS NULL OR a.to_date >= since_day);
    SELECT string_agg('(' || plainto_tsquery('simple', one.name)::text || ')', ' | ')::tsquery INTO words
    FROM unnest(names) AS one(name);

    SELECT array_agg(l.project_id) INTO led
    FROM projects_projectlead l
    JOIN projects_project p ON p.id = l.project_id
    WHERE l.user_id = person AND l.from_date <= today AND (l.to_date IS NULL OR l.to_date >= since_day)
        AND (p.ends_on IS NULL OR p.ends_on >= since_day);

    WITH mine AS (
        SELECT p.id, p.applicant_id
        FROM proposals_proposal p
        WHERE coalesce(p.submitted_at, p.created_at) >= since
            AND p.id IN (
                SELECT own.id FROM proposals_proposal own WHERE own.applicant_id = person
                UNION SELECT c.proposal_id FROM proposals_collaborator c
                    WHERE c.user_id = person AND c.accepted_at IS NOT NULL
            )
    )
    SELECT array_agg(together.person_id) INTO colleagues
    FROM (
        SELECT applicant_id FROM mine
        UNION SELECT c.user_id FROM mine JOIN proposals_collaborator c ON c.proposal_id = mine.id
            WHERE c.accepted_at IS NOT NULL
        UNION SELECT l.user_id FROM projects_projectlead l
            WHERE l.project_id = ANY (led) AND l.from_date <= today AND (l.to_date IS NULL OR l.to_date >= since_day)
    ) AS together(person_id);

    IF domain <> '' THEN
        SELECT array_agg(u.id) INTO addresses
        FROM accounts_user u
        CROSS JOIN LATERAL (SELECT substring(lower(u.email) FROM '[^@]*$')) AS at(domain_name)
        WHERE at.domain_name = ANY (domains) OR right(at.domain_name, length(domain) + 1) = '.' || domain;
    END IF;

    -- Written, declared or recorded: an override of another kind does not lift it
    RETURN QUERY SELECT p.id FROM proposals_proposal p WHERE p.applicant_id = person;
    RETURN QUERY SELECT c.proposal_id FROM proposals_collaborator c
        WHERE c.user_id = person AND c.accepted_at IS NOT NULL AND c.left_at IS NULL;
    RETURN QUERY SELECT i.proposal_id FROM proposals_conflictofinterest i
        WHERE i.user_id = person AND i.overridden_at IS NULL;

    -- Inferred, and not overridden kind by kind
    RETURN QUERY
    WITH places AS NOT MATERIALIZED (
        SELECT p.id AS proposal_id, p.organisation_id FROM proposals_proposal p WHERE p.organisation_id IS NOT NULL
        UNION ALL SELECT r.proposal_id, r.organisation_id FROM proposals_proposal_partners r
    ), writers AS NOT MATERIALIZED (
        SELECT p.id AS proposal_id, p.applicant_id AS user_id FROM proposals_proposal p
        UNION ALL SELECT c.proposal_id, c.user_id FROM proposals_collaborator c
            WHERE c.accepted_at IS NOT NULL AND c.left_at IS NULL
    ), tied(proposal_id, kind) AS (
        SELECT s.proposal_id, 'same_organisation' FROM places s WHERE s.organisation_id = ANY (employers)
        UNION ALL SELECT p.id, 'named' FROM proposals_proposal p
            WHERE to_tsvector('simple', coalesce(left(p.named, 200000), '')) @@ words AND p.named LIKE ANY (names)
        UNION ALL SELECT w.proposal_id, 'same_domain' FROM writers w WHERE w.user_id = ANY (addresses)
        UNION ALL SELECT s.proposal_id, 'same_domain' FROM places s
            JOIN projects_organisation o ON o.id = s.organisation_id
            WHERE domain <> '' AND (
                lower(o.email_domain) = ANY (domains) OR right(lower(o.email_domain), length(domain) + 1) = '.' || domain
            )
        UNION ALL SELECT w.proposal_id, 'worked_together' FROM writers w WHERE w.user_id = ANY (colleagues)
        UNION ALL SELECT s.proposal_id, 'worked_together' FROM places s
            WHERE s.organisation_id IN (
                SELECT p.lead_organisation_id FROM projects_project p WHERE p.id = ANY (led)
                UNION ALL SELECT r.organisation_id FROM projects_project_partners r WHERE r.project_id = ANY (led)
            )
    )
    SELECT tied.proposal_id FROM tied
    WHERE NOT EXISTS (
        SELECT FROM proposals_conflictofinterest i
        WHERE i.user_id = person AND i.proposal_id = tied.proposal_id AND i.kind = tied.kind
            AND i.overridden_at IS NOT NULL
    );
END;
$$;
"""
NAMES = """
CREATE FUNCTION proposals_names(words text, name text, short_name text, former_names text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 20000
RETURN EXISTS (
    SELECT FROM unnest(ARRAY[name, short_name]::text[] || former_names) AS one(name)
    WHERE length(proposals_plain_words(one.name)) >= 5 AND strpos(words, proposals_plain_words(one.name)) > 0
);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("projects", "0003_search_and_kept_promises"),
        ("proposals", "0011_years_of_the_budget"),
    ]
    operations = [
        migrations.AddIndex(
            "proposal",
            django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.search.SearchVector(Left("named", 200_000), config="simple"),
                name="proposal_named_words",
            ),
        ),
        migrations.RunSQL(
            IN_CONFLICT, "DROP FUNCTION proposals_in_conflict_with(bigint, text, text[], timestamptz, date)"
        ),
        migrations.RunSQL("DROP FUNCTION proposals_names(text, text, text, text[])", NAMES),
    ]
