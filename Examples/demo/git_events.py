#!/usr/bin/env python3
"""The history of this repository as events: one line of NDJSON a commit, as `capsule-tool append --ndjson` reads it."""
import json
import subprocess

LOG = ["git", "log", "--reverse", "--numstat", "--format=%x1e%H%x1f%an%x1f%aI%x1f%s"]


def commits():
    text = subprocess.run(LOG, capture_output=True, text=True).stdout
    for record in text.split("\x1e")[1:]:
        head, *stats = record.strip().split("\n")
        commit, author, time, subject = head.split("\x1f")
        files = []
        for line in filter(None, stats):
            added, removed, path = line.split("\t")
            files.append({"path": path, "added": int(added) if added != "-" else 0, "removed": int(removed) if removed != "-" else 0})
        yield commit, author, time, subject, files


for commit, author, time, subject, files in commits():
    body = {"files": files[:10000], "summary": subject, "commit": commit}
    if files:
        print(json.dumps({"type": "patch.applied", "time": time, "actor": author, "key": commit, "body": body}))
