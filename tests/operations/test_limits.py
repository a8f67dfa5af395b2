import pytest

from operations import policy
from operations.limits import LIMITS, limit_for, neighbourhood


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "unknown"),
        ("", "unknown"),
    ],
)
def test_whom_an_address_is_counted_with(address: str, counted: str) -> None:
    assert neighbourhood(address) == counted


def test_every_public_route_has_a_limit_but_the_assets() -> None:
    public = [route for route in policy.ROUTES if route.action == "public" and "assets" not in route.path]
    for route in public:
        for method in route.methods.split():
            for path in route.path.replace("(/back)?", "").split("|"):
                assert limit_for(method, path) is not None, (method, path)


def test_limits_are_bounds() -> None:
    assert all(0 < one.most <= 2_000 and 1 <= one.seconds <= 3_600 for one in LIMITS)
    assert limit_for("HEAD", "/signin") == limit_for("GET", "/signin") != limit_for("POST", "/signin")
    assert limit_for("GET", "/desk") is None
