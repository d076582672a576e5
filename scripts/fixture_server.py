"""The web site that scripts/fixtures.sh captures: one page of each kind that matters to receipts."""

import http.server
import sys
import zlib
import struct


def png() -> bytes:
    """A grey image of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\x00\x80")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def page(title: str, body: str) -> bytes:
    return f'<!doctype html><html lang="en"><title>{title}</title><body>{body}</body></html>\n'.encode()


HTML = {"Content-Type": "text/html; charset=UTF-8", "Content-Language": "en-GB"}
LINKS = (
    '<a href="/chunked">chunked</a> <a href="/moved">moved</a> <a href="/missing">missing</a> '
    '<a href="/reserved">reserved</a> <a href="/data.json">data</a> <a href="/empty">empty</a> '
    '<a href="/private/notes.html">private</a> <img src="/dot.png" alt="a dot">'
)
ROBOTS = b"User-agent: *\nDisallow: /private/\nContent-Signal: search=yes, ai-train=no\n"

# path -> (status, headers, body)
PAGES = {
    "/": (200, HTML, page("Home", LINKS)),
    "/robots.txt": (200, {"Content-Type": "text/plain"}, ROBOTS),
    "/chunked": (200, HTML, page("Chunked", "<p>in pieces</p>" * 40)),
    "/moved": (302, {"Location": "/here.html"}, b""),
    "/here.html": (200, HTML, page("Here", "<p>the target of a redirect</p>")),
    "/reserved": (200, {**HTML, "TDM-Reservation": "1", "X-Robots-Tag": "noindex"}, page("Reserved", "")),
    "/data.json": (200, {"Content-Type": "application/json", "Content-Usage": "train-ai=n"}, b'{"n": 1}\n'),
    "/empty": (204, {}, b""),
    "/private/notes.html": (200, HTML, page("Private", "<p>not for robots</p>")),
    "/dot.png": (200, {"Content-Type": "image/png"}, png()),
}
MISSING = (404, HTML, page("Not found", ""))


class Site(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "site"
    sys_version = ""

    def do_GET(self) -> None:
        status, headers, body = PAGES.get(self.path, MISSING)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(body), 100):
                part = body[start : start + 100]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
            return
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Site)
    print("ready", flush=True)
    server.serve_forever()
