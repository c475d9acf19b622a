"""Which URLs of databases make sense, as is found before anything is connected."""

import socket

import pytest

from app.adapters import mongo, postgres


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://localhost",
        "mongodb://a:27017,b:27018/?replicaSet=rs0&w=1",
        "mongodb://user:p%40ss@[::1]:27017/admin?authSource=admin&appName=a@b",
        "mongodb://%2Ftmp%2Fmongodb.sock",
        "mongodb+srv://user:secret@cluster.invalid/?retryWrites=true",
    ],
)
def test_urls_of_mongodb(monkeypatch, url):
    """Members, addresses, sockets, and names to be looked up: which is not done now."""

    def look_up(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket.socket, "connect", look_up)
    assert mongo.checked_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://",
        "localhost:27017",
        "mongodb://@/",
        "mongodb://localhost:abc",
        "mongodb://localhost:0",
        "mongodb://localhost:99999",
        "mongodb://a,,b",
        "mongodb://[::1",
        "mongodb://user@localhost",
        "mongodb://localhost/a b",
        "mongodb://localhost/?replicaSet",
        "mongodb://localhost/?replicaset=a&colour=red",
        "mongodb://localhost/?w=1&w=2",
        "mongodb://localhost/?timeoutMS=soon",
        "mongodb://localhost/?tls=maybe",
        "mongodb://localhost/?tlsCAFile=/nowhere/ca.pem",
        "mongodb://localhost/?minPoolSize=9&maxPoolSize=2",
        "mongodb://a,b/?directConnection=true",
        "mongodb+srv://",
        "mongodb+srv://a,b",
        "mongodb+srv://cluster.example:27017",
        "mongodb+srv://cluster.example/?tls=maybe",
        "http://localhost",
    ],
)
def test_urls_of_mongodb_that_make_no_sense(url):
    """Are refused in one line, be it what the driver would refuse or only warn of."""
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        mongo.checked_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://user:sec@ret@localhost",
        "mongodb://user:sec:ret@localhost",
        "mongodb://user:sec/ret hush@localhost",
        "mongodb://user:sec?ret=hush@localhost",
        "mongodb://user:sec%ret@localhost",
        "mongodb://user:secret",
        "mongodb+srv://user:sec/ret hush@localhost",
        "mongodb://user:secret@localhost/?proxyPassword=hush&colour=red",
    ],
)
def test_a_password_in_a_url_of_mongodb_is_not_shown(url):
    """Nor a part of it, wherever the URL goes wrong."""
    with pytest.raises(ValueError, match=r".") as caught:
        mongo.checked_url(url)
    for part in ("sec", "ret", "hush"):
        assert part not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:secret@db.example:5433/users",
        "postgres://db/users",
        "postgresql:///users",
        "postgresql://postgres@/users?host=/run/postgresql&port=5432",
        "postgresql://user:p%40s:s@[::1]:5432,b:5433/users?target_session_attrs=read-write",
        "postgresql://%2Frun%2Fpostgresql/users",
        "postgresql://a,b/users?port=5432,5433",
        "postgresql:///users?host=a,b&port=5432&sslmode=verify-full",
        "postgresql://db/users?search_path=mine&application_name=a@b",
    ],
)
def test_urls_of_postgresql(url):
    """Over TCP and over a unix socket, one host or several, with PostgreSQL's own options."""
    assert postgres.checked_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "mysql://db/users",
        "postgresql://",
        "postgresql://db:port/users",
        "postgresql://db:0/users",
        "postgresql://db:65536/users",
        "postgresql://a,,b/users",
        "postgresql://::1/users",
        "postgresql://[::1/users",
        "postgresql://db/users?sslmode",
        "postgresql://db/users?sslmode=bogus",
        "postgresql://db/users?sslnegotiation=none",
        "postgresql://db/users?sslrootcert=/nowhere/ca.pem",
        "postgresql://db/users?ssl_min_protocol_version=TLSv9",
        "postgresql://db/users?target_session_attrs=fast",
        "postgresql:///users?host=a,b&port=1,2,3",
        "postgresql:///users?host=a&port=b",
        "postgresql:///users?host=a:b",
    ],
)
def test_urls_of_postgresql_that_make_no_sense(url):
    """Are refused in one line, be it what asyncpg would find only when it connects."""
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        postgres.checked_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:sec@ret@localhost/users",
        "postgresql://user:sec/ret@localhost/users",
        "postgresql://user:sec?ret@localhost/users",
        "postgresql://user:sec#ret@localhost/users",
        "postgresql://user:[sec@localhost/users",
        "postgresql://user:sec\u2100ret@localhost/users",
        "postgresql://user:secret",
        "postgresql://localhost/users?password=sec&ret",
        "postgresql://user:secret@localhost:hush/users",
    ],
)
def test_a_password_in_a_url_of_postgresql_is_not_shown(url):
    """Nor a part of it, wherever the URL goes wrong."""
    with pytest.raises(ValueError, match=r".") as caught:
        postgres.checked_url(url)
    for part in ("sec", "ret", "hush"):
        assert part not in str(caught.value)
