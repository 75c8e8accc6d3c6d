"""What the applications of all tests share, made once: hundreds of them are made in a run.

A module of its own, since it may happen once alone, and tests import conftest a second time.
"""

import functools
from collections.abc import Callable
from typing import Any

import httpx
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

import service

# Each test has engines of its own, and all compile the same statements, which is a third of what a
# test takes. They share what they compiled: two dialects of one class are one.
COMPILED: LRUCache[Any, Any] = LRUCache(2_000)
DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
DefaultDialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]


@event.listens_for(Engine, "engine_connect")
def _share_compiled(connection: Connection) -> None:
    connection.engine._compiled_cache = COMPILED


class Later:
    """What builds the URLs of a rule, made when the first is asked for: two functions are compiled
    for each of an application's rules, and few tests need more than some."""

    def __init__(self, append_unknown: bool) -> None:
        self.append_unknown = append_unknown

    def __get__(self, rule: Rule, _: None) -> Callable[..., tuple[str, str]]:
        build = functools.cache(lambda: COMPILE(rule, self.append_unknown).__get__(rule))
        return lambda **values: build()(**values)  # type: ignore[no-any-return]


COMPILE: Any = Rule._compile_builder
Rule._compile_builder = Later  # type: ignore[assignment]

# What is deployed has one name, whatever is asked: no test changes the code.
service._release = functools.cache(service._release)

# The authorities that are trusted are the same for each application, and are long to read.
httpx.create_ssl_context = functools.cache(httpx.create_ssl_context)  # type: ignore[assignment]
