"""A second RTSP server, of somebody else's making: GStreamer's. Run by the system's Python, which has its bindings.

It is given JSON: `paths` (a pipeline each), `user`, `password`, `certificate` (a PEM file with its key) and `ports`,
one for each of open, basic, digest and tls; 0: any. It prints the ports it has, and serves until it is ended.
"""

import json
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

KINDS = ("open", "basic", "digest", "tls")
MAY = "viewer, media.factory.access=(boolean)true, media.factory.construct=(boolean)true"


def server(kind: str, port: int, given: dict) -> GstRtspServer.RTSPServer:
    """Return one server; all play the same."""
    made = GstRtspServer.RTSPServer()
    made.set_address("127.0.0.1")
    made.set_service(str(port))
    for path, line in given["paths"].items():
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"( {line} )")
        factory.set_shared(True)
        if kind != "open":
            factory.add_role_from_structure(Gst.Structure.from_string(MAY)[0])
        made.get_mount_points().add_factory(path, factory)
    if kind != "open":
        made.set_auth(_auth(kind, given))
    return made


def _auth(kind: str, given: dict) -> GstRtspServer.RTSPAuth:
    auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    if kind == "tls":
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(given["certificate"]))
        auth.set_default_token(token)
    elif kind == "basic":
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(given["user"], given["password"]), token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(given["user"], given["password"], token)
    return auth


def main(given: dict) -> None:
    """Serve."""
    Gst.init(None)
    made = [server(kind, port, given) for kind, port in zip(KINDS, given["ports"], strict=True)]
    for one in made:
        one.attach(None)
    print(*(one.get_bound_port() for one in made), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
