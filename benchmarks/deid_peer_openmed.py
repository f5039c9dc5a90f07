"""openmed's safety sweep (its forms alone, no model) as a peer of benchmarks/deid.py; runs in a venv of its own.

pip install openmed; python benchmarks/deid_peer_openmed.py < texts.jsonl
"""

import json
import sys
import time

from openmed.core.safety_sweep import safety_sweep


def main() -> None:
    texts = [json.loads(line) for line in sys.stdin]
    started = time.process_time()
    for row in texts:
        found = safety_sweep(row["text"], [], lang="en")
        print(json.dumps({"id": row["id"], "spans": [[e.start, e.end, str(e.label).upper()] for e in found]}))
    print(json.dumps({"seconds": time.process_time() - started}))


if __name__ == "__main__":
    main()
