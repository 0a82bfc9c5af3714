"""How much memory the libraries of `exemplar events` take in a process that only imports them."""

import re
from importlib import import_module
from pathlib import Path

LIBRARIES = (
    *("fastapi", "uvicorn", "uvloop", "httptools", "websockets", "sqlalchemy", "psycopg", "kafka", "msgspec"),
    *("cryptography.hazmat.primitives.ciphers.aead", "pydantic_settings", "prometheus_client", "structlog", "click"),
)


def main() -> None:
    """Print the peak in kB: `python -m benchmarks.bare_libraries`."""
    for name in LIBRARIES:
        import_module(name)
    print(*re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text()))


if __name__ == "__main__":
    main()
