"""`POST /interactions` and `POST /interactions/batch`: read, record, answer."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from interactions import schema
from interactions.events import NewInteraction, Problem, RefusedError
from interactions.services.intake import count_intake
from interactions.services.record import record_interactions
from interactions.validation import read_interaction
from reemio.access.permissions import AnyKey


class InteractionsView(APIView):
    """One event."""

    permission_classes = [AnyKey]

    @extend_schema(
        operation_id="record_interaction",
        tags=["Interactions"],
        summary="Record one event",
        request=schema.NewInteraction,
        responses={
            201: OpenApiResponse(schema.RecordedSerializer, "Stored."),
            200: OpenApiResponse(schema.RecordedSerializer, "Its event_id was stored before; the first event's id."),
            400: schema.REFUSED,
            413: schema.TOO_LARGE,
        },
    )
    def post(self, request: Request) -> Response:
        """Store one event of a shopper; a repeat of an `event_id` is stored once."""
        try:
            event = read_interaction(request.data, now=timezone.now())
        except RefusedError as refused:
            count_intake("http", rejected=1)
            return _refusal(refused.problems)
        recorded = record_interactions([event])[0]
        count_intake("http", duplicates=int(recorded.duplicate))
        answer = {"id": str(recorded.id), "duplicate": recorded.duplicate}
        return Response(answer, status.HTTP_200_OK if recorded.duplicate else status.HTTP_201_CREATED)


class InteractionBatchView(APIView):
    """Up to 1,000 events."""

    permission_classes = [AnyKey]

    @extend_schema(
        operation_id="record_interactions",
        tags=["Interactions"],
        summary="Record up to 1,000 events",
        request=schema.NewInteractions,
        responses={
            201: OpenApiResponse(schema.BatchReportSerializer, "All were good."),
            207: OpenApiResponse(schema.BatchReportSerializer, "The good ones are stored; `errors` has the others."),
            400: OpenApiResponse(
                schema.RefusedBatchSerializer, "No batch, or a batch of which every event was refused."
            ),
            413: schema.TOO_LARGE,
        },
    )
    def post(self, request: Request) -> Response:
        """Store the good events of a batch in one transaction, and say what is wrong with the others."""
        try:
            items = _items_of(request.data)
        except RefusedError as refused:
            return _refusal(refused.problems)
        good, bad = _read_all(items, now=timezone.now())
        duplicates = sum(recorded.duplicate for recorded in record_interactions(good))
        count_intake("http", duplicates=duplicates, rejected=len(bad))
        report = {
            "accepted": len(good) - duplicates,
            "duplicates": duplicates,
            "rejected": len(bad),
            "errors": bad,
        }
        if not bad:
            return Response(report, status.HTTP_201_CREATED)
        if good:
            return Response(report, status.HTTP_207_MULTI_STATUS)
        return Response(_as_errors(report), status.HTTP_400_BAD_REQUEST)


def _items_of(data: Any) -> list[Any]:
    """Return the events of a batch; raise `RefusedError` where `data` is no batch."""
    if not isinstance(data, dict):
        raise RefusedError([Problem("invalid", "A batch is a JSON object.", None)])
    items = data.get("interactions")
    if items is None:
        raise RefusedError([Problem("required", "This field is required.", "interactions")])
    if not isinstance(items, list):
        raise RefusedError([Problem("not_a_list", "Not a list of events.", "interactions")])
    if not items:
        raise RefusedError([Problem("empty", "This list may not be empty.", "interactions")])
    if len(items) > schema.LARGEST_BATCH:
        detail = f"Ensure this list has no more than {schema.LARGEST_BATCH} events."
        raise RefusedError([Problem("max_length", detail, "interactions")])
    return items


def _read_all(items: list[Any], *, now: datetime) -> tuple[list[NewInteraction], list[dict[str, Any]]]:
    """Return the good events, and a report on each of the others."""
    good: list[NewInteraction] = []
    bad: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        try:
            good.append(read_interaction(item, now=now))
        except RefusedError as refused:
            path = f"interactions.{index}"
            problems = [problem.below(path).as_json() for problem in refused.problems]
            bad.append({"index": index, "errors": problems})
    return good, bad


def _refusal(problems: list[Problem]) -> Response:
    body = {"type": "validation_error", "errors": [problem.as_json() for problem in problems]}
    return Response(body, status.HTTP_400_BAD_REQUEST)


def _as_errors(report: dict[str, Any]) -> dict[str, Any]:
    """Make a batch's report an error like every other 400: each entry also is the first thing wrong with its event."""
    entries = [{**entry["errors"][0], **entry} for entry in report["errors"]]
    return {"type": "validation_error", **report, "errors": entries}
