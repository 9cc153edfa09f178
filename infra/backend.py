"""Makes host.json name the backend that orchestrations are kept in: `python3 infra/backend.py storage|scheduler`.

Settings of the app can override host.json for the running host, but the scale controller of the platform is told
what the file says, so the file must say it. A hub belongs to one backend for life: choose before the first run.
"""

import json
import sys
from pathlib import Path

HOST = Path(__file__).resolve().parent.parent / "host.json"
PROVIDERS = {
    "storage": {"partitionCount": 4, "controlQueueBufferThreshold": 32, "maxQueuePollingInterval": "00:00:10"},
    "scheduler": {
        "type": "azureManaged",
        "connectionStringName": "DURABLE_TASK_SCHEDULER_CONNECTION_STRING",
    },
}


def choose(host_json: str, backend: str) -> str:
    """Give host.json with the storage provider of this backend, and nothing else changed."""
    document = json.loads(host_json)
    document["extensions"]["durableTask"]["storageProvider"] = PROVIDERS[backend]
    return json.dumps(document, indent=2) + "\n"


def main(arguments: list[str]) -> int:
    """Write host.json anew where it names the other backend."""
    backend = (arguments[0] if arguments else "") or "storage"
    if backend not in PROVIDERS:
        sys.stderr.write(f"{backend!r} is no backend; it can be {' or '.join(PROVIDERS)}\n")
        return 2
    before = HOST.read_text(encoding="utf-8")
    after = choose(before, backend)
    if after != before:
        HOST.write_text(after, encoding="utf-8")
        sys.stdout.write(f"host.json: orchestrations are now kept in {backend}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
