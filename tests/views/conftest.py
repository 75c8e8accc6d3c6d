"""The doors' tests run on SQLite; `make test-postgresql` runs them once more on the other."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest


@pytest.fixture(params=[os.environ.get("DOORS_ON") or "sqlite"])
def database_url(
    request: pytest.FixtureRequest,
    make_database: Callable[[str], AbstractContextManager[str]],
) -> Iterator[str]:
    with make_database(request.param) as url:
        yield url
