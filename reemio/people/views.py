"""`/users/{user_id}`, and its merge and export."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from interactions.schema import REFUSED, TOO_LARGE, ErrorsSerializer, text
from interactions.services.merge import MergedAlreadyError
from interactions.services.shoppers import Profile, put_shopper
from interactions.validation import LONGEST_ID, wrong_text
from reemio.access.identity import proves
from reemio.access.permissions import AnyKey, PersonalData, has_secret_key
from reemio.people import serializers, services

_USER_ID = OpenApiParameter(
    "user_id",
    text(LONGEST_ID),
    OpenApiParameter.PATH,
    description="The shop's own id.",
)
_UNKNOWN = OpenApiResponse(ErrorsSerializer, "Nobody is known by that id, or the person was erased.")


class SessionMergedAlready(APIException):
    """409: the session is another user's."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "session_already_merged"
    default_detail = "The session was merged into another user before."


class UserView(APIView):
    """One person."""

    permission_classes = [PersonalData]

    @extend_schema(
        operation_id="put_user",
        tags=["Users"],
        summary="Make or replace a profile",
        parameters=[_USER_ID],
        request=serializers.ProfileInput,
        responses={
            200: OpenApiResponse(serializers.ProfileSerializer, "Replaced."),
            201: OpenApiResponse(serializers.ProfileSerializer, "Made."),
            400: REFUSED,
            413: TOO_LARGE,
        },
    )
    def put(self, request: Request, user_id: str) -> Response:
        """Replace the profile: a field that is absent or null is emptied."""
        _check(user_id)
        said = serializers.ProfileInput(data=request.data)
        said.is_valid(raise_exception=True)
        profile = Profile(**{name: value for name, value in said.validated_data.items() if value is not None})
        new = put_shopper(user_id=user_id, profile=profile)
        answer = {"user_id": user_id, **asdict(profile)}
        return Response(answer, status.HTTP_201_CREATED if new else status.HTTP_200_OK)

    @extend_schema(
        operation_id="get_user",
        tags=["Users"],
        summary="What is known of a person",
        parameters=[_USER_ID],
        responses={200: serializers.PersonSerializer, 404: _UNKNOWN},
    )
    def get(self, request: Request, user_id: str) -> Response:
        """Return the profile, what the person did, and what was learned of them."""
        person = services.find_person(user_id) if wrong_text(user_id, LONGEST_ID) is None else None
        if person is None:
            raise NotFound
        return Response(serializers.PersonSerializer(_told(person)).data)

    @extend_schema(
        operation_id="erase_user",
        tags=["Users"],
        summary="Erase a person",
        parameters=[_USER_ID],
        responses={204: OpenApiResponse(None, "Erased."), 404: _UNKNOWN},
    )
    def delete(self, request: Request, user_id: str) -> Response:
        """Erase the person everywhere, irreversibly; what they did still counts, without them."""
        if wrong_text(user_id, LONGEST_ID) is not None or not services.erase_person(user_id):
            raise NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)


class UserMergeView(APIView):
    """A session that turned out to be the user's."""

    permission_classes = [PersonalData]

    @extend_schema(
        operation_id="merge_session",
        tags=["Users"],
        summary="Make a session the user's",
        parameters=[_USER_ID],
        request=serializers.MergeInput,
        responses={
            200: serializers.MergeSerializer,
            400: REFUSED,
            409: OpenApiResponse(ErrorsSerializer, "The session is another user's."),
            413: TOO_LARGE,
        },
    )
    def post(self, request: Request, user_id: str) -> Response:
        """Give what the session did, and will do, to the user; a user who does not exist yet is made."""
        _check(user_id)
        said = serializers.MergeInput(data=request.data)
        said.is_valid(raise_exception=True)
        return _merge(user_id, said.validated_data["session_id"])


class IdentifyView(APIView):
    """A browser that says whose its session is."""

    permission_classes = [AnyKey]

    @extend_schema(
        operation_id="identify",
        tags=["Interactions"],
        summary="Make a browser's session the user's",
        request=serializers.IdentifyInput,
        responses={
            200: serializers.MergeSerializer,
            400: REFUSED,
            403: OpenApiResponse(ErrorsSerializer, "Nothing proves that this browser may speak for that user."),
            409: OpenApiResponse(ErrorsSerializer, "The session is another user's."),
            413: TOO_LARGE,
        },
    )
    def post(self, request: Request) -> Response:
        """Merge the session, as `/users/{user_id}/merge` does, where a token proves who asks.

        A secret key needs no token, nor does anybody where no key is required and none is sent.
        """
        said = serializers.IdentifyInput(data=request.data)
        said.is_valid(raise_exception=True)
        _check_proof(request, said.validated_data["user_id"], said.validated_data.get("token"))
        return _merge(said.validated_data["user_id"], said.validated_data["session_id"])


def _check_proof(request: Request, user_id: str, token: str | None) -> None:
    """Raise 403 where the caller may not speak for the user; a token that is sent has to be right, whoever sends it."""
    if token is not None:
        if not proves(token, user_id):
            raise PermissionDenied("The token is not this user's.")
    elif settings.REEMIO_REQUIRE_API_KEY and not has_secret_key(request):
        raise PermissionDenied("A publishable key needs the user's token to merge a session.")


class UserExportView(APIView):
    """All that is held on a person."""

    permission_classes = [PersonalData]

    @extend_schema(
        operation_id="export_user",
        tags=["Users"],
        summary="Export all that is held on a person",
        parameters=[_USER_ID],
        responses={200: serializers.ExportSerializer, 404: _UNKNOWN},
    )
    def get(self, request: Request, user_id: str) -> Response:
        """Return every row of every table that is about the person."""
        held = services.export_person(user_id) if wrong_text(user_id, LONGEST_ID) is None else None
        if held is None:
            raise NotFound
        return Response(held)


def _merge(user_id: str, session_id: str) -> Response:
    try:
        moved = services.merge_person(user_id=user_id, session_id=session_id)
    except MergedAlreadyError as error:
        raise SessionMergedAlready from error
    return Response({"user_id": user_id, "session_id": session_id, "moved": moved})


def _check(user_id: str) -> None:
    problem = wrong_text(user_id, LONGEST_ID)
    if problem is not None:
        raise ValidationError({"user_id": [problem[1]]}, problem[0])


def _told(person: services.Person) -> dict[str, Any]:
    """Return the person as `PersonSerializer` wants it."""
    shopper, learned = person.shopper, person.learned
    prices = {"min": learned.lowest_price, "max": learned.highest_price, "currency": learned.currency}
    return {
        **{name: getattr(shopper, name) for name in ("user_id", *Profile.__slots__)},
        "interaction_counts": person.activity.counts,
        "top_categories": learned.top_categories,
        "price_range": None if learned.lowest_price is None else prices,
        "last_active_at": person.activity.last_active_at,
    }
