"""What all tables share: their base, ids, moments in UTC, columns that take certain words only."""

import secrets
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Enum, Integer, MetaData, TypeDecorator
from sqlalchemy.orm import DeclarativeBase

from ..status import (
    Act,
    BanKind,
    BulkState,
    FollowPace,
    HookShape,
    ImportState,
    ImportWish,
    Kind,
    LetterKind,
    LetterState,
    Mark,
    Markup,
    Occasion,
    Outcome,
    Pace,
    PhraseKind,
    ReportReason,
    Role,
    Status,
    Why,
)

# SQLite counts rows by itself only for a column of type INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 of them; no 0 o 1 l: ids are read aloud too


def public_id() -> str:
    """An opaque name for a comment: 60 random bits that tell neither count nor time."""
    return "".join(ALPHABET[byte % 32] for byte in secrets.token_bytes(12))


def now() -> datetime:
    return datetime.now(UTC)


class UTCDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite forgets time zones, so it is told on the way in and on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def one_of(words: type[StrEnum], name: str = "") -> Enum:
    """A column that takes these words only: the database refuses any other, a new one needs a migration."""
    return Enum(
        words,
        native_enum=False,
        create_constraint=True,
        length=10,
        values_callable=lambda enum: [word.value for word in enum],
        name=f"{name or words.__name__.lower()}_known",
    )


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: UTCDateTime(),
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[dict[str, Any]]: JSON,
    } | {
        words: one_of(words)
        for words in (
            *(Status, Role, Kind, Markup, Act, ImportState, Mark, ReportReason, Outcome),
            *(BanKind, BulkState, Occasion, PhraseKind, LetterKind, LetterState, Why, Pace),
            *(FollowPace, HookShape, ImportWish),
        )
    }
