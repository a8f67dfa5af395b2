"""Live pictures (实时画面): one pull a camera, complete frames, one fragment a frame, handed to all who look."""
