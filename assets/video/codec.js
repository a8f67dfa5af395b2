/* Playing by WebCodecs: each frame is decoded when it comes and drawn at once, for the one picture somebody works with.
   Only on secure pages (HTTPS, or this machine); elsewhere, and for what it cannot decode, there is MSE. */
(() => {
  "use strict";
  const gridwall = (window.gridwall = window.gridwall || {});
  const WAITING_MOST = 12; // frames before the decoder, then on to the next key frame

  /** The content of the first box of a kind (ISO/IEC 14496-12), looked for in the boxes named on the way to it. */
  const box = (data, path) => {
    const [name, ...rest] = path;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    for (let at = 0; at + 8 <= data.byteLength;) {
      const size = view.getUint32(at);
      if (size < 8 || at + size > data.byteLength) return null;
      if (String.fromCharCode(...data.subarray(at + 4, at + 8)) === name) {
        const content = data.subarray(at + 8, at + size);
        return rest.length ? box(content.subarray(SKIPPED[name] || 0), rest) : content;
      }
      at += size;
    }
    return null;
  };
  const SKIPPED = { stsd: 8, avc1: 78, hvc1: 78, hev1: 78 }; // fields before the boxes inside
  const STSD = ["moov", "trak", "mdia", "minf", "stbl", "stsd"];

  /** How a decoder is set up for a film's beginning; null: it is none of ours. */
  const configuration = (codec, boxes) => {
    const kind = codec.slice(0, 4);
    const description = box(boxes, [...STSD, kind, kind === "avc1" ? "avcC" : "hvcC"]);
    return description && { codec, description: description.slice(), optimizeForLatency: true };
  };

  /** `painted(seconds)`: a frame of that media time has been drawn; `broken()`: it plays no more. */
  class Codec {
    static async can(codec, boxes) {
      const wanted = window.VideoDecoder && configuration(codec, boxes);
      return Boolean(wanted && (await VideoDecoder.isConfigSupported(wanted).catch(() => ({}))).supported);
    }

    constructor(canvas, codec, boxes, { painted, broken }) {
      Object.assign(this, { canvas, painted, broken });
      this.begun = false;
      this.frames = this.dropped = 0;
      this.decoder = new VideoDecoder({ output: (frame) => this.draw(frame), error: () => this.fail() });
      this.decoder.configure(configuration(codec, boxes));
    }

    push(boxes, key, seconds) {
      if (!this.decoder || !(key || this.begun)) return;
      if (!key && this.decoder.decodeQueueSize > WAITING_MOST) {
        this.begun = false;
        this.dropped += 1;
        return;
      }
      const data = box(boxes, ["mdat"]);
      if (!data) return;
      this.begun = true;
      try {
        this.decoder.decode(new EncodedVideoChunk({ type: key ? "key" : "delta", timestamp: Math.round(seconds * 1e6), data }));
      } catch {
        this.fail();
      }
    }

    draw(frame) {
      const { canvas } = this;
      if (this.decoder) {
        if (canvas.width !== frame.displayWidth || canvas.height !== frame.displayHeight) {
          canvas.width = frame.displayWidth;
          canvas.height = frame.displayHeight;
        }
        canvas.getContext("2d", { alpha: false }).drawImage(frame, 0, 0);
        this.frames += 1;
        this.painted(frame.timestamp / 1e6);
      }
      frame.close();
    }

    edge() {
      return this.decoder ? this.decoder.decodeQueueSize / 25 : 0;
    }

    vitals() {
      return { frames: this.frames, dropped: this.dropped };
    }

    fail() {
      if (this.decoder) this.broken();
    }

    close() {
      if (this.decoder && this.decoder.state !== "closed") this.decoder.close();
      this.decoder = null;
    }
  }

  gridwall.Codec = Codec;
})();
