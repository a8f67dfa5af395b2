"""A real identity provider for the tests: canaille, with everything in memory, on 127.0.0.1; run as a program.

python identity_provider.py PORT: prints "up" once it serves. People: see PEOPLE; their password is PASSWORD.
"""

import logging
import sys

PASSWORD = "correct horse 电池"
CLIENT, SECRET = "gridwall", "the-client's-own-secret"
OTHER_CLIENT = "another"
BACK = "http://testserver/signin/oidc/back"
PEOPLE = {
    "zhang": ("张三", "gridwall-duty"),
    "li": ("李四", "gridwall-fire"),
    "nobody": ("王五", "cooks"),
    "both": ("赵六", "gridwall-system gridwall-security"),
    "moving": ("孙七", "gridwall-fire"),
    "duty": ("周八", "gridwall-fire"),
}
"""user name: (name shown, groups)."""


def main(port: int) -> None:
    """Serve until killed."""
    from canaille import create_app
    from canaille.app import models
    from canaille.backends import Backend
    from canaille.backends.memory.backend import MemoryBackend
    from joserfc.jwk import RSAKey
    from werkzeug.serving import make_server

    whole = MemoryBackend.do_query

    def fitting(backend: MemoryBackend, model: type, **wanted: object) -> list[object]:
        """What fits every condition: as released, it returns what fits any, so a client's codes are mixed up."""
        found = [{one.id: one for one in whole(backend, model, **{name: value})} for name, value in wanted.items()]
        return (
            [one for key, one in found[0].items() if all(key in ids for ids in found)]
            if found
            else whole(backend, model)
        )

    MemoryBackend.do_query = fitting
    key = RSAKey.generate_key(2048, {"kid": "k1"}).as_dict(private=True)
    app = create_app(
        config={
            "SECRET_KEY": "tests only, tests only, tests only",
            "SERVER_NAME": f"127.0.0.1:{port}",
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {"DATABASE": "memory", "JAVASCRIPT": False, "HTMX": False, "LOGGING": None},
            "CANAILLE_OIDC": {"ACTIVE_JWKS": [key]},
        }
    )
    with app.app_context():
        groups: dict[str, list[object]] = {}
        for name, (shown, member) in PEOPLE.items():
            user = models.User(
                user_name=name,
                display_name=name,
                formatted_name=shown,
                family_name=shown,
                emails=[f"{name}@example.invalid"],
                password=PASSWORD,
            )
            Backend.instance.save(user)
            for group in member.split():
                groups.setdefault(group, []).append(user)
        for group, members in groups.items():
            Backend.instance.save(models.Group(display_name=group, members=members))
        for client_id in (CLIENT, OTHER_CLIENT):
            client = models.Client(
                client_id=client_id,
                client_secret=SECRET,
                client_name=client_id,
                client_uri="http://127.0.0.1",
                redirect_uris=[BACK],
                grant_types=["authorization_code"],
                response_types=["code"],
                token_endpoint_auth_method="client_secret_basic",
                scope=["openid", "profile", "groups"],
            )
            Backend.instance.save(client)
            client.audience = [client]
            Backend.instance.save(client)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", port, app, threaded=True)
    print("up", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
