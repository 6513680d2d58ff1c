"""The description of the API in OpenAPI 3.1. A test holds every real answer to it."""

from django.conf import settings

from measurement import open_data
from measurement.figures import ASSURANCE_ICONS, VARIATION_ICONS
from measurement.models import Metric
from measurement.spc import PointType

VERSION = "1.0"
LIMIT, MOST = 50, 200  # results on a page


def _kept(properties: dict, **more) -> dict:
    """An object with all of these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        **more,
    }


def _or_null(schema: dict) -> dict:
    if "$ref" in schema or "enum" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def _ref(name: str) -> dict:
    return {"$ref": f"#/components/schemas/{name}"}


def _list_of(schema: dict) -> dict:
    return {"type": "array", "items": schema}


TEXT, NUMBER, WHOLE, YES_NO = {"type": "string"}, {"type": "number"}, {"type": "integer"}, {"type": "boolean"}
URL, DAY = {"type": "string", "format": "uri"}, {"type": "string", "format": "date"}
OF_ALL = {"publisher": TEXT, "licence": _ref("Licence"), "demonstration": _or_null(TEXT)}
PLACE = {"type": "string", "description": "ODS code or short name of an organisation, or “region”"}


def _choices(choices) -> dict:
    return {"type": "string", "enum": list(choices.values)}


SUMMARY = {
    "metric": TEXT,
    "key": PLACE,
    "name": TEXT,
    "place": TEXT,
    "organisation": _or_null({**PLACE, "description": "The same as key, or null for the region"}),
    "url": URL,
    "points": URL,
    "page": URL,
    "unit": TEXT,
    "frequency": _choices(Metric.Frequency),
    "is_illustrative": {"type": "boolean", "description": "The values are made up"},
    "latest": _or_null(_ref("Point")),
    "variation": _ref("Variation"),
    "assurance": _or_null(_ref("Assurance")),
    "target": _or_null(NUMBER),
    "sentence": {"type": "string", "description": "What the chart says, in words"},
    "values": {"type": "string", "const": open_data.PUBLISHED_VALUES},
    "small_numbers": _or_null({"type": "string", "description": "What was hidden or rounded; null where nothing is"}),
}

SERIES = {
    **SUMMARY,
    "direction": _choices(Metric.Direction),
    "target_from": _or_null(DAY),
    "chart": {"type": "string", "description": "Type of the chart, in words"},
    "centre_name": {"type": "string", "description": "What the centre line is: mean or median"},
    "limit_name": TEXT,
    "rule_set": TEXT,
    "published_figures": _list_of(_kept({"source": TEXT, "licence": TEXT})),
    "definition": _or_null(_ref("Definition")),
    "frozen_on": {
        **_or_null(TEXT),
        "description": "Which values centre line and limits rest on, if a person froze them",
    },
    "frozen_because": _or_null(TEXT),
    "lines": _list_of(_ref("Line")),
    "annotations": _list_of(_ref("Annotation")),
    "files": _kept({"csv": URL, "json": URL, "svg": URL, "png": URL}),
    "embed": {**URL, "description": "A page with the chart that any site may frame"},
}
METRIC = {
    "code": TEXT,
    "name": TEXT,
    "page": URL,
    "url": URL,
    "priority": _or_null(_ref("Named")),
    "project": _or_null(_ref("Named")),
    "kind": _choices(Metric.Kind),
    "dimension": _choices(Metric.Dimension),
    "direction": _choices(Metric.Direction),
    "unit": TEXT,
    "multiplier": WHOLE,
    "frequency": _choices(Metric.Frequency),
    "targets": _list_of(_ref("Target")),
    "why_it_matters": TEXT,
    "known_limits": TEXT,
    "collector": TEXT,
    "stratified_by": TEXT,
    "baseline_from": _or_null(DAY),
    "baseline_to": _or_null(DAY),
    "days_to_report": WHOLE,
    "days_until_final": _or_null(WHOLE),
    "is_illustrative": {"type": "boolean", "description": "The values are made up"},
    "definition": _or_null(_ref("Definition")),
    "series": _list_of(_kept({"key": PLACE, "place": TEXT, "url": URL})),
}
POINT = {
    "period": TEXT,
    "period_start": DAY,
    "period_end": DAY,
    "numerator": _or_null(NUMBER),
    "denominator": _or_null(NUMBER),
    "value": _or_null(NUMBER),
    "is_hidden": {
        "type": "boolean",
        "description": "There is a value, but it rests on 1 to 7 people or would reveal such a number. "
        "A value of null that is not hidden is missing.",
    },
    "is_provisional": YES_NO,
    "definition_version": WHOLE,
    "centre": _or_null(NUMBER),
    "lower_limit": _or_null(NUMBER),
    "upper_limit": _or_null(NUMBER),
    "signal": {"type": "string", "enum": [str(kind) for kind in PointType]},
    "rule": {"type": "string", "description": "The rule that the signal is named after"},
    "target": {**_or_null(NUMBER), "description": "In force at the end of the period"},
    "planned": {**_or_null(NUMBER), "description": "What people planned for the period; no value is judged by it"},
    "left_out_because": {**_or_null(TEXT), "description": "Why a person left it out of centre line and limits"},
}
SCHEMAS = {
    "Licence": _kept({"name": TEXT, "url": URL}),
    "Named": _kept({"slug": TEXT, "title": TEXT}),
    "Definition": _kept(
        {
            "version": WHOLE,
            "valid_from": _or_null(DAY),
            "text": TEXT,
            "numerator": TEXT,
            "denominator": TEXT,
            "exclusions": TEXT,
            "source": TEXT,
            "sampling": TEXT,
        },
        description="What is counted, and how. A changed definition is a new version and breaks the line.",
    ),
    "Target": _kept(
        {
            "value": _or_null(NUMBER),
            "from": {**_or_null(DAY), "description": "Null: from the beginning"},
            "set_by": TEXT,
            "reason": TEXT,
        },
        description="What a metric should reach from a day on, until the next one; null ends the target.",
    ),
    "Variation": _kept({"name": {"type": "string", "enum": list(VARIATION_ICONS)}, "words": TEXT}),
    "Assurance": _kept({"name": {"type": "string", "enum": list(ASSURANCE_ICONS)}, "words": TEXT}),
    "Metric": _kept(METRIC),
    "Summary": _kept(SUMMARY),
    "Line": _kept(
        {
            "from": DAY,
            "to": DAY,
            "centre": _or_null(NUMBER),
            "lower_limit": _or_null(NUMBER),
            "upper_limit": _or_null(NUMBER),
            "limits_vary": {"type": "boolean", "description": "From point to point: these are those of the last one"},
            "is_trial": YES_NO,
            "because": TEXT,
            "is_new_definition": YES_NO,
        },
        description="Centre line and limits between two days, and why they start anew there.",
    ),
    "Annotation": _kept({"number": WHOLE, "date": TEXT, "beside": _or_null(DAY), "kind": TEXT, "text": TEXT}),
    "Point": _kept(POINT),
    "Problem": _kept(
        {"type": TEXT, "title": TEXT, "status": WHOLE, "detail": TEXT, "instance": TEXT},
        description="A refusal, as RFC 9457 has it. detail says what to do.",
    ),
}


def _page_of(name: str) -> dict:
    links = {"next": _or_null(URL), "previous": _or_null(URL)}
    return _kept({**OF_ALL, "count": WHOLE, **links, "results": _list_of(_ref(name))})


def _parameter(name: str, schema: dict, description: str, *, place: str = "query") -> dict:
    return {"name": name, "in": place, "required": place == "path", "description": description, "schema": schema}


CODE = _parameter("code", TEXT, "Code of the metric, like PU1", place="path")
KEY = _parameter("key", PLACE, "Of which place", place="path")
PAGING = [
    _parameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT}, "Results on a page"),
    _parameter("page", {"type": "integer", "minimum": 1, "default": 1}, "Which page; follow next rather than count"),
]
FILTERS = [
    _parameter("priority", TEXT, "Slug of a safety priority"),
    _parameter("kind", _choices(Metric.Kind), "Kind of metric"),
    _parameter("organisation", PLACE, "Only what this place has"),
]
METRIC_FILTER = _parameter("metric", TEXT, "Code of a metric")
SINCE = _parameter("since", DAY, "Only periods that begin on this day or later")


def _get(name: str, summary: str, answer: dict, *parameters: dict) -> dict:
    problem = {"application/problem+json": {"schema": _ref("Problem")}}
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "parameters": list(parameters),
            "responses": {
                "200": {
                    "description": summary,
                    "headers": {"ETag": {"schema": TEXT, "description": "Send it back as If-None-Match"}},
                    "content": {"application/json": {"schema": answer}},
                },
                "304": {"description": "Nothing has changed since the answer with this ETag"},
                "400": {"description": "A query parameter is wrong", "content": problem},
                "404": {"description": "There is nothing public there", "content": problem},
            },
        }
    }


def description() -> dict:
    """The whole description, as plain values."""
    index = {"version": TEXT, "documentation": URL, "description": URL, "metrics": URL, "series": URL}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{settings.COLLABORATIVE['name']}: metrics",
            "version": VERSION,
            "summary": "What the collaborative measures, and what the data say",
            "description": "Read only, without a key. All values are as published: counts of 1 to 7 people, and what "
            "would reveal one, are hidden; other counts of people are rounded to the nearest 5; everything else is "
            "worked out from these published numbers.",
            "license": {"name": open_data.LICENCE["name"], "url": open_data.LICENCE["url"]},
        },
        "servers": [{"url": open_data.absolute("/api/v1")}],
        "paths": {
            "/": _get("index", "Where to begin", _kept({**OF_ALL, **index})),
            "/metrics/": _get("metrics", "Metrics and their definitions", _page_of("Metric"), *FILTERS, *PAGING),
            "/metrics/{code}/": _get("metric", "One metric", _kept({**OF_ALL, **METRIC}), CODE),
            "/series/": _get(
                "series",
                "Series of metrics, one a place, with newest value and signal",
                _page_of("Summary"),
                METRIC_FILTER,
                *FILTERS,
                *PAGING,
            ),
            "/series/{code}/{key}/": _get(
                "one_series", "One series: what its chart says", _kept({**OF_ALL, **SERIES}), CODE, KEY
            ),
            "/series/{code}/{key}/points/": _get(
                "points", "Its values, oldest first", _page_of("Point"), CODE, KEY, SINCE, *PAGING
            ),
        },
        "components": {"schemas": SCHEMAS},
    }
