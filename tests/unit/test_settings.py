from pathlib import Path

import pytest

from app.host.settings import InvalidSettings, Role, Settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"


@pytest.fixture
def environment(monkeypatch):
    """Sets variables for the length of a test."""
    return lambda **variables: [monkeypatch.setenv(*each) for each in variables.items()]


def test_without_any_variable_everything_has_a_default():
    """One process does all, on the loopback interface, with embedded servers."""
    settings = Settings.load()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.roles == frozenset(Role)
    assert settings.database_url is None
    assert settings.mongodb_url is None
    assert settings.mongodb_database == "diptych"
    assert settings.mongodb_driver == "motor"
    assert settings.data_dir == Path(".data")
    assert (settings.log_level, settings.log_format) == ("info", "console")


def test_variables_are_the_fields_in_capitals(environment):
    """What the environment says is what the process gets."""
    environment(PORT="81", ROLES=" queries , projector", DATABASE_URL="postgresql://db/users")
    settings = Settings.load()
    assert settings.port == 81
    assert settings.roles == {Role.QUERIES, Role.PROJECTOR}
    assert settings.database_url == "postgresql://db/users"


def test_overrides_come_before_variables(environment):
    """An option of the command line wins over the environment."""
    environment(PORT="81")
    assert Settings.load(port="82").port == 82


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_variable_is_none(environment, blank):
    """`HOST=` in a file means the default, like no line at all; so does an empty option."""
    defaults = Settings.load()
    environment(**{name.upper(): blank for name in Settings.model_fields})
    assert Settings.load() == defaults
    assert Settings.load(**dict.fromkeys(Settings.model_fields, blank)) == defaults


def test_a_blank_variable_hides_a_line_in_the_file(environment, monkeypatch, tmp_path):
    """The environment comes first, and says that there is none."""
    (tmp_path / "env").write_text("DATABASE_URL=postgresql://db/users\nHOST=\n")
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / "env")
    assert Settings.load().database_url == "postgresql://db/users"
    assert Settings.load().host == "127.0.0.1"
    environment(DATABASE_URL="")
    assert Settings.load().database_url is None


@pytest.mark.parametrize(
    ("roles", "postgres", "mongodb"),
    [
        ("commands", True, False),
        ("queries", False, True),
        ("projector", True, True),
        ("commands,queries", True, True),
    ],
)
def test_a_process_needs_the_databases_of_its_roles_only(roles, postgres, mongodb):
    """Commands alone never need MongoDB, queries alone never PostgreSQL."""
    settings = Settings.load(roles=roles)
    assert (settings.needs_postgres, settings.needs_mongodb) == (postgres, mongodb)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:secret@db.example:5433/users",
        "postgres://db/users",
        "postgresql://postgres@/users?host=/run/postgresql&port=5432",
    ],
)
def test_urls_of_postgresql(url):
    """Over TCP and over a unix socket, by both names of the scheme."""
    assert Settings.load(database_url=url).database_url == url


@pytest.mark.parametrize(
    "url", ["mongodb://a:27017,b:27017/?replicaSet=rs0", "mongodb+srv://cluster.example"]
)
def test_urls_of_mongodb(url):
    """A replica set by its members, or by a DNS name."""
    assert Settings.load(mongodb_url=url).mongodb_url == url


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "http"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("ROLES", "commands,painter"),
        ("ROLES", ","),
        ("DATABASE_URL", "users.db"),
        ("DATABASE_URL", "mysql://db/users"),
        ("DATABASE_URL", "postgresql://"),
        ("MONGODB_URL", "db:27017"),
        ("MONGODB_URL", "mongodb://"),
        ("MONGODB_DATABASE", "no spaces"),
        ("MONGODB_DATABASE", "x" * 39),
        ("MONGODB_DRIVER", "odbc"),
        ("LOG_LEVEL", "INFORMATIVE"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_variable(environment, variable, value):
    """Whoever set it finds it."""
    environment(**{variable: value})
    with pytest.raises(InvalidSettings) as caught:
        Settings.load()
    [line] = str(caught.value).splitlines()
    assert line.startswith(f"{variable}: ")


def test_all_wrong_values_are_named_at_once(environment):
    """A line each."""
    environment(PORT="http", LOG_FORMAT="xml")
    with pytest.raises(InvalidSettings) as caught:
        Settings.load()
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == ["PORT", "LOG_FORMAT"]


@pytest.mark.parametrize(
    ("settings", "hosts"),
    [
        ({}, {"localhost", "127.0.0.1", "[::1]"}),
        ({"host": "LOCALHOST"}, {"localhost", "127.0.0.1", "[::1]"}),
        ({"host": "127.0.0.2"}, {"localhost", "127.0.0.1", "[::1]", "127.0.0.2"}),
        ({"host": "::1"}, {"localhost", "127.0.0.1", "[::1]"}),
        ({"host": "0.0.0.0", "auth": "none-anywhere"}, None),
        ({"host": "::", "auth": "none-anywhere"}, None),
        ({"host": "10.0.0.7", "auth": "none-anywhere"}, None),
        ({"host": "users.example.com", "auth": "none-anywhere"}, None),
        ({"allowed_hosts": "Users.example.com, [FD00::1]"}, {"users.example.com", "[fd00::1]"}),
        ({"allowed_hosts": "a_b", "host": "0.0.0.0", "auth": "none-anywhere"}, {"a_b"}),
        ({"allowed_hosts": "*"}, None),
    ],
)
def test_a_service_on_loopback_answers_for_loopback_names_only(settings, hosts):
    """Those in ALLOWED_HOSTS come instead; elsewhere it cannot know its names."""
    assert Settings.load(**settings).hosts == hosts


@pytest.mark.parametrize(
    "given", ["users.example.com:8000", "http://users.example.com", "::1", "*.example.com", "a b"]
)
def test_a_host_that_no_request_names_is_refused(given):
    """With a port it would match nothing."""
    with pytest.raises(InvalidSettings, match=r"^ALLOWED_HOSTS: .* without a port"):
        Settings.load(allowed_hosts=given)


def test_origins_are_as_browsers_send_them(environment):
    """In lower case, with a port where it is not the scheme's."""
    environment(CORS_ORIGINS="https://App.example.com,http://localhost:5173, http://[::1]:1")
    assert Settings.load().cors_origins == {
        "https://app.example.com",
        "http://localhost:5173",
        "http://[::1]:1",
    }
    assert Settings.load(cors_origins="*").cors_origins == {"*"}


@pytest.mark.parametrize(
    "given",
    ["app.example.com", "https://app.example.com/", "https://a/b", "null", "https://*.example.com"],
)
def test_what_is_no_origin_is_refused(given):
    """It would match nothing."""
    with pytest.raises(InvalidSettings, match=r"^CORS_ORIGINS: .* without a path"):
        Settings.load(cors_origins=given)


@pytest.mark.parametrize(
    ("given", "path"),
    [("/api", "/api"), ("/api/", "/api"), ("/a/b-c_d.e~f", "/a/b-c_d.e~f"), ("/", "")],
)
def test_the_prefix_that_a_proxy_strips(given, path):
    """It has no slash at its end, so that paths can be put behind it."""
    assert Settings.load(root_path=given).root_path == path


@pytest.mark.parametrize(
    "given", ["api", "//", "/a//b", "/..", "/a/./b", "/a b", "/a?b", "/%61", "http://x/a"]
)
def test_a_prefix_that_is_no_plain_path_is_refused(given):
    """It stands in addresses as it is."""
    with pytest.raises(InvalidSettings, match=r"^ROOT_PATH: expected the form /prefix"):
        Settings.load(root_path=given)


def test_the_example_file_has_every_setting_with_its_default():
    """`.env.example` lists them all; uncommented, its lines are what holds without them."""
    lines = [line[1:] for line in EXAMPLE.read_text().splitlines() if line[:1] == "#"]
    pairs = [line.partition("=") for line in lines if line.split("=")[0].isupper()]
    example = {name.lower(): value for name, equals, value in pairs if equals}
    assert example.keys() == Settings.model_fields.keys()
    urls = {"database_url", "mongodb_url"}
    stated = {name: value for name, value in example.items() if name not in urls}
    assert Settings.load(**stated) == Settings.load()
    Settings.load(**{name: example[name] for name in urls})


@pytest.mark.parametrize(
    ("given", "trusted"),
    [("10.0.0.1, 10.1.0.0/16 ,", "10.0.0.1,10.1.0.0/16"), ("::1", "::1"), ("10.0.0.1,*", "*")],
)
def test_proxies_are_addresses_networks_or_all(given, trusted):
    """Those whose word about clients is taken."""
    assert Settings.load(forwarded_allow_ips=given).forwarded_allow_ips == trusted


def test_a_proxy_that_is_neither_is_refused():
    """As the server would silently believe nobody."""
    with pytest.raises(InvalidSettings, match=r"^FORWARDED_ALLOW_IPS: proxy is not an address"):
        Settings.load(forwarded_allow_ips="proxy")


def test_no_limit_is_spelled_out(environment):
    """As a word: 0 could be meant as a limit."""
    assert Settings.load().rate_limit == 3000
    environment(RATE_LIMIT="none")
    assert Settings.load().rate_limit is None
    for wrong in ("0", "-1", "off"):
        environment(RATE_LIMIT=wrong)
        with pytest.raises(InvalidSettings, match=r"^RATE_LIMIT: "):
            Settings.load()
