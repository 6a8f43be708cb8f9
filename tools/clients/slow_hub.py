"""A stand-in for the Hugging Face Hub with one repository of one file, which it may send slowly."""

import hashlib
import http.server
import json
import threading
import time


class SlowHub:
    """Serves `model.gguf` of `repository` at `url`."""

    def __init__(self, repository):
        self.repository = repository
        self.data, self.is_slow, self.sent = b"", True, 0
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"

    def offer(self, data):
        """From now on the file is `data`, sent slowly."""
        self.data, self.is_slow, self.sent = data, True, 0

    def page(self):
        sha256 = hashlib.sha256(self.data).hexdigest()
        return {"sha": sha256[:40], "tags": ["license:apache-2.0"], "siblings": [{
            "rfilename": "model.gguf", "size": len(self.data), "lfs": {"sha256": sha256, "size": len(self.data)}}]}

    def handler(hub):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                if self.path.startswith(f"/api/models/{hub.repository}/"):
                    return self.send(200, json.dumps(hub.page()).encode())
                if not self.path.endswith("/model.gguf"):
                    return self.send(404, b"")
                asked = self.headers.get("Range")
                if not asked:
                    return self.send(200, hub.data)
                first, last = asked.removeprefix("bytes=").split("-")
                first, last = int(first), min(int(last or len(hub.data)), len(hub.data) - 1)
                self.send(206, hub.data[first:last + 1], f"bytes {first}-{last}/{len(hub.data)}")

            def send(self, status, body, part=None):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if part:
                    self.send_header("Content-Range", part)
                self.end_headers()
                try:
                    for start in range(0, len(body), 1 << 18):
                        piece = body[start:start + (1 << 18)]
                        self.wfile.write(piece)
                        hub.sent += len(piece)
                        if hub.is_slow and len(body) > 1 << 20:
                            time.sleep(0.02)
                except OSError:
                    self.close_connection = True

        return Handler
