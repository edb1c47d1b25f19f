#!/usr/bin/env python3
"""A tool call and its result for each file under the folders that are named: what an agent that reads a repository would record."""
import hashlib
import json
import os
import sys
import time

for folder in sys.argv[1:]:
    for path, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            file = os.path.join(path, name)
            print(json.dumps({"type": "tool.call", "actor": "reader", "body": {"tool": "sha256sum", "arguments": [file]}}))
            begin = time.monotonic_ns()
            with open(file, "rb") as opened:
                data = opened.read()
            result = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            body = {"tool": "sha256sum", "ok": True, "duration_ns": time.monotonic_ns() - begin, "result": result}
            print(json.dumps({"type": "tool.result", "actor": "reader", "body": body}))
