"""Health check of the image: exits with 0 if the service answers, by the Python that is there.

    python -I check_health.py [PATH]

PATH is /health/live by default: whether the process answers at all. /health/ready?role=queries asks
whether it can do what the role needs.
"""

import os
import sys
import urllib.request

SECONDS = 4


def main() -> int:
    """Ask; 0 if it is answered well."""
    path = sys.argv[1] if len(sys.argv) > 1 else "/health/live"
    url = f"http://127.0.0.1:{os.environ.get('PORT') or 8000}{path}"
    # The service refuses hosts that it is not called by.
    hosts = [each.strip() for each in os.environ.get("ALLOWED_HOSTS", "").split(",")]
    named = [each for each in hosts if each not in {"", "*"}]
    request = urllib.request.Request(url, headers={"Host": named[0]} if named else {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(request, timeout=SECONDS).close()
    except OSError as error:  # URLError is one
        sys.stderr.write(f"{url}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
