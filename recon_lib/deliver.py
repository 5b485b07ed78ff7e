"""Sends one notice, in a process of its own: {"address", "title", "text", "seconds"} on stdin, one word on stdout.

What apprise and the libraries under it log or warn may hold parts of an address; here it all ends with the process, which
the caller gives no stderr. A service that never ends its answer ends with it too.
"""

from __future__ import annotations

import json
import sys

DELIVERED, UNKNOWN, REFUSED, LATE = "delivered", "unknown", "refused", "late"


def main() -> None:
    import apprise

    asked = json.loads(sys.stdin.buffer.read())
    asset = apprise.AppriseAsset(storage_mode=apprise.PersistentStoreMode.MEMORY)  # leaves nothing on the disk
    box = apprise.Apprise(asset=asset)
    if not box.add(asked["address"]):
        print(UNKNOWN, flush=True)
        return
    text = apprise.NotifyFormat.TEXT
    done = box.notify(body=asked["text"], title=asked["title"], body_format=text, timeout=asked["seconds"])
    late = done.status == apprise.AppriseResultStatus.TIMEOUT
    print(DELIVERED if done else LATE if late else REFUSED, flush=True)


if __name__ == "__main__":
    main()
