/* Playing by Media Source Extensions: fragments of one frame each into a <video>, close behind the newest frame. */
(() => {
  "use strict";
  const gridwall = (window.gridwall = window.gridwall || {});
  const LAG_MOST = 1; // s behind the newest frame, then it jumps
  const LAG_FAST = 0.3; // from here it plays a little faster
  const KEEP = 20; // s of past pictures
  const QUEUE_MOST = 16 * 1024 * 1024; // bytes that wait for the decoder

  /** `painted(seconds)`: a frame of that media time is on the glass; `broken()`: it plays no more. */
  class Mse {
    static can(codec) {
      return Boolean(window.MediaSource && MediaSource.isTypeSupported(`video/mp4; codecs="${codec}"`));
    }

    constructor(video, codec, boxes, { painted, broken }) {
      Object.assign(this, { video, painted, broken });
      this.queue = [boxes];
      this.queued = boxes.byteLength;
      this.begun = false;
      this.media = new MediaSource();
      this.media.addEventListener("sourceopen", () => this.opened(`video/mp4; codecs="${codec}"`), { once: true });
      video.onerror = () => this.fail();
      this.url = URL.createObjectURL(this.media);
      video.src = this.url;
      this.watch();
    }

    opened(type) {
      if (!this.media) return;
      this.source = this.media.addSourceBuffer(type);
      this.source.mode = "segments";
      this.source.addEventListener("updateend", () => this.feed());
      this.source.addEventListener("error", () => this.fail());
      this.feed();
    }

    watch() {
      const painted = (_now, frame) => {
        if (!this.media) return;
        this.painted(frame.mediaTime);
        this.video.requestVideoFrameCallback(painted);
      };
      this.video.requestVideoFrameCallback(painted);
    }

    push(boxes, key) {
      if (!this.media || !(key || this.begun)) return;
      this.begun = true;
      this.queue.push(boxes);
      this.queued += boxes.byteLength;
      if (this.queued > QUEUE_MOST) this.fail();
      else this.feed();
    }

    feed() {
      const { source, video } = this;
      if (!source || source.updating || this.media?.readyState !== "open") return;
      try {
        const past = video.currentTime - KEEP;
        if (source.buffered.length && past > source.buffered.start(0) + KEEP) return void source.remove(0, past);
        if (this.queue.length) {
          const part = this.queue.length > 1 ? joined(this.queue, this.queued) : this.queue[0];
          this.queue = [];
          this.queued = 0;
          source.appendBuffer(part);
        }
        this.edge();
      } catch {
        this.fail();
      }
    }

    /** Stay close behind the newest frame; the lag in seconds, 0 before there is a frame. */
    edge() {
      const { video } = this;
      let buffered;
      try {
        buffered = this.source?.buffered;
      } catch {
        return 0; // the source has gone from its element
      }
      if (!buffered?.length) return 0;
      const last = buffered.end(buffered.length - 1);
      const start = buffered.start(buffered.length - 1);
      const lag = last - video.currentTime;
      if (video.currentTime < start || lag > LAG_MOST || lag < -LAG_MOST) video.currentTime = Math.max(start, last - 0.05);
      video.playbackRate = lag > LAG_FAST ? 1.15 : 1;
      if (video.paused) video.play().catch(() => {});
      return lag;
    }

    /** Frames decoded and dropped since it began. */
    vitals() {
      const { totalVideoFrames = 0, droppedVideoFrames = 0 } = this.video.getVideoPlaybackQuality?.() || {};
      return { frames: totalVideoFrames, dropped: droppedVideoFrames };
    }

    fail() {
      if (this.media) this.broken();
    }

    /** Take no more; the last picture stands. */
    close() {
      this.media = this.source = null;
      this.queue = [];
      this.video.onerror = null;
      if (this.url) URL.revokeObjectURL(this.url);
      this.url = "";
    }
  }

  const joined = (parts, size) => {
    const whole = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.byteLength;
    }
    return whole;
  };

  gridwall.Mse = Mse;
})();
