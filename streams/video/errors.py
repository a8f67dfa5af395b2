"""What can go wrong between a camera and a tile; one base, one class per cause. No message holds a password."""


class VideoError(Exception):
    """Base of all errors of this package; the message is for the person who must act. `code`: a word for the tile."""

    code = "lost"


class AddressWrong(VideoError):
    """The address of a stream cannot be used; the message says what was expected."""

    code = "address"


class CameraAway(VideoError):
    """The camera cannot be reached, or ended the connection."""


class CameraSilent(CameraAway):
    """The connection stands and no frame comes."""

    code = "silent"


class AddressUnknown(VideoError):
    """Nothing is known by which the camera could be asked."""

    code = "address"


class CameraRefused(VideoError):
    """The camera answered a request with an error; `status` is RTSP's."""

    code = "refused_by_camera"

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class PasswordWrong(CameraRefused):
    """The camera does not take user and password, or asks for a way of proving them that we do not know."""

    code = "password"


class Malformed(VideoError):
    """The camera sent what is not RTSP, SDP or RTP, or more of it than anybody sends."""

    code = "garbage"


class NoPicture(VideoError):
    """The camera offers no video that can be passed on; the message names what it offers."""

    code = "no_picture"


class TicketWrong(VideoError):
    """A ticket is forged, over, or for something else."""

    code = "refused"


class RelayAway(VideoError):
    """The relay's process does not answer."""

    code = "relay_away"


class NotGranted(VideoError):
    """The grant by which somebody looks does not let them, or not any more."""

    code = "not_granted"
