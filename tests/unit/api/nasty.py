"""Requests within the limits that are made to keep a service busy."""

import base64
import json
from collections.abc import Mapping

from app.framework.http.application import BODY_LIMIT, HEADER_LIMIT

MARKS = "\u0315\u0300\u0316\u05ae"
"""Combining marks that no normal form leaves in this order, so that all of them are sorted."""

HEAD = HEADER_LIMIT - 1000
"""What there is room for in one header or in the query."""


def filled(unit: str, length: int) -> str:
    """`unit` over and over, `length` bytes of UTF-8 or a little less."""
    return unit * (length // len(unit.encode()))


def body_with(**members: object) -> bytes:
    """A body of these members, written without escapes."""
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


ROOM = BODY_LIMIT - 100
"""What there is room for in one member of a body."""

TEXTS = {
    "marks": "a" + filled(MARKS, ROOM),
    "one mark": "a" + filled("\u0301", ROOM),
    "marks as escapes": "a" + MARKS * (ROOM // 24),
    "descending marks": "a" + filled("\u0345\u0300", ROOM),
    "runs of thirty": filled("a" + (MARKS * 8)[:30], 1600),
    "long decompositions": filled("\ufdfa", ROOM),
    "jamo": filled("\u1100\u1161\u11a8", ROOM),
    "blanks": filled(" ", ROOM),
    "ideographic blanks": filled("\u3000", ROOM),
    "letters": filled("x", ROOM),
    "sharp s": filled("ß", ROOM),
    "at signs": filled("@", ROOM),
    "dots": filled(".", ROOM),
    "quotes": filled('"', ROOM // 2),
    "parentheses": filled("(", ROOM),
    "Arabic digits": "a@" + filled("\u0660", 900),
    "labels": "a@" + filled("ü.", 900),
    "one label": "a@" + filled("ü", 900),
    "joiners": "a@" + filled("क्\u200d", 900),
    "marks in a domain": "a@" + filled("a" + MARKS * 7, 900),
    "short marks": "a" + filled(MARKS, 500),
    "controls": filled("\x01", ROOM // 6),
    "https": "https://" + filled("a", ROOM - 20),
    "percents": "https://a/" + filled("%41", 2000),
    "hash": "https://a/" + filled("#", ROOM - 20),
}

MEMBERS = ("id", "name", "email", "avatar_url", "bio")

BODIES = {
    **{
        f"{member} of {kind}": body_with(**{member: text})
        for kind, text in TEXTS.items()
        for member in MEMBERS
        if kind != "marks as escapes"
    },
    **{
        f"{member} of marks as escapes": json.dumps({member: TEXTS["marks as escapes"]}).encode()
        for member in MEMBERS
    },
    **{
        f"all of {kind}": body_with(**dict.fromkeys(MEMBERS, text[:800]))
        for kind, text in TEXTS.items()
    },
    "unknown members": body_with(**{f"{number:x}": 0 for number in range(ROOM // 9)}),
    "unknown members with texts": body_with(**{f"{number:x}": "" for number in range(ROOM // 10)}),
    "unknown members with lists": body_with(**{f"{number:x}": [] for number in range(ROOM // 10)}),
    "one member again and again": b'{"name":"a"' + b',"name":"a"' * (ROOM // 11) + b"}",
    "one unknown name of marks": body_with(**{TEXTS["marks"]: 0}),
    "unknown names of marks": body_with(**{f"{n}{MARKS}": 0 for n in range(ROOM // 20)}),
    "an array": b"[" + b"0," * (ROOM // 2) + b"0]",
    "arrays in arrays": b"[" * ROOM,
    "objects in objects": b'{"name":' * (ROOM // 8),
    "arrays in arrays, closed": b"[" * (ROOM // 2) + b"]" * (ROOM // 2),
    "a name of arrays": b'{"name":' + b"[" * 150 + b"]" * 150 + b"}",
    "a name of a long array": b'{"name":[' + b"0," * (ROOM // 2 - 10) + b"0]}",
    "a long number": b'{"name":' + b"9" * ROOM + b"}",
    "a number just within the limit": b'{"name":' + b"9" * 4300 + b"}",
    "many long numbers": b'{"name":[' + b",".join([b"9" * 4300] * 14) + b"]}",
    "a long fraction": b'{"name":0.' + b"9" * ROOM + b"}",
    "a long exponent": b'{"name":1e' + b"9" * ROOM + b"}",
    "many long fractions": b'{"name":[' + b",".join([b"0." + b"7" * 800] * 80) + b"]}",
    "many exponents": b'{"name":[' + b",".join([b"1e-308"] * (ROOM // 7 - 5)) + b"]}",
    "a text without end": b'{"name":"' + b"a" * ROOM,
    "escapes without end": b'{"name":"' + b"\\u0041" * (ROOM // 6),
    "halves of pairs": b'{"name":"' + b"\\ud800" * (ROOM // 6) + b'"}',
    "not UTF-8": b"\xff" * ROOM,
    "blanks only": b" " * ROOM,
    "blanks before a body": b" " * (ROOM - 20) + b'{"name":"a"}',
    "UTF-16": body_with(name="a" * (ROOM // 2 - 20)).decode().encode("utf-16"),
}

QUERIES = {
    "q of marks": "q=a" + "%CC%95%CC%80%CC%96%D6%AE" * 24,
    "q of too many marks": "q=a" + filled("%CC%95%CC%80%CC%96%D6%AE", HEAD),
    "q of long decompositions": "q=" + "%EF%B7%BA" * 100,
    "q of blanks": "q=" + "%20" * 100,
    "q of letters": "q=" + filled("a", HEAD),
    "parameters": filled("a&", HEAD),
    "parameters with values": filled("a=&", HEAD),
    "parameters by semicolon": filled("a=;", HEAD),
    "one parameter again and again": filled("q=a&", HEAD),
    "limits again and again": filled("limit=0&", HEAD),
    "percents": "q=" + filled("%", HEAD),
    "pluses": "q=" + filled("+", HEAD),
    "a limit of digits": "limit=" + filled("9", HEAD),
    "a sort of letters": "sort=" + filled("a", HEAD),
    "a cursor of letters": "cursor=" + filled("a", HEAD),
    "a cursor of arrays": "cursor=" + base64.urlsafe_b64encode(b"[" * 3000).decode(),
    "a cursor of digits": "cursor=" + base64.urlsafe_b64encode(b"9" * 3000).decode(),
    "a cursor of numbers": "cursor=" + base64.urlsafe_b64encode(b"[" + b"1," * 1500).decode(),
    "a cursor of marks": "cursor="
    + base64.urlsafe_b64encode(json.dumps(["", 0, MARKS * 300, ""], ensure_ascii=False).encode())
    .decode()
    .rstrip("="),
    "a cursor of equals signs": "cursor=" + filled("=", 4000),
}

HEADERS: dict[str, Mapping[str, str]] = {
    "If-None-Match of quotes": {"if-none-match": filled('"', HEAD)},
    "If-None-Match of tags": {"if-none-match": filled('"1",', HEAD)},
    "If-None-Match of an open tag": {"if-none-match": '"' + filled("a", HEAD)},
    "If-None-Match of weak tags": {"if-none-match": filled("W/", HEAD)},
    "If-None-Match of blanks": {"if-none-match": "x" + filled(" ", HEAD) + "x"},
    "If-Match of letters": {"if-match": '"' + filled("a", HEAD)},
    "If-Match of digits": {"if-match": '"' + filled("9", HEAD) + '"'},
    "a long token": {"consistency-token": filled("A", HEAD)},
    "a long key": {"idempotency-key": filled("a", HEAD)},
    "a long id of an event": {"last-event-id": filled("9", HEAD)},
    "a long id of a request": {"x-request-id": filled("a", HEAD)},
    "a type of semicolons": {"content-type": "application/json" + filled(";", HEAD)},
    "a type of parameters": {"content-type": "application/json" + filled(";a=b", HEAD)},
    "a type of quotes": {"content-type": 'application/json;a="' + filled('\\"', HEAD)},
    "a type of blanks": {"content-type": "application/" + filled(" ", HEAD) + "json"},
    "a type of plus signs": {"content-type": "application/" + filled("+", HEAD) + "json"},
    "a type of slashes": {"content-type": filled("/", HEAD)},
    "a form of semicolons": {"content-type": "multipart/form-data" + filled("; boundary=a", HEAD)},
    "cookies": {"cookie": filled("a=b;", HEAD)},
    "accepted types": {"accept": filled("a/b,", HEAD)},
    "languages": {"accept-language": filled("a;q=0.1,", HEAD)},
    "a range": {"range": "bytes=" + filled("0-1,", HEAD)},
    "an origin": {"origin": "https://" + filled("a", HEAD)},
    "many headers": {f"x-{number}": "" for number in range(HEAD // 8)},
}

PATHS = {
    "an id of letters": "/users/" + filled("a", HEAD),
    "an id of marks": "/users/a" + filled(MARKS, HEAD),
    "slashes": filled("/", HEAD),
    "segments": filled("/users", HEAD),
    "dots": "/users/" + filled("../", HEAD),
    "an unknown path of marks": "/a" + filled(MARKS, HEAD),
    "a kind of problem": "/problems/" + filled("a", HEAD),
    "a file of the documentation": "/docs/" + filled("../", HEAD),
}
