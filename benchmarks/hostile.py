"""Ten thousand requests that no honest caller sends: no 5xx, no stack trace, no growth in memory, nobody kept waiting.

    python -m benchmarks.hostile [--requests 10000] [--seed 1]

Every endpoint of the OpenAPI document is asked with fuzzed JSON, huge and strange ids, wrong types, injections, broken
encodings, oversized bodies and unheard-of methods, through raw sockets, since a client library would mend much of it.
Meanwhile some clients send a byte a second; an honest one has to be answered all the same.
"""

import argparse
import json
import random
import socket
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.scratch import scratch
from benchmarks.server import Client, serving
from benchmarks.table import Finding, show

WARM_UP = 12_000
SLOW_CLIENTS = 6
STRINGS = [
    "", " ", "0", "-1", "null", "true", "NaN", "Infinity", "1e309", "9" * 400, "a" * 128, "a" * 129, "a" * 70_000,
    "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\u202etxt", "\ufeff", "\u200b" * 40, "𝒳" * 64, "é" * 128, "🛒" * 200,
    "%00", "%ff%fe", "..%2f..%2fetc%2fpasswd", "../../etc/passwd", "' OR '1'='1", "'; DROP TABLE tastes; --",
    "1); SELECT pg_sleep(10); --", "{{7*7}}", "${jndi:ldap://x}", "<script>alert(1)</script>", "$(id)", "`id`",
    "\r\nSet-Cookie: a=b", "=cmd|'/c calc'!A0", "__proto__", "constructor", "(" * 3_000, "*" * 200, "& | ! <-> :*",
]  # fmt: skip
VALUES: list[Any] = [
    *STRINGS, None, True, False, 0, -1, 2**31, 2**63, 2**64, -(2**63), 10**400, 0.1, -0.0, 1e308, [], {}, [[]], [None],
    {"a": {"b": {"c": []}}}, ["a"] * 2_000, {str(n): n for n in range(2_000)}, [{"product_id": "p"}] * 3,
    json.loads("[" * 400 + "]" * 400),
]  # fmt: skip
FIELDS = [
    "interaction_type", "user_id", "session_id", "product_id", "event_id", "occurred_at", "quantity", "unit_price",
    "currency", "order_id", "recommendation_context", "recommendation_position", "recommendation_request_id",
    "search_query", "extra_data", "interactions", "title", "category", "price", "stock_quantity", "attributes",
    "products",
    "email", "name", "timezone", "marketing_consent",
]  # fmt: skip
PARAMETERS = ["user_id", "session_id", "limit", "category", "exclude", "min_price", "max_price", "product_ids", "q",
              "days", "from", "to", "group_by", "cursor"]  # fmt: skip
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"]
TYPES = [
    "application/json",
    "text/plain",
    "application/json; charset=utf-16",
    "multipart/form-data",
    "",
    "application/xml",
]


def main() -> None:
    """Fire, print, and fail where anything but a clear refusal came back."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    findings = measure(requests=options.requests, seed=options.seed)
    show(findings)
    sys.exit(int(not all(finding.met for finding in findings)))


def measure(*, requests: int, seed: int) -> list[Finding]:
    """Return what was found over `requests` requests, after a warm-up that fills caches and pools (measured: 33 MB)."""
    with scratch("hostile"):
        from benchmarks.shop import make_shop

        make_shop(products=300, interactions=3_000)
        with serving(workers=1) as port:
            chance, seen = random.Random(seed), Counter[str]()
            paths = endpoints(port)
            fire(port, paths, WARM_UP, chance, Counter())
            before, ended = memory(port), threading.Event()
            slow = [threading.Thread(target=crawl, args=(port, ended)) for _ in range(SLOW_CLIENTS)]
            for thread in slow:
                thread.start()
            fire(port, paths, requests, chance, seen)
            worst = honest(port)
            ended.set()
            for thread in slow:
                thread.join()
            after = memory(port)
    total = sum(count for kind, count in seen.items() if kind.isdigit())
    errors = sum(count for kind, count in seen.items() if kind.startswith("5"))
    growth = after / before - 1
    answers = ", ".join(f"{kind} × {count}" for kind, count in sorted(seen.items()))
    return [
        Finding("hostile requests answered", f"{total}", answers, "", f"of {requests}", total > 0.9 * requests),
        Finding("answers of 500 and above", f"{errors}", "", "", "0", errors == 0),
        Finding("answers that show a stack trace", f"{seen['trace']}", "", "", "0", seen["trace"] == 0),
        Finding("growth of the web process", f"{(after - before) / 1e6:.0f} MB", f"{before / 1e6:.0f} MB",
                f"{growth:+.1%}", "5 %", growth < 0.05),
        Finding(f"an honest list beside {SLOW_CLIENTS} slow clients, worst of 50", f"{worst * 1000:.0f} ms", "", "",
                "1 s", worst < 1),
    ]  # fmt: skip


def endpoints(port: int) -> dict[str, list[str]]:
    """Return the paths of the OpenAPI document with their methods, and those beside the API."""
    document = json.loads(Client(port).get("/api/schema/?format=json"))
    documented = {path: [method.upper() for method in methods] for path, methods in document["paths"].items()}
    return documented | {path: ["GET", "POST"] for path in ("/admin/login/", "/healthz", "/api/v1/nothing", "/")}


def fire(port: int, paths: dict[str, list[str]], requests: int, chance: random.Random, seen: Counter[str]) -> None:
    """Send requests one after the other, each on a connection of its own, and count the answers by status."""
    for _ in range(requests):
        answer = send(port, hostile(paths, chance))
        status = answer.split(b" ", 2)[1].decode("latin-1") if answer.startswith(b"HTTP/") else "closed"
        seen[status] += 1
        if b"Traceback (most recent" in answer or b"File &quot;/" in answer:
            seen["trace"] += 1


def hostile(paths: dict[str, list[str]], chance: random.Random) -> bytes:
    """Return one request, as bytes."""
    path = named = chance.choice(list(paths))
    while "{" in path:
        start, end = path.index("{"), path.index("}")
        path = path[:start] + escaped(chance.choice(STRINGS)[:6_000], chance) + path[end + 1 :]
    words = [
        f"{chance.choice(PARAMETERS)}={escaped(str(chance.choice(STRINGS))[:5_000], chance)}"
        for _ in range(chance.randrange(4))
    ]
    method = chance.choice(paths[named] if chance.random() < 0.85 else METHODS)
    body = b"" if method in ("GET", "HEAD") and chance.random() < 0.9 else payload(chance)
    length = len(body) if chance.random() < 0.97 else chance.choice([0, len(body) // 2])
    head = [
        f"{method} {path}{'?' if words else ''}{'&'.join(words)} HTTP/1.1", "Host: localhost", "Connection: close",
        f"Content-Type: {chance.choice(TYPES[:1] * 12 + TYPES)}", f"Content-Length: {length}",
    ]  # fmt: skip
    if chance.random() < 0.1:
        head.append(f"Authorization: {chance.choice(['Api-Key x', 'Api-Key ' + 'é' * 50, 'Basic !!', 'Api-Key'])}")
    if chance.random() < 0.05:
        head.append("X-Forwarded-For: ' OR 1=1, ::1, nobody")
    return "\r\n".join(head).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body


def escaped(text: str, chance: random.Random) -> str:
    """Percent-encode the text as bytes; a broken sequence now and then."""
    raw = text.encode("utf-8", "surrogatepass")
    return "".join(f"%{byte:02x}" for byte in raw[:2_000]) + ("%" if chance.random() < 0.03 else "")


def payload(chance: random.Random) -> bytes:
    """Return a body: an event or a batch with something wrong in it, or no JSON at all."""
    kind = chance.random()
    if kind < 0.05:
        return chance.choice(
            [b"{", b"\xff\xfe", b"[" * 50_000, b'{"a":' * 5_000, b"null", b'"a"', b"1" * 5_000, b"\x00" * 10]
        )
    if kind < 0.06:
        return b'{"interactions": [' + b'{"user_id": "u"},' * 400_000 + b"{}]}"
    thing = {field: chance.choice(VALUES) for field in chance.sample(FIELDS, chance.randrange(1, 7))}
    thing |= {"user_id": "u", "product_id": "product-1", "interaction_type": "view"} if chance.random() < 0.5 else {}
    thing[chance.choice(FIELDS)] = chance.choice(VALUES)
    whole = {"interactions": [thing, {"user_id": "u", "interaction_type": "view"}]} if chance.random() < 0.4 else thing
    return json.dumps(whole).encode("utf-8", "surrogatepass")


def send(port: int, request: bytes) -> bytes:
    """Send bytes, and return what came back: at most the first 64 KiB."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        answer = b""
        try:
            connection.sendall(request)
            while len(answer) < 65_536 and (part := connection.recv(65_536)):
                answer += part
        except OSError:
            pass  # refused before it was read whole, as it may be
        return answer


def crawl(port: int, ended: threading.Event) -> None:
    """Begin a request and send a byte of it a second."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(b"POST /api/v1/interactions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{")
        while not ended.wait(1):
            try:
                connection.sendall(b" ")
            except ConnectionError:
                return


def honest(port: int) -> float:
    """Return the longest of 50 honest requests, in seconds."""
    client, worst = Client(port), 0.0
    for _ in range(50):
        began = time.perf_counter()
        client.get("/api/v1/recommendations/homepage?user_id=user-1")
        worst = max(worst, time.perf_counter() - began)
    return worst


def memory(port: int) -> int:
    """Return the resident bytes of the process that listens on the port and of its children."""
    import psutil

    listening = {one.pid for one in psutil.net_connections("tcp") if one.status == "LISTEN" and one.laddr.port == port}
    return max(psutil.Process(pid).memory_info().rss for pid in listening if pid)


if __name__ == "__main__":
    main()
