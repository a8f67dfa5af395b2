"""Video access 视频调阅: asked for, decided, granted, ended and accounted for."""
